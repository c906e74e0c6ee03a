//! Keys of the issuer, and their public halves as JWK: RFC 7517, RFC 7518.

use aws_lc_rs::{
    encoding::AsDer,
    hmac,
    rand::SystemRandom,
    rsa::{self, KeySize},
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
    },
};
use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use serde_json::{Value, json};

/// Where the modulus lies in the PKCS#1 form of a public key of 2048 bits: behind the headers of
/// the sequence (4 bytes) and the integer (4), and a zero that keeps the integer positive.
const MODULUS: std::ops::Range<usize> = 9..265;

/// Coordinates of a point of P-256 begin behind the byte that says that they are not compressed.
const COORDINATES: usize = 1;
const COORDINATE: usize = 32;

/// A key of 2048 bits with the exponent 65537.
pub(super) struct RsaKey {
    id: String,
    pair: RsaKeyPair,
}

impl RsaKey {
    pub(super) fn generate(id: &str) -> Self {
        Self {
            id: id.to_owned(),
            pair: rsa::KeyPair::generate(KeySize::Rsa2048).expect("a key can be made"),
        }
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// Signs by RS256.
    pub(super) fn sign(&self, text: &[u8]) -> Vec<u8> {
        let mut signature = vec![0; self.pair.public_modulus_len()];
        let random = SystemRandom::new();
        self.pair
            .sign(&RSA_PKCS1_SHA256, &random, text, &mut signature)
            .expect("the key can sign");
        signature
    }

    /// Signs by HS256, with the PEM of the public key for a secret.
    pub(super) fn sign_as_secret(&self, text: &[u8]) -> Vec<u8> {
        let secret = hmac::Key::new(hmac::HMAC_SHA256, self.pem().as_bytes());
        hmac::sign(&secret, text).as_ref().to_vec()
    }

    pub(super) fn jwk(&self) -> Value {
        let modulus = &self.pair.public_key().as_ref()[MODULUS];
        json!({
            "kty": "RSA",
            "use": "sig",
            "kid": self.id,
            "alg": "RS256",
            "n": BASE64_URL_SAFE_NO_PAD.encode(modulus),
            "e": "AQAB",
        })
    }

    fn pem(&self) -> String {
        let der = self.pair.public_key().as_der().expect("the key is valid");
        let text = BASE64_STANDARD.encode(der.as_ref());
        let lines: Vec<_> = text.as_bytes().chunks(64).collect();
        let text = String::from_utf8_lossy(&lines.join(&b'\n')).into_owned();
        format!("-----BEGIN PUBLIC KEY-----\n{text}\n-----END PUBLIC KEY-----\n")
    }
}

/// A key on P-256.
pub(super) struct EcKey {
    id: String,
    pair: EcdsaKeyPair,
}

impl EcKey {
    pub(super) fn generate(id: &str) -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING);
        Self {
            id: id.to_owned(),
            pair: pair.expect("a key can be made"),
        }
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// Signs by ES256.
    pub(super) fn sign(&self, text: &[u8]) -> Vec<u8> {
        let signature = self.pair.sign(&SystemRandom::new(), text);
        signature.expect("the key can sign").as_ref().to_vec()
    }

    pub(super) fn jwk(&self) -> Value {
        let point = &self.pair.public_key().as_ref()[COORDINATES..];
        let (x, y) = point.split_at(COORDINATE);
        json!({
            "kty": "EC",
            "crv": "P-256",
            "use": "sig",
            "kid": self.id,
            "x": BASE64_URL_SAFE_NO_PAD.encode(x),
            "y": BASE64_URL_SAFE_NO_PAD.encode(y),
        })
    }
}
