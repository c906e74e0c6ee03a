//! How often keys were used that are in the ring no more.

use crate::{Key, KeyId, KeyRing};

/// Ids remembered. A source names few in the life of a process; this bounds one that does not.
const MAX: usize = 1024;

/// The uses of keys that left the ring, by id, the last one at the end. Not the keys: those are
/// wiped.
#[derive(Default)]
pub(super) struct Dropped(Vec<(KeyId, Uses)>);

/// How often a key was used.
struct Uses {
    seals: u64,
    opens: u64,
    rejections: u64,
}

impl Dropped {
    /// Notes the keys of `former` that `next` does not have, and counts on with those that have
    /// come back.
    ///
    /// Goes by the id alone. Another key under an old id is then taken to be used more than it is,
    /// which errs on the safe side.
    pub(super) fn exchange(&mut self, former: &KeyRing, next: &KeyRing) {
        for (id, key) in next.keys().filter(|(id, _)| !former.contains(id)) {
            self.count_on(id, key);
        }
        for (id, key) in former.keys().filter(|(id, _)| !next.contains(id)) {
            self.0.push((id.clone(), Uses::of(key)));
        }
        let surplus = self.0.len().saturating_sub(MAX);
        self.0.drain(..surplus);
    }

    fn count_on(&mut self, id: &KeyId, key: &Key) {
        let Some(place) = self.0.iter().position(|(dropped, _)| dropped == id) else {
            return;
        };
        let (_, uses) = self.0.remove(place);
        key.count_on(uses.seals, uses.opens, uses.rejections);
    }
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
    use super::{Dropped, MAX};
    use crate::{Key, KeyRing};

    fn ring(ids: &[&str]) -> KeyRing {
        let keys = ids.iter().map(|id| {
            let key = Key::from_bytes(&[1; 32]).unwrap();
            (id.parse().unwrap(), key)
        });
        KeyRing::new(ids[0].parse().unwrap(), keys).unwrap()
    }

    #[test]
    fn no_more_ids_are_remembered_than_is_useful() {
        let (mut dropped, ids) = (Dropped::default(), 0..MAX * 2);
        let rings: Vec<_> = ids.map(|n| ring(&[&n.to_string()])).collect();

        for pair in rings.windows(2) {
            dropped.exchange(&pair[0], &pair[1]);
        }

        assert_eq!(dropped.0.len(), MAX);
        assert_eq!(dropped.0[MAX - 1].0.as_str(), (MAX * 2 - 2).to_string());
    }
}
