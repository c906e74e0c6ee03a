//! Static tokens: random, and known here by their digest alone.

use std::{collections::HashSet, fmt};

use aws_lc_rs::{
    constant_time::verify_slices_are_equal,
    digest::{SHA256, SHA256_OUTPUT_LEN, digest},
    error::Unspecified,
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{
    error::Fault,
    principal::{Grants, Principal},
};

/// How a token begins, so that it is known where it turns up: in a scan for leaked secrets, or beside JSON Web Tokens.
pub const PREFIX: &str = "sealane_";

/// Bytes of randomness in a token. With 256 bits there is nothing to guess, so a digest needs neither salt nor slowness:
/// those are for passwords that people make up.
const RANDOM_LEN: usize = 32;

const MAX_NAME: usize = 64;

const EXPECTED: &str =
    r#"{"tokens": [{"name": …, "sha256": …, "grants": {NAMESPACE: "reader" or "writer"}}]}"#;

type Digest = [u8; SHA256_OUTPUT_LEN];

/// The tokens of a file.
pub(super) struct Tokens(Vec<(Digest, Principal)>);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    tokens: Vec<Entry>,
}

/// One token, as it stands in the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    sha256: String,
    #[serde(default)]
    grants: Grants,
}

impl Tokens {
    /// Returns whose token this is. Takes as long whichever it is, and if it is none.
    pub(super) fn find(&self, token: &str) -> Option<Principal> {
        let digest = sha256(token);
        let mut found = None;
        for (known, principal) in &self.0 {
            if verify_slices_are_equal(known, &digest).is_ok() {
                found = Some(principal);
            }
        }
        found.cloned()
    }
}

/// Shows how many there are.
impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} tokens", self.0.len())
    }
}

/// Reads a file of tokens.
pub(super) fn parse(content: &[u8]) -> Result<Tokens, Fault> {
    let document: Document =
        serde_json::from_slice(content).map_err(|error| Fault::json(&error, EXPECTED))?;
    let (mut names, mut digests) = (HashSet::new(), HashSet::new());
    let mut tokens = Vec::new();
    for (index, entry) in document.tokens.into_iter().enumerate() {
        let place = |field| format!("tokens[{index}].{field}");
        check_name(&entry.name).map_err(|_| Fault::new(place("name"), NAME))?;
        let digest = parse_digest(&entry.sha256);
        let digest = digest.ok_or_else(|| Fault::new(place("sha256"), "64 hexadecimal digits"))?;
        entry.grants.check(&place("grants"))?;
        if !names.insert(entry.name.clone()) {
            return Err(Fault::new(place("name"), "a name that no other token has"));
        }
        if !digests.insert(digest) {
            let expected = "the digest of a token that is not there already";
            return Err(Fault::new(place("sha256"), expected));
        }
        tokens.push((digest, Principal::token(&entry.name, entry.grants)));
    }
    Ok(Tokens(tokens))
}

fn parse_digest(text: &str) -> Option<Digest> {
    if text.len() != 2 * SHA256_OUTPUT_LEN || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    let mut digest = Digest::default();
    for (byte, at) in digest.iter_mut().zip((0..).step_by(2)) {
        *byte = u8::from_str_radix(&text[at..at + 2], 16).ok()?;
    }
    Some(digest)
}

fn sha256(token: &str) -> Digest {
    let mut bytes = Digest::default();
    bytes.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
    bytes
}

const NAME: &str = "a name of 1 to 64 characters without control characters";

/// The name of a token is empty, too long or not printable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected {NAME}")]
pub struct NameError;

fn check_name(name: &str) -> Result<(), NameError> {
    let is_name = (1..=MAX_NAME).contains(&name.chars().count());
    if is_name && !name.chars().any(char::is_control) {
        Ok(())
    } else {
        Err(NameError)
    }
}

/// A new token, and what belongs into the file of those who are to accept it.
pub struct IssuedToken {
    token: Zeroizing<String>,
    entry: Entry,
}

impl IssuedToken {
    /// Makes a token of 256 random bits, called `name` in logs.
    ///
    /// # Errors
    ///
    /// If the operating system supplies no random bytes, or `name` is not a name.
    pub fn generate(name: &str, grants: Grants) -> Result<Self, GenerateError> {
        check_name(name)?;
        let mut random = Zeroizing::new([0; RANDOM_LEN]);
        aws_lc_rs::rand::fill(random.as_mut_slice())?;
        let encoded = Zeroizing::new(BASE64_URL_SAFE_NO_PAD.encode(random));
        let token = Zeroizing::new([PREFIX, &encoded].concat());
        let sha256 = sha256(&token).into_iter().map(|byte| format!("{byte:02x}"));
        let entry = Entry {
            name: name.to_owned(),
            sha256: sha256.collect(),
            grants,
        };
        Ok(Self { token, entry })
    }

    /// Returns the token itself, which nothing else can tell: it is not in the [`entry`](Self::entry).
    pub fn secret(&self) -> &str {
        &self.token
    }

    /// Returns what goes into the list `tokens` of the file.
    pub fn entry(&self) -> impl Serialize + fmt::Debug {
        self.entry.clone()
    }
}

/// Shows the entry, not the token.
impl fmt::Debug for IssuedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("IssuedToken");
        shown.field("entry", &self.entry).finish_non_exhaustive()
    }
}

/// Why no token was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GenerateError {
    /// Choose another name.
    #[error(transparent)]
    Name(#[from] NameError),
    /// The operating system supplies no random bytes.
    #[error("the operating system supplies no random bytes")]
    Entropy(#[from] Unspecified),
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{super::Role, Grants, IssuedToken, PREFIX, parse, sha256};

    fn issued(name: &str) -> IssuedToken {
        let mut grants = Grants::default();
        grants.add("orders", Role::Writer);
        IssuedToken::generate(name, grants).unwrap()
    }

    #[test]
    fn a_token_is_found_by_its_digest_whatever_its_place() {
        let (ci, ada) = (issued("ci"), issued("ada"));
        let file = json!({ "tokens": [ci.entry(), ada.entry()] }).to_string();
        let tokens = parse(file.as_bytes()).unwrap();

        assert!(!file.contains(ci.secret()) && !format!("{ci:?}").contains(ci.secret()));
        assert_eq!(tokens.find(ci.secret()).unwrap().name(), "ci");
        let ada = tokens.find(ada.secret()).unwrap();
        assert!(ada.name() == "ada" && ada.may("orders", Role::Writer));
        for wrong in ["", PREFIX, &ci.secret()[1..], "sealane_AAAA"] {
            assert!(tokens.find(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn tokens_are_long_and_differ() {
        let (first, second) = (issued("ci"), issued("ci"));

        assert_eq!(first.secret().len(), PREFIX.len() + 43);
        assert_ne!(first.secret(), second.secret());
        assert!(IssuedToken::generate("", Grants::default()).is_err());
        assert!(IssuedToken::generate("a\nb", Grants::default()).is_err());
    }

    /// `printf abc | sha256sum`
    #[test]
    fn digests_are_those_of_other_tools() {
        let known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let upper = known.to_uppercase();
        for digest in [known, &upper] {
            let file = json!({ "tokens": [{ "name": "a", "sha256": digest }] }).to_string();
            assert!(parse(file.as_bytes()).unwrap().find("abc").is_some());
        }
        assert_eq!(sha256("abc")[..2], [0xba, 0x78]);
    }

    #[test]
    fn faults_name_a_place_and_quote_nothing() {
        let digest = "ab".repeat(32);
        let other = "cd".repeat(32);
        let token = |name: &str, sha256: &str| json!({ "name": name, "sha256": sha256 });
        let tokens = |tokens: &[serde_json::Value]| json!({ "tokens": tokens }).to_string();
        for (file, place) in [
            ("{ swordfish".to_owned(), "line 1, column 3"),
            (r#"{"tokens": "swordfish"}"#.to_owned(), "line 1, column 22"),
            (r#"{"swordfish": []}"#.to_owned(), "line 1, column 12"),
            (tokens(&[token("", &digest)]), "tokens[0].name"),
            (tokens(&[token("a", "swordfish")]), "tokens[0].sha256"),
            (tokens(&[token("a", &"é".repeat(32))]), "tokens[0].sha256"),
            (
                tokens(&[token("a", &digest), token("a", &other)]),
                "tokens[1].name",
            ),
            (
                tokens(&[token("a", &digest), token("b", &digest)]),
                "tokens[1].sha256",
            ),
            (
                tokens(&[json!({ "name": "a", "sha256": digest, "grants": { "": "reader" } })]),
                "tokens[0].grants",
            ),
        ] {
            let fault = parse(file.as_bytes()).unwrap_err().to_string();
            assert!(fault.starts_with(place), "{fault}");
            assert!(!fault.contains("swordfish"), "{fault}");
        }
        let unknown_role = json!({ "name": "a", "sha256": digest, "grants": { "x": "swordfish" } });
        let fault = parse(tokens(&[unknown_role]).as_bytes()).unwrap_err();
        assert!(!fault.to_string().contains("swordfish"), "{fault}");
    }
}
