//! One encryption key.

use std::{
    fmt,
    sync::atomic::{AtomicU64, Ordering},
};

use aws_lc_rs::error::Unspecified;
use base64::{Engine, prelude::BASE64_STANDARD};
use rand::{TryRng, rngs::SysRng};
use zeroize::Zeroizing;

use crate::cipher::{Cipher, NONCE_LEN, Nonce, TAG_LEN, Unopened};

/// Room for decoding the longest key; longer input is refused before it is decoded.
const MAX_DECODED: usize = 48;

/// An AES key of 16, 24 or 32 bytes, wiped from memory when dropped and never printed.
pub struct Key {
    bytes: Zeroizing<Box<[u8]>>,
    cipher: Cipher,
    seals: AtomicU64,
    opens: AtomicU64,
    rejections: AtomicU64,
}

/// Why something is not a key. Says nothing of what it held.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The text is not base64 of the standard alphabet with padding.
    #[error("key is not valid base64, expected 16, 24 or 32 bytes in the standard alphabet")]
    Base64,

    /// No AES variant has keys of this length.
    #[error("key is {len} bytes long, expected 16, 24 or 32")]
    Length {
        /// Length found, in bytes.
        len: usize,
    },
}

/// The operating system supplied no random bytes; nothing was encrypted or generated.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the operating system supplied no random bytes: {reason}")]
#[non_exhaustive]
pub struct EntropyError {
    /// The operating system's own words.
    pub reason: String,
}

impl Key {
    /// Takes a key as raw bytes; their length decides between AES-128, AES-192 and AES-256.
    ///
    /// # Errors
    ///
    /// [`KeyError::Length`] unless there are 16, 24 or 32 of them.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KeyError> {
        let len = bytes.len();
        Ok(Self {
            cipher: Cipher::new(bytes).ok_or(KeyError::Length { len })?,
            bytes: Zeroizing::new(bytes.into()),
            seals: AtomicU64::new(0),
            opens: AtomicU64::new(0),
            rejections: AtomicU64::new(0),
        })
    }

    /// Reads a key from standard base64, ignoring white space around it.
    ///
    /// # Errors
    ///
    /// [`KeyError::Base64`] if `text` is anything else, [`KeyError::Length`] if it decodes to
    /// another length than 16, 24 or 32 bytes.
    pub fn from_base64(text: &str) -> Result<Self, KeyError> {
        let text = text.trim();
        let mut decoded = Zeroizing::new([0; MAX_DECODED]);
        if text.len() > MAX_DECODED / 3 * 4 {
            let len = base64::decoded_len_estimate(text.len());
            return Err(KeyError::Length { len });
        }
        let len = BASE64_STANDARD
            .decode_slice(text, decoded.as_mut_slice())
            .map_err(|_| KeyError::Base64)?;
        Self::from_bytes(&decoded[..len])
    }

    /// Makes a new AES-256 key from the operating system's random bytes.
    ///
    /// # Errors
    ///
    /// [`EntropyError`] if it supplies none.
    pub fn generate() -> Result<Self, EntropyError> {
        let mut bytes = Zeroizing::new([0; 32]);
        fill(bytes.as_mut_slice())?;
        Ok(Self::from_bytes(bytes.as_slice()).expect("AES-256 keys are 32 bytes long"))
    }

    /// Seals everything behind the first [`NONCE_LEN`] bytes of `buffer` under `nonce`, which is
    /// written into that room, and appends the tag. Needs no memory if there is room for the tag.
    pub(crate) fn seal(&self, nonce: &Nonce, buffer: &mut Vec<u8>) -> Result<(), Unspecified> {
        let (room, text) = buffer.split_at_mut(NONCE_LEN);
        room.copy_from_slice(nonce);
        let tag: [u8; TAG_LEN] = self.cipher.seal(nonce, text)?;
        buffer.extend_from_slice(&tag);
        Ok(())
    }

    /// Opens `sealed` in place and returns the plaintext within it.
    pub(crate) fn open<'a>(&self, sealed: &'a mut [u8]) -> Result<&'a mut [u8], Unopened> {
        let text = self.cipher.open(sealed);
        let count = if text.is_ok() {
            &self.opens
        } else {
            &self.rejections
        };
        count.fetch_add(1, Ordering::Relaxed);
        text
    }

    /// Counts one more payload to be sealed and returns how many that makes in this process.
    pub(crate) fn count_seal(&self) -> u64 {
        self.seals.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// How many payloads this process sealed under the key. Each used one random nonce.
    #[must_use]
    pub fn seals(&self) -> u64 {
        self.seals.load(Ordering::Relaxed)
    }

    /// How many payloads this process opened under the key.
    #[must_use]
    pub fn opens(&self) -> u64 {
        self.opens.load(Ordering::Relaxed)
    }

    /// How many payloads that name the key this process could not open under it: they were
    /// changed on the way, or another key has the same id.
    #[must_use]
    pub fn rejections(&self) -> u64 {
        self.rejections.load(Ordering::Relaxed)
    }

    /// Counts on from what was counted before, unless more has been counted since.
    pub(crate) fn count_on(&self, seals: u64, opens: u64, rejections: u64) {
        self.seals.fetch_max(seals, Ordering::Relaxed);
        self.opens.fetch_max(opens, Ordering::Relaxed);
        self.rejections.fetch_max(rejections, Ordering::Relaxed);
    }

    /// Whether both hold the same bytes. For noticing that a source has changed, not for
    /// checking what somebody presents: the time this takes depends on the bytes.
    pub(crate) fn same_as(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }

    /// The key itself, for wrapping it.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Appends the key to `out` in base64.
    pub(crate) fn write_base64(&self, out: &mut String) {
        BASE64_STANDARD.encode_string(&*self.bytes, out);
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(..)")
    }
}

/// Random bytes straight from the operating system.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], EntropyError> {
    let mut bytes = [0; N];
    fill(&mut bytes)?;
    Ok(bytes)
}

/// A secret is filled in where it stays: what is returned leaves a copy on the stack.
fn fill(bytes: &mut [u8]) -> Result<(), EntropyError> {
    let filled = SysRng.try_fill_bytes(bytes);
    filled.map_err(|error| EntropyError {
        reason: error.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::{Key, KeyError};

    #[test]
    fn what_does_not_open_is_counted_apart_from_what_does() {
        let (key, other) = (Key::generate().unwrap(), Key::generate().unwrap());
        let mut sealed = vec![0; super::NONCE_LEN];
        sealed.extend_from_slice(b"text");
        key.seal(&[1; super::NONCE_LEN], &mut sealed).unwrap();

        assert!(other.open(&mut sealed.clone()).is_err());
        assert!(key.open(&mut sealed).is_ok());

        assert_eq!((other.opens(), other.rejections()), (0, 1));
        assert_eq!((key.opens(), key.rejections()), (1, 0));
    }

    #[test]
    fn white_space_around_base64_is_ignored() {
        let key = Key::from_base64("\n AAECAwQFBgcICQoLDA0ODw== \r\n").unwrap();

        assert_eq!(&**key.bytes, (0..16).collect::<Vec<u8>>());
    }

    #[test]
    fn other_lengths_than_those_of_aes_are_refused() {
        for len in (0..64).filter(|len| ![16, 24, 32].contains(len)) {
            let error = Key::from_bytes(&vec![7; len]).unwrap_err();
            assert_eq!(error, KeyError::Length { len });
        }
    }

    #[test]
    fn a_key_of_31_bytes_in_base64_is_refused_with_its_length() {
        let error = Key::from_base64("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==").unwrap_err();

        assert_eq!(error, KeyError::Length { len: 31 });
    }

    #[test]
    fn text_that_is_no_base64_is_refused_without_repeating_it() {
        for text in [
            "hunter2",
            "AAECAwQFBgcICQoLDA0OD-==",
            "AAECAwQFBgcICQoLDA0ODw",
        ] {
            let error = Key::from_base64(text).unwrap_err();
            assert_eq!(error, KeyError::Base64);
            assert!(!error.to_string().contains(text));
        }
    }

    #[test]
    fn overlong_text_is_refused_by_length() {
        let error = Key::from_base64(&"A".repeat(100_000)).unwrap_err();

        assert!(matches!(error, KeyError::Length { len } if len > 70_000));
    }

    #[test]
    fn generated_keys_are_long_and_differ() {
        let (one, other) = (Key::generate().unwrap(), Key::generate().unwrap());

        assert_eq!(one.bytes.len(), 32);
        assert!(!one.same_as(&other));
    }
}
