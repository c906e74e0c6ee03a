//! The keys of these tests, and a cipher that is not ours, to seal what our own would never seal.

use std::sync::LazyLock;

use aes_gcm::{
    Aes128Gcm, Aes256Gcm, AesGcm, KeyInit,
    aead::{Aead, Nonce, consts::U12},
    aes::Aes192,
};
use base64::{Engine, prelude::BASE64_STANDARD};
use sealane_codec::{KeyRing, SharedKeyRing};

/// A key: its id, its length in bytes, and the byte it is filled with.
#[derive(Clone, Copy)]
pub(crate) struct TestKey {
    pub(crate) id: &'static str,
    len: usize,
    fill: u8,
}

/// One key for each variant of AES. The last one seals.
pub(crate) const KEYS: [TestKey; 3] = [
    TestKey::new("aes-128", 16, 1),
    TestKey::new("aes-192", 24, 2),
    TestKey::new("aes-256", 32, 3),
];

/// A data key, which is in no ring.
pub(crate) const DATA_KEY: TestKey = TestKey::new("data-key", 32, 4);

static RING: LazyLock<SharedKeyRing> = LazyLock::new(|| {
    let keys = KEYS.map(|key| format!(r#""{}":"{}""#, key.id, BASE64_STANDARD.encode(key.bytes())));
    let json = format!(r#"{{"active":"aes-256","keys":{{{}}}}}"#, keys.join(","));
    SharedKeyRing::new(KeyRing::from_json(&json).expect("three keys"))
});

/// A ring of all [`KEYS`].
pub(crate) fn ring() -> SharedKeyRing {
    RING.clone()
}

impl TestKey {
    const fn new(id: &'static str, len: usize, fill: u8) -> Self {
        Self { id, len, fill }
    }

    pub(crate) fn bytes(self) -> Vec<u8> {
        vec![self.fill; self.len]
    }

    /// Returns `nonce ‖ ciphertext ‖ tag`, always with the same nonce, so that one input is one case.
    pub(crate) fn seal(self, plain: &[u8]) -> Vec<u8> {
        let key = self.bytes();
        match self.len {
            16 => seal::<Aes128Gcm>(&key, plain),
            24 => seal::<AesGcm<Aes192, U12>>(&key, plain),
            _ => seal::<Aes256Gcm>(&key, plain),
        }
    }
}

fn seal<C: Aead + KeyInit>(key: &[u8], plain: &[u8]) -> Vec<u8> {
    let cipher = C::new_from_slice(key).expect("a length of AES");
    let nonce = Nonce::<C>::default();
    let sealed = cipher.encrypt(&nonce, plain).expect("a short text");
    [&nonce, sealed.as_slice()].concat()
}
