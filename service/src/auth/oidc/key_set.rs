//! The public keys of an issuer: [RFC 7517](https://www.rfc-editor.org/rfc/rfc7517).

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;
use serde_json::Value;

use super::{super::denied::Reason, algorithm::asymmetric};

/// Shorter RSA keys are within reach of an attacker with money ([RFC 7518], section 3.3, asks for as much).
///
/// [RFC 7518]: https://www.rfc-editor.org/rfc/rfc7518
const MIN_RSA_BITS: usize = 2048;

/// Keys of a set that are looked at. Issuers publish a handful.
const MAX_KEYS: usize = 100;

/// Algorithms by kind of key.
const RSA: [Algorithm; 6] = [
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
];
const P256: [Algorithm; 1] = [Algorithm::ES256];
const P384: [Algorithm; 1] = [Algorithm::ES384];
const ED25519: [Algorithm; 1] = [Algorithm::EdDSA];

/// Keys that can verify a token.
#[derive(Debug, Default)]
pub(super) struct KeySet(Vec<Key>);

/// One of them, and what it may be used for.
#[derive(Debug)]
struct Key {
    id: String,
    algorithms: Vec<Algorithm>,
    key: DecodingKey,
}

#[derive(Deserialize)]
struct Document {
    keys: Vec<Value>,
}

/// A key as published. Members that only other kinds of keys have are empty.
#[derive(Deserialize)]
struct Published {
    kty: String,
    kid: String,
    #[serde(rename = "use")]
    usage: Option<String>,
    key_ops: Option<Vec<String>>,
    alg: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

impl KeySet {
    /// Reads the keys of a document. Those that are of no use are left out: symmetric ones, those for encryption, RSA
    /// keys below 2048 bits, those without an id and what we cannot read. `None` if it is no key set.
    pub(super) fn parse(document: &[u8]) -> Option<Self> {
        let document: Document = serde_json::from_slice(document).ok()?;
        let keys = document.keys.into_iter().take(MAX_KEYS);
        let published = keys.filter_map(|key| serde_json::from_value(key).ok());
        Some(Self(published.filter_map(usable).collect()))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns whether a key is called `id`.
    pub(super) fn has(&self, id: &str) -> bool {
        self.0.iter().any(|key| key.id == id)
    }

    /// Returns the key called `id`, if it goes with `algorithm`.
    pub(super) fn find(&self, id: &str, algorithm: Algorithm) -> Result<&DecodingKey, Reason> {
        let mut called = self.0.iter().filter(|key| key.id == id).peekable();
        if called.peek().is_none() {
            return Err(Reason::Key);
        }
        let fitting = called.find(|key| key.algorithms.contains(&algorithm));
        fitting.map(|key| &key.key).ok_or(Reason::Algorithm)
    }
}

fn usable(published: Published) -> Option<Key> {
    if !published.is_for_signatures() {
        return None;
    }
    let (algorithms, key) = published.key()?;
    let algorithms = match &published.alg {
        Some(name) => {
            let only = asymmetric(name).filter(|named| algorithms.contains(named))?;
            vec![only]
        }
        None => algorithms.to_vec(),
    };
    Some(Key {
        id: published.kid,
        algorithms,
        key,
    })
}

impl Published {
    fn is_for_signatures(&self) -> bool {
        let used = self.usage.as_deref().is_none_or(|usage| usage == "sig");
        let mut operations = self.key_ops.iter().flatten();
        used && (self.key_ops.is_none() || operations.any(|operation| operation == "verify"))
    }

    fn key(&self) -> Option<(&'static [Algorithm], DecodingKey)> {
        let (x, y) = (self.x.as_deref(), self.y.as_deref());
        match (self.kty.as_str(), self.crv.as_deref()) {
            ("RSA", _) => {
                let (n, e) = (self.n.as_deref()?, self.e.as_deref()?);
                let key = DecodingKey::from_rsa_components(n, e).ok()?;
                (bits(n)? >= MIN_RSA_BITS).then_some((&RSA, key))
            }
            ("EC", Some("P-256")) => Some((&P256, DecodingKey::from_ec_components(x?, y?).ok()?)),
            ("EC", Some("P-384")) => Some((&P384, DecodingKey::from_ec_components(x?, y?).ok()?)),
            ("OKP", Some("Ed25519")) => Some((&ED25519, DecodingKey::from_ed_components(x?).ok()?)),
            _ => None,
        }
    }
}

/// Returns the length of a number in base64.
fn bits(number: &str) -> Option<usize> {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(number).ok()?;
    let first = bytes.iter().position(|byte| *byte != 0)?;
    let unused = usize::try_from(bytes[first].leading_zeros()).ok()?;
    Some(8 * (bytes.len() - first) - unused)
}

#[cfg(test)]
mod tests {
    use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
    use jsonwebtoken::Algorithm;
    use serde_json::{Value, json};

    use super::{KeySet, MAX_KEYS, Reason};

    fn rsa(id: &str, bytes: usize) -> Value {
        let n = BASE64_URL_SAFE_NO_PAD.encode(vec![0xff; bytes]);
        json!({ "kty": "RSA", "kid": id, "n": n, "e": "AQAB" })
    }

    fn with(mut key: Value, member: &str, value: impl Into<Value>) -> Value {
        key[member] = value.into();
        key
    }

    fn ec(curve: &str, len: usize) -> Value {
        let x = BASE64_URL_SAFE_NO_PAD.encode(vec![1; len]);
        json!({ "kty": "EC", "kid": "a", "crv": curve, "x": x, "y": x })
    }

    fn set(keys: &[Value]) -> KeySet {
        KeySet::parse(json!({ "keys": keys }).to_string().as_bytes()).unwrap()
    }

    #[test]
    fn keys_go_with_the_algorithms_of_their_kind() {
        use Algorithm::{ES256, ES384, EdDSA, HS256, PS512, RS256};

        let okp = json!({ "kty": "OKP", "kid": "a", "crv": "Ed25519", "x": "AQAB" });
        for (key, good, bad) in [
            (
                rsa("a", 256),
                &[RS256, PS512][..],
                &[ES256, EdDSA, HS256][..],
            ),
            (
                with(rsa("a", 256), "alg", "RS256"),
                &[RS256],
                &[PS512, HS256],
            ),
            (ec("P-256", 32), &[ES256], &[ES384, RS256, HS256]),
            (ec("P-384", 48), &[ES384], &[ES256, HS256]),
            (okp, &[EdDSA], &[ES256, HS256]),
        ] {
            let set = set(&[key]);
            for algorithm in good {
                assert!(set.find("a", *algorithm).is_ok(), "{algorithm:?}");
            }
            for algorithm in bad {
                let found = set.find("a", *algorithm).err();
                assert_eq!(found, Some(Reason::Algorithm), "{algorithm:?}");
            }
            assert_eq!(set.find("b", RS256).err(), Some(Reason::Key));
        }
    }

    #[test]
    fn keys_of_no_use_are_left_out() {
        let secret = json!({ "kty": "oct", "kid": "a", "k": "AAAA", "alg": "HS256" });
        let short = with(
            rsa("a", 256),
            "n",
            BASE64_URL_SAFE_NO_PAD.encode([&[0x7f][..], &[1; 255]].concat()),
        );
        let padded = with(
            rsa("a", 256),
            "n",
            BASE64_URL_SAFE_NO_PAD.encode([&[0; 200][..], &[1; 128]].concat()),
        );
        for key in [
            secret,
            short,
            padded,
            rsa("a", 128),
            with(rsa("a", 256), "use", "enc"),
            with(rsa("a", 256), "key_ops", json!(["encrypt"])),
            with(rsa("a", 256), "alg", "HS256"),
            with(rsa("a", 256), "alg", "RSA-OAEP"),
            with(rsa("a", 256), "kid", Value::Null),
            with(rsa("a", 256), "n", "not base64!"),
            ec("secp256k1", 32),
            json!("a"),
        ] {
            let set = set(&[key.clone(), rsa("good", 256)]);
            assert!(!set.has("a") && set.has("good"), "{key}");
        }
    }

    #[test]
    fn a_document_is_a_list_of_some_keys() {
        for document in ["", "[]", "{}", r#"{"keys": {}}"#, "<html>"] {
            assert!(KeySet::parse(document.as_bytes()).is_none(), "{document}");
        }
        let many: Vec<_> = (0..=MAX_KEYS).map(|id| rsa(&id.to_string(), 256)).collect();
        let set = set(&many);
        assert!(set.has("99") && !set.has("100"));
        assert!(KeySet::parse(br#"{"keys": []}"#).unwrap().is_empty());
    }
}
