//! How many payloads one key may seal.

use crate::{Key, KeyId, SealError};

/// Payloads that one key may seal with random 96-bit nonces before the chance of a nonce coming
/// twice exceeds 2^-32 (NIST SP 800-38D, section 8.3).
pub const NONCE_BUDGET: u64 = 1 << 32;

/// How many payloads this process seals under one key, and what happens then.
///
/// The budget of a key is shared by all processes that seal under it, but each counts for itself:
/// a fleet of 10 processes stays within [`NONCE_BUDGET`] with a limit of a tenth of it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SealLimit {
    /// Payloads per key, from `SEALANE_KEY_SEAL_LIMIT`. [`NONCE_BUDGET`] by default.
    pub seals: u64,
    /// What happens beyond them, from `SEALANE_KEY_EXHAUSTED`. Refused by default.
    pub exhausted: Exhausted,
}

/// What happens when a key has sealed as many payloads as it may.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Exhausted {
    /// Nothing more is sealed under it, so nothing more is sent until another key is active.
    #[default]
    Refuse,
    /// Sealing goes on, after a warning.
    Warn,
}

impl Default for SealLimit {
    fn default() -> Self {
        Self {
            seals: NONCE_BUDGET,
            exhausted: Exhausted::default(),
        }
    }
}

impl SealLimit {
    /// Counts one more payload under `key`, or refuses it.
    ///
    /// Warns once when half of the limit is used and once when all of it is: counting is atomic,
    /// so exactly one payload is the one that crosses either line.
    pub(crate) fn admit(&self, id: &KeyId, key: &Key) -> Result<(), SealError> {
        let refuse = self.exhausted == Exhausted::Refuse;
        if refuse && key.seals() >= self.seals {
            return Err(self.refusal(id));
        }
        let nth = key.count_seal();
        if nth == self.seals.div_ceil(2) {
            tracing::warn!(key.id = %id, key.seals = nth, key.limit = self.seals, "half of what this key may seal is used, rotate it");
        }
        if nth == self.seals {
            tracing::warn!(key.id = %id, key.limit = self.seals, key.refused = refuse, "this key has sealed as many payloads as it may, rotate it now");
        }
        if refuse && nth > self.seals {
            return Err(self.refusal(id));
        }
        Ok(())
    }

    fn refusal(&self, id: &KeyId) -> SealError {
        SealError::Exhausted {
            id: id.clone(),
            limit: self.seals,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Exhausted, SealLimit};
    use crate::{Key, KeyId, SealError};

    fn admitted(limit: SealLimit, attempts: usize) -> (Vec<Result<(), SealError>>, Key) {
        let (id, key): (KeyId, _) = ("a".parse().unwrap(), Key::from_bytes(&[1; 32]).unwrap());
        let results = (0..attempts).map(|_| limit.admit(&id, &key)).collect();
        (results, key)
    }

    #[test]
    fn a_key_seals_up_to_its_limit_and_no_further() {
        let limit = SealLimit {
            seals: 3,
            exhausted: Exhausted::Refuse,
        };

        let (results, key) = admitted(limit, 10);

        assert!(results[..3].iter().all(Result::is_ok));
        for refused in &results[3..] {
            let text = refused.as_ref().unwrap_err().to_string();
            assert!(
                text.contains(r#""a""#) && text.contains("rotate") && text.contains('3'),
                "{text}"
            );
        }
        assert!(
            key.seals() <= 4,
            "refused payloads are not counted for ever"
        );
    }

    #[test]
    fn a_lenient_limit_goes_on_counting() {
        let limit = SealLimit {
            seals: 3,
            exhausted: Exhausted::Warn,
        };

        let (results, key) = admitted(limit, 10);

        assert!(results.iter().all(Result::is_ok));
        assert_eq!(key.seals(), 10);
    }
}
