//! How often keys were used that are in the ring no more.

use aws_lc_rs::digest::{self, SHA256};

use crate::{Key, KeyRing};

/// Keys remembered. A source names few in the life of a process; this bounds one that does not.
const MAX: usize = 1024;

/// The uses of keys that left the ring, the last one at the end. Of a key there is its SHA-256: it has to be known
/// again under whatever id, and is wiped itself.
#[derive(Default)]
pub(super) struct Dropped(Vec<([u8; 32], Uses)>);

/// How often a key was used.
struct Uses {
    seals: u64,
    opens: u64,
    rejections: u64,
}

impl Dropped {
    /// Notes the keys of `former` that `next` does not have, and counts on with those that have
    /// come back.
    pub(super) fn exchange(&mut self, former: &KeyRing, next: &KeyRing) {
        for (_, key) in next.keys().filter(|(_, key)| !has(former, key)) {
            self.count_on(key);
        }
        for (_, key) in former.keys().filter(|(_, key)| !has(next, key)) {
            // It may have had two ids.
            if self.place(key).is_none() {
                self.0.push((sha256(key), Uses::of(key)));
            }
        }
        let surplus = self.0.len().saturating_sub(MAX);
        self.0.drain(..surplus);
    }

    fn count_on(&mut self, key: &Key) {
        let Some(place) = self.place(key) else {
            return;
        };
        let (_, uses) = self.0.remove(place);
        key.count_on(uses.seals, uses.opens, uses.rejections);
    }

    fn place(&self, key: &Key) -> Option<usize> {
        let wanted = sha256(key);
        self.0.iter().position(|(dropped, _)| *dropped == wanted)
    }
}

fn has(ring: &KeyRing, key: &Key) -> bool {
    ring.keys().any(|(_, other)| other.same_as(key))
}

fn sha256(key: &Key) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest::digest(&SHA256, key.as_bytes()).as_ref());
    hash
}

impl Uses {
    fn of(key: &Key) -> Self {
        Self {
            seals: key.seals(),
            opens: key.opens(),
            rejections: key.rejections(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Dropped, MAX, sha256};
    use crate::{Key, KeyRing};

    /// A ring of one key, another one for each number.
    fn ring(number: usize) -> KeyRing {
        KeyRing::new("a".parse().unwrap(), [("a".parse().unwrap(), key(number))]).unwrap()
    }

    fn key(number: usize) -> Key {
        let mut bytes = [1; 32];
        bytes[..8].copy_from_slice(&number.to_be_bytes());
        Key::from_bytes(&bytes).unwrap()
    }

    #[test]
    fn no_more_keys_are_remembered_than_is_useful() {
        let mut dropped = Dropped::default();
        let rings: Vec<_> = (0..MAX * 2).map(ring).collect();

        for pair in rings.windows(2) {
            dropped.exchange(&pair[0], &pair[1]);
        }

        assert_eq!(dropped.0.len(), MAX);
        assert_eq!(dropped.0[MAX - 1].0, sha256(&key(MAX * 2 - 2)));
    }
}
