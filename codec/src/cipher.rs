//! AES-GCM in place, over the layout `nonce ‖ ciphertext ‖ tag`.

use aes_gcm::{
    AeadInOut, Aes128Gcm, Aes256Gcm, AesGcm, Error, KeyInit,
    aead::{
        array::Array,
        consts::{U12, U16},
    },
    aes::Aes192,
};

/// Bytes of nonce in front of the ciphertext.
pub(crate) const NONCE_LEN: usize = 12;
/// Bytes of tag behind the ciphertext.
pub(crate) const TAG_LEN: usize = 16;

/// A nonce, never used twice with one key.
pub(crate) type Nonce = [u8; NONCE_LEN];

type Aes192Gcm = AesGcm<Aes192, U12>;

/// One expanded key. Boxed, so that moving it leaves no copy of the key schedule behind.
pub(crate) enum Cipher {
    Aes128(Box<Aes128Gcm>),
    Aes192(Box<Aes192Gcm>),
    Aes256(Box<Aes256Gcm>),
}

/// Why bytes could not be opened.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Unopened {
    /// Nonce and tag alone are longer than this.
    TooShort,
    /// The tag does not match: another key, or altered bytes.
    Rejected,
}

impl Cipher {
    /// Chooses the AES variant by the length of `key`; `None` if no variant has keys so long.
    pub(crate) fn new(key: &[u8]) -> Option<Self> {
        match key.len() {
            16 => expand(key).map(Self::Aes128),
            24 => expand(key).map(Self::Aes192),
            32 => expand(key).map(Self::Aes256),
            _ => None,
        }
    }

    /// Encrypts `text` in place and returns its tag.
    ///
    /// Fails only if `text` is longer than 2^36 bytes (64 GiB), AES-GCM's limit for one message.
    pub(crate) fn seal(&self, nonce: &Nonce, text: &mut [u8]) -> Result<[u8; TAG_LEN], Error> {
        match self {
            Self::Aes128(cipher) => encrypt(&**cipher, nonce, text),
            Self::Aes192(cipher) => encrypt(&**cipher, nonce, text),
            Self::Aes256(cipher) => encrypt(&**cipher, nonce, text),
        }
    }

    /// Checks and decrypts `sealed` in place and returns the part of it that is now plaintext.
    ///
    /// On failure `sealed` is what it was.
    pub(crate) fn open<'a>(&self, sealed: &'a mut [u8]) -> Result<&'a mut [u8], Unopened> {
        let (nonce, rest) = sealed.split_first_chunk_mut().ok_or(Unopened::TooShort)?;
        let (text, tag) = rest.split_last_chunk_mut().ok_or(Unopened::TooShort)?;
        let opened = match self {
            Self::Aes128(cipher) => decrypt(&**cipher, nonce, text, tag),
            Self::Aes192(cipher) => decrypt(&**cipher, nonce, text, tag),
            Self::Aes256(cipher) => decrypt(&**cipher, nonce, text, tag),
        };
        match opened {
            Ok(()) => Ok(text),
            Err(Error) => Err(Unopened::Rejected),
        }
    }
}

fn expand<C: KeyInit>(key: &[u8]) -> Option<Box<C>> {
    C::new_from_slice(key).ok().map(Box::new)
}

fn encrypt<C>(cipher: &C, nonce: &Nonce, text: &mut [u8]) -> Result<[u8; TAG_LEN], Error>
where
    C: AeadInOut<NonceSize = U12, TagSize = U16>,
{
    let tag = cipher.encrypt_inout_detached(&Array(*nonce), &[], text.into())?;
    Ok(tag.0)
}

fn decrypt<C>(cipher: &C, nonce: &Nonce, text: &mut [u8], tag: &[u8; TAG_LEN]) -> Result<(), Error>
where
    C: AeadInOut<NonceSize = U12, TagSize = U16>,
{
    cipher.decrypt_inout_detached(&Array(*nonce), &[], text.into(), &Array(*tag))
}
