//! Unwrapped data keys, the least recently used of which make room for new ones.

use std::{collections::HashMap, sync::Arc};

use super::Reference;
use crate::Key;

/// At most so many data keys. A key is wiped when it leaves the cache.
pub(super) struct Cache {
    capacity: usize,
    entries: HashMap<Reference, Entry>,
    clock: u64,
}

struct Entry {
    key: Arc<Key>,
    used: u64,
}

impl Cache {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            capacity,
            entries: HashMap::new(),
            clock: 0,
        }
    }

    pub(super) fn get(&mut self, reference: &Reference) -> Option<Arc<Key>> {
        let entry = self.entries.get_mut(reference)?;
        self.clock += 1;
        entry.used = self.clock;
        Some(Arc::clone(&entry.key))
    }

    pub(super) fn contains(&self, reference: &Reference) -> bool {
        self.entries.contains_key(reference)
    }

    pub(super) fn insert(&mut self, reference: Reference, key: Arc<Key>) {
        self.clock += 1;
        let used = self.clock;
        self.entries.insert(reference, Entry { key, used });
        while self.entries.len() > self.capacity {
            self.evict();
        }
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Looks at every entry, which takes microseconds: one is added only after a request to Key
    /// Vault, which takes milliseconds.
    fn evict(&mut self) {
        let oldest = self.entries.iter().min_by_key(|(_, entry)| entry.used);
        if let Some(reference) = oldest.map(|(reference, _)| reference.clone()) {
            self.entries.remove(&reference);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{Cache, Reference};
    use crate::Key;

    fn reference(n: u8) -> Reference {
        Reference::new(b"kek", &[n])
    }

    fn filled(capacity: usize, count: u8) -> (Cache, Vec<Arc<Key>>) {
        let mut cache = Cache::new(capacity);
        let keys: Vec<_> = (0..count)
            .map(|n| Arc::new(Key::from_bytes(&[n; 32]).unwrap()))
            .collect();
        for (n, key) in (0..).zip(&keys) {
            cache.insert(reference(n), Arc::clone(key));
        }
        (cache, keys)
    }

    #[test]
    fn the_cache_never_holds_more_than_its_capacity() {
        let (cache, keys) = filled(3, 100);

        assert_eq!(cache.len(), 3);
        assert!((97..100).all(|n| cache.contains(&reference(n))));
        let held = keys.iter().filter(|key| Arc::strong_count(key) > 1);
        assert_eq!(
            held.count(),
            3,
            "evicted keys are dropped, which wipes them"
        );
    }

    #[test]
    fn what_was_used_last_stays() {
        let (mut cache, _) = filled(3, 3);
        assert!(cache.get(&reference(0)).is_some());

        cache.insert(reference(9), Arc::new(Key::from_bytes(&[9; 32]).unwrap()));

        assert!(cache.contains(&reference(0)));
        assert!(!cache.contains(&reference(1)));
    }

    #[test]
    fn one_wrapped_key_under_two_names_is_two_entries() {
        assert!(Reference::new(b"ab", b"c") != Reference::new(b"a", b"bc"));
    }
}
