//! Blobs that were transferred a moment ago.

use std::collections::VecDeque;

use bytes::Bytes;

/// At most so many bytes of blobs, the least recently used first.
pub(super) struct Recent {
    capacity: usize,
    len: usize,
    blobs: VecDeque<(String, Bytes)>,
}

impl Recent {
    pub(super) fn of(capacity: usize) -> Self {
        Self {
            capacity,
            len: 0,
            blobs: VecDeque::new(),
        }
    }

    /// Looks at every name, of which there are few: blobs are large.
    pub(super) fn get(&mut self, name: &str) -> Option<Bytes> {
        let blob = self.remove(name)?;
        let bytes = blob.1.clone();
        self.push(blob);
        Some(bytes)
    }

    pub(super) fn insert(&mut self, name: String, bytes: Bytes) {
        self.remove(&name);
        if bytes.len() > self.capacity {
            return;
        }
        self.push((name, bytes));
        while self.len > self.capacity {
            self.pop();
        }
    }

    fn remove(&mut self, name: &str) -> Option<(String, Bytes)> {
        let at = self.blobs.iter().position(|(known, _)| known == name)?;
        let blob = self.blobs.remove(at)?;
        self.len -= blob.1.len();
        Some(blob)
    }

    fn push(&mut self, blob: (String, Bytes)) {
        self.len += blob.1.len();
        self.blobs.push_back(blob);
    }

    fn pop(&mut self) {
        if let Some((_, bytes)) = self.blobs.pop_front() {
            self.len -= bytes.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::Recent;

    #[test]
    fn the_least_recently_used_blob_makes_room() {
        let mut recent = Recent::of(10);
        let four = || Bytes::from_static(b"four");
        recent.insert("a".to_owned(), four());
        recent.insert("b".to_owned(), four());
        recent.insert("b".to_owned(), four());
        assert_eq!(recent.get("a"), Some(four()));

        recent.insert("c".to_owned(), four());

        assert_eq!(recent.get("b"), None);
        assert_eq!(recent.get("a"), Some(four()));
        assert_eq!(recent.get("c"), Some(four()));
        assert_eq!(recent.len, 8);
    }

    #[test]
    fn a_blob_larger_than_everything_is_not_kept() {
        let mut recent = Recent::of(3);

        recent.insert("a".to_owned(), Bytes::from_static(b"four"));

        assert_eq!((recent.get("a"), recent.len), (None, 0));
    }
}
