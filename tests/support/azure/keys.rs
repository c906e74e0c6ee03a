//! Key Vault's keys: RSA-2048, with real cryptography.

use aws_lc_rs::{
    encoding::{AsDer, PublicKeyX509Der},
    rsa::{
        KeySize, OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OaepAlgorithm,
        OaepPrivateDecryptingKey, OaepPublicEncryptingKey, PrivateDecryptingKey,
    },
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::{
    Endpoint, VAULT_URL, asked::Asked, random, refusal, reply::Reply, state::State, vault,
    version::Attributes,
};

/// A version of a key.
pub(super) struct KeyVersion {
    pub(super) version: String,
    pub(super) attributes: Attributes,
    private: PrivateDecryptingKey,
}

impl KeyVersion {
    pub(super) fn generate(now: std::time::SystemTime) -> Self {
        let private = PrivateDecryptingKey::generate(KeySize::Rsa2048);
        Self {
            version: random::hex(),
            attributes: Attributes::new(now),
            private: private.expect("a key can be generated"),
        }
    }

    /// Modulus and exponent. The DER of an RSA-2048 public key with exponent 65537 always has this layout
    /// (RFC 3279, section 2.3.1): a head of 33 bytes, the modulus, two bytes, the exponent.
    fn public(&self) -> (String, String) {
        let der: PublicKeyX509Der<'_> = self
            .private
            .public_key()
            .as_der()
            .expect("a key can be written");
        let encode = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
        let der = der.as_ref();
        (encode(&der[33..289]), encode(&der[291..294]))
    }

    fn bundle(&self, name: &str) -> Reply {
        let (n, e) = self.public();
        let operations = ["encrypt", "decrypt", "wrapKey", "unwrapKey"];
        let key = json!({
            "kid": id(name, &self.version), "kty": "RSA", "key_ops": operations, "n": n, "e": e,
        });
        Reply::json(
            200,
            &json!({ "key": key, "attributes": self.attributes.json() }),
        )
    }

    fn encrypt(&self, algorithm: &'static OaepAlgorithm, value: &[u8]) -> Option<Vec<u8>> {
        let key = OaepPublicEncryptingKey::new(self.private.public_key()).ok()?;
        let mut sealed = vec![0; key.ciphertext_size()];
        let sealed = key.encrypt(algorithm, value, &mut sealed, None).ok()?;
        Some(sealed.to_vec())
    }

    fn decrypt(&self, algorithm: &'static OaepAlgorithm, value: &[u8]) -> Option<Vec<u8>> {
        let key = OaepPrivateDecryptingKey::new(self.private.clone()).ok()?;
        let mut opened = vec![0; key.min_output_size()];
        let opened = key.decrypt(algorithm, value, &mut opened, None).ok()?;
        Some(opened.to_vec())
    }
}

/// The public half; the newest if `version` is none.
pub(super) fn get(state: &State, name: &str, version: Option<&str>) -> Result<Reply, Reply> {
    Ok(find(state, name, version, Endpoint::GetKey)?.bundle(name))
}

/// The versions of a key, in the order of their random names.
pub(super) fn versions(state: &State, name: &str, asked: &Asked) -> Reply {
    let mut versions: Vec<_> = state.keys.get(name).into_iter().flatten().collect();
    versions.sort_by_key(|version| &version.version);
    let items = versions.into_iter().map(|version| {
        json!({ "kid": id(name, &version.version), "attributes": version.attributes.json() })
    });
    vault::page(state, asked, items.collect())
}

/// A new version.
pub(super) fn create(state: &mut State, name: &str, request: &Value) -> Result<Reply, Reply> {
    if request["kty"] != "RSA" {
        return Err(refusal::bad_parameter("Property 'kty' is not supported."));
    }
    let new = KeyVersion::generate(state.now());
    let reply = new.bundle(name);
    state.keys.entry(name.to_owned()).or_default().push(new);
    Ok(reply)
}

/// Wrap, unwrap, encrypt or decrypt.
pub(super) fn operate(
    state: &State,
    name: &str,
    version: Option<&str>,
    endpoint: Endpoint,
    request: &Value,
) -> Result<Reply, Reply> {
    let key = find(state, name, version, endpoint)?;
    if !key.attributes.enabled {
        return Err(refusal::disabled(endpoint));
    }
    let refused = || refusal::bad_parameter("The parameter is incorrect.\r\n");
    let algorithm = algorithm(&request["alg"]).ok_or_else(refused)?;
    let value = request["value"]
        .as_str()
        .and_then(|it| BASE64_URL_SAFE_NO_PAD.decode(it).ok());
    let value = value.ok_or_else(refused)?;
    let result = match endpoint {
        Endpoint::Wrap | Endpoint::Encrypt => key.encrypt(algorithm, &value),
        _ => key.decrypt(algorithm, &value),
    };
    let result = BASE64_URL_SAFE_NO_PAD.encode(result.ok_or_else(refused)?);
    let kid = id(name, &key.version);
    Ok(Reply::json(200, &json!({ "kid": kid, "value": result })))
}

fn algorithm(name: &Value) -> Option<&'static OaepAlgorithm> {
    match name.as_str()? {
        "RSA-OAEP" => Some(&OAEP_SHA1_MGF1SHA1),
        "RSA-OAEP-256" => Some(&OAEP_SHA256_MGF1SHA256),
        _ => None,
    }
}

fn find<'a>(
    state: &'a State,
    name: &str,
    version: Option<&str>,
    endpoint: Endpoint,
) -> Result<&'a KeyVersion, Reply> {
    let mut versions = state.keys.get(name).into_iter().flatten();
    let found = match version {
        Some(wanted) => versions.find(|it| it.version == wanted),
        None => versions.max_by_key(|it| it.attributes.created),
    };
    found.ok_or_else(|| refusal::not_found(endpoint, name))
}

fn id(name: &str, version: &str) -> String {
    format!("{VAULT_URL}/keys/{name}/{version}")
}
