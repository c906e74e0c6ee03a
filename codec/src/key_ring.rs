//! One key that encrypts, and any number that only decrypt.

mod error;
mod json;

#[cfg(test)]
mod known_answer_tests;

use std::{
    collections::{BTreeMap, HashMap, btree_map::Entry},
    fmt,
    sync::Arc,
};

use temporalio_common::protos::temporal::api::common::v1::Payload;

pub use error::{KeyRingError, OpenError, SealError};

use crate::{
    Key, KeyId, SealLimit,
    cipher::Nonce,
    key::random,
    metadata::{ENCODING, ENCRYPTED, KEY_ID, WRAPPED_KEY, encoding, excerpt, is_encrypted},
    sealed,
};

/// The keys of one process: the active one seals, all of them open.
///
/// A ring does not change; [`SharedKeyRing`](crate::SharedKeyRing) swaps whole rings.
pub struct KeyRing {
    active: KeyId,
    active_key: Arc<Key>,
    keys: BTreeMap<KeyId, Arc<Key>>,
}

impl KeyRing {
    /// Makes a ring of `keys` that seals under the one called `active`.
    ///
    /// A key that comes under two ids is one, with one count of its uses: the limit is the key's, whatever it is called.
    ///
    /// # Errors
    ///
    /// [`KeyRingError::Duplicate`] if an id comes twice, [`KeyRingError::NoActive`] if `active`
    /// is not among `keys`.
    pub fn new<K: Into<Arc<Key>>>(
        active: KeyId,
        keys: impl IntoIterator<Item = (KeyId, K)>,
    ) -> Result<Self, KeyRingError> {
        let mut by_id = BTreeMap::<KeyId, Arc<Key>>::new();
        for (id, key) in keys {
            let key = key.into();
            let known = by_id.values().find(|it| it.same_as(&key)).cloned();
            match by_id.entry(id) {
                Entry::Vacant(place) => place.insert(known.unwrap_or(key)),
                Entry::Occupied(taken) => {
                    return Err(KeyRingError::Duplicate {
                        id: taken.key().clone(),
                    });
                }
            };
        }
        let Some(active_key) = by_id.get(&active).cloned() else {
            let known = error::list(by_id.keys());
            return Err(KeyRingError::NoActive { active, known });
        };
        Ok(Self {
            active,
            active_key,
            keys: by_id,
        })
    }

    /// Id of the key that seals.
    #[must_use]
    pub fn active(&self) -> &KeyId {
        &self.active
    }

    /// Ids of all keys, the active one included, in order.
    pub fn ids(&self) -> impl Iterator<Item = &KeyId> {
        self.keys.keys()
    }

    /// Whether the ring holds a key called `id`.
    #[must_use]
    pub fn contains(&self, id: &KeyId) -> bool {
        self.keys.contains_key(id)
    }

    /// Each id with its key, which knows how often this process used it.
    pub fn keys(&self) -> impl Iterator<Item = (&KeyId, &Key)> {
        self.keys.iter().map(|(id, key)| (id, &**key))
    }

    /// Encrypts the whole of `payload`, metadata included, under the active key.
    ///
    /// The layout is described at the [crate root](crate). The data of the result is always 28
    /// bytes longer than the serialised `payload` and costs one allocation.
    ///
    /// # Errors
    ///
    /// [`SealError::Entropy`] if the operating system supplies no nonce, [`SealError::TooLong`]
    /// if the serialised payload exceeds 64 GiB, [`SealError::Exhausted`] once the key has sealed
    /// [`NONCE_BUDGET`](crate::NONCE_BUDGET) payloads.
    pub fn seal(&self, payload: &Payload) -> Result<Payload, SealError> {
        self.seal_within(&SealLimit::default(), payload)
    }

    /// [`seal`](Self::seal) with a limit other than the default.
    pub(crate) fn seal_within(
        &self,
        limit: &SealLimit,
        payload: &Payload,
    ) -> Result<Payload, SealError> {
        limit.admit(&self.active, &self.active_key)?;
        self.seal_with(&random()?, payload)
    }

    /// [`seal`](Self::seal) with a given nonce, which must never have been used with this key.
    fn seal_with(&self, nonce: &Nonce, payload: &Payload) -> Result<Payload, SealError> {
        Ok(Payload {
            metadata: self.metadata(),
            data: sealed::seal(&self.active_key, nonce, payload)?,
            ..Payload::default()
        })
    }

    /// What the server gets to know about a payload sealed under the active key.
    fn metadata(&self) -> HashMap<String, Vec<u8>> {
        HashMap::from([
            (ENCODING.to_owned(), ENCRYPTED.into()),
            (KEY_ID.to_owned(), self.active.as_str().into()),
        ])
    }

    /// Decrypts a payload of encoding `binary/encrypted` under the key it names.
    ///
    /// # Errors
    ///
    /// See [`OpenError`]; every variant but [`OpenError::UnknownKey`] stays an error on retry.
    pub fn open(&self, payload: &Payload) -> Result<Payload, OpenError> {
        self.open_in_place(payload.clone())
    }

    /// [`open`](Self::open), decrypting in the payload's own buffer.
    pub(crate) fn open_in_place(&self, payload: Payload) -> Result<Payload, OpenError> {
        let (id, key) = self.key_of(&payload)?;
        sealed::open(key, id, payload.data)
    }

    /// Finds the key that `payload` names.
    fn key_of(&self, payload: &Payload) -> Result<(&KeyId, &Key), OpenError> {
        if !is_encrypted(payload) {
            let encoding = excerpt(encoding(payload));
            return Err(OpenError::NotEncrypted { encoding });
        }
        let id = payload.metadata.get(KEY_ID);
        let id = id.ok_or(OpenError::MissingKeyId)?.as_slice();
        if payload.metadata.contains_key(WRAPPED_KEY) {
            return Err(OpenError::Envelope { id: excerpt(id) });
        }
        let key = str::from_utf8(id).ok().and_then(|id| self.key(id));
        key.ok_or_else(|| OpenError::UnknownKey {
            id: excerpt(id),
            known: error::list(self.ids()),
        })
    }

    /// The key called `id`, with that id as the ring holds it.
    pub(crate) fn key(&self, id: &str) -> Option<(&KeyId, &Key)> {
        let (id, key) = self.keys.get_key_value(id)?;
        Some((id, key))
    }

    /// Takes over keys that `former` holds as well, so that their uses are counted on.
    pub(crate) fn keep_counts(&mut self, former: &Self) {
        for key in self.keys.values_mut() {
            if let Some(known) = former.keys.values().find(|it| it.same_as(key)) {
                *key = Arc::clone(known);
            }
        }
        self.active_key = Arc::clone(&self.keys[&self.active]);
    }

    /// Whether both seal under the same key and open with the same keys.
    pub(crate) fn same_as(&self, other: &Self) -> bool {
        self.active == other.active
            && self.keys.len() == other.keys.len()
            && self
                .keys
                .iter()
                .zip(&other.keys)
                .all(|((id, key), (other_id, other_key))| id == other_id && key.same_as(other_key))
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyRing")
            .field("active", &self.active)
            .field("ids", &self.keys.keys())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::{KeyRing, KeyRingError};
    use crate::{Key, KeyId};

    fn id(id: &str) -> KeyId {
        id.parse().unwrap()
    }

    fn key(fill: u8) -> Key {
        Key::from_bytes(&[fill; 32]).unwrap()
    }

    #[test]
    fn the_active_key_must_be_among_the_keys() {
        let error = KeyRing::new(id("b"), [(id("a"), key(1))]).unwrap_err();

        assert_eq!(
            error.to_string(),
            r#"active key "b" is not in the key ring, which holds "a""#
        );
    }

    #[test]
    fn one_id_cannot_name_two_keys() {
        let keys = [(id("a"), key(1)), (id("a"), key(2))];

        let error = KeyRing::new(id("a"), keys).unwrap_err();

        assert!(matches!(error, KeyRingError::Duplicate { id } if id.as_str() == "a"));
    }

    #[test]
    fn rings_are_the_same_only_with_the_same_ids_keys_and_active_key() {
        let ring = |active: &str, fill| {
            KeyRing::new(id(active), [(id("a"), key(1)), (id("b"), key(fill))]).unwrap()
        };

        assert!(ring("a", 2).same_as(&ring("a", 2)));
        assert!(!ring("a", 2).same_as(&ring("b", 2)));
        assert!(!ring("a", 2).same_as(&ring("a", 3)));
        assert!(!ring("a", 2).same_as(&KeyRing::new(id("a"), [(id("a"), key(1))]).unwrap()));
    }
}
