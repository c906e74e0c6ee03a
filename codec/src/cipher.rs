//! AES-GCM in place, over the layout `nonce ‖ ciphertext ‖ tag`.

use aws_lc_rs::{
    aead::{self, AES_128_GCM, AES_192_GCM, AES_256_GCM, Aad, LessSafeKey, UnboundKey},
    error::Unspecified,
};

/// Bytes of nonce in front of the ciphertext.
pub(crate) const NONCE_LEN: usize = 12;
/// Bytes of tag behind the ciphertext.
pub(crate) const TAG_LEN: usize = 16;

/// A nonce, never used twice with one key.
pub(crate) type Nonce = [u8; NONCE_LEN];

/// One expanded key. aws-lc keeps the key schedule on the heap, where nothing moves it, and wipes
/// what it frees.
///
/// The key is "less safe" in that whoever calls chooses the nonces.
pub(crate) struct Cipher(LessSafeKey);

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
        let algorithm = match key.len() {
            16 => &AES_128_GCM,
            24 => &AES_192_GCM,
            32 => &AES_256_GCM,
            _ => return None,
        };
        let key = UnboundKey::new(algorithm, key).ok()?;
        Some(Self(LessSafeKey::new(key)))
    }

    /// Encrypts `text` in place and returns its tag.
    ///
    /// Fails only if `text` is longer than 2^36 bytes (64 GiB), AES-GCM's limit for one message.
    pub(crate) fn seal(
        &self,
        nonce: &Nonce,
        text: &mut [u8],
    ) -> Result<[u8; TAG_LEN], Unspecified> {
        let nonce = aead::Nonce::assume_unique_for_key(*nonce);
        let tag = self
            .0
            .seal_in_place_separate_tag(nonce, Aad::empty(), text)?;
        tag.as_ref().try_into().map_err(|_| Unspecified)
    }

    /// Checks and decrypts `sealed` in place and returns the part of it that is now plaintext.
    ///
    /// What is rejected is lost, and no plaintext is left in its place.
    pub(crate) fn open<'a>(&self, sealed: &'a mut [u8]) -> Result<&'a mut [u8], Unopened> {
        let (nonce, rest) = sealed.split_first_chunk_mut().ok_or(Unopened::TooShort)?;
        if rest.len() < TAG_LEN {
            return Err(Unopened::TooShort);
        }
        let nonce = aead::Nonce::assume_unique_for_key(*nonce);
        let opened = self.0.open_in_place(nonce, Aad::empty(), rest);
        opened.map_err(|_| Unopened::Rejected)
    }
}

#[cfg(test)]
mod tests {
    use aes_gcm::{
        Aes128Gcm, Aes256Gcm, AesGcm, KeyInit, Nonce,
        aead::{Aead, consts::U12},
        aes::Aes192,
    };
    use proptest::{collection::vec, prelude::*};

    use super::{Cipher, NONCE_LEN, TAG_LEN, Unopened};

    /// Seals with somebody else's AES-GCM.
    fn elsewhere<C: Aead<NonceSize = U12> + KeyInit>(
        key: &[u8],
        nonce: [u8; NONCE_LEN],
        text: &[u8],
    ) -> Vec<u8> {
        let cipher = C::new_from_slice(key).unwrap();
        let sealed = cipher.encrypt(&Nonce::from(nonce), text).unwrap();
        [nonce.as_slice(), &sealed].concat()
    }

    proptest! {
        // Long enough for each of the loops an assembler may have for so many blocks at once.
        #[test]
        fn it_seals_and_opens_as_another_implementation_does(
            key in prop_oneof![vec(any::<u8>(), 16), vec(any::<u8>(), 24), vec(any::<u8>(), 32)],
            nonce: [u8; NONCE_LEN],
            text in vec(any::<u8>(), 0..5000),
        ) {
            let mut theirs = match key.len() {
                16 => elsewhere::<Aes128Gcm>(&key, nonce, &text),
                24 => elsewhere::<AesGcm<Aes192, U12>>(&key, nonce, &text),
                _ => elsewhere::<Aes256Gcm>(&key, nonce, &text),
            };
            let cipher = Cipher::new(&key).unwrap();

            let mut sealed = text.clone();
            let tag = cipher.seal(&nonce, &mut sealed).unwrap();
            prop_assert_eq!([nonce.as_slice(), &sealed, &tag].concat(), theirs.clone());
            prop_assert_eq!(cipher.open(&mut theirs).map(|it| it.to_vec()), Ok(text));
        }

        #[test]
        fn nothing_is_opened_of_what_was_altered(text in vec(any::<u8>(), 0..500), place: prop::sample::Index, bit in 0..8_u8) {
            let cipher = Cipher::new(&[7; 32]).unwrap();
            let mut sealed = elsewhere::<Aes256Gcm>(&[7; 32], [1; NONCE_LEN], &text);
            *place.get_mut(&mut sealed) ^= 1 << bit;

            prop_assert_eq!(cipher.open(&mut sealed), Err(Unopened::Rejected));
            // Shorter ones may be in there by chance.
            if text.len() >= 8 {
                prop_assert!(!sealed.windows(text.len()).any(|it| it == text));
            }
        }
    }

    #[test]
    fn less_than_nonce_and_tag_is_too_short() {
        let cipher = Cipher::new(&[7; 32]).unwrap();

        for len in 0..NONCE_LEN + TAG_LEN {
            assert_eq!(
                cipher.open(&mut vec![0; len]),
                Err(Unopened::TooShort),
                "{len}"
            );
        }
        let just = cipher
            .open(&mut [0; NONCE_LEN + TAG_LEN])
            .map(|text| text.len());
        assert_eq!(just, Err(Unopened::Rejected));
    }
}
