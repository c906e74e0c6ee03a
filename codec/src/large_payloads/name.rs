//! Names of blobs: a namespace, and the SHA-256 of what is in the blob.

use std::fmt;

use aws_lc_rs::digest;

/// Bytes of a SHA-256.
const HASH: usize = 32;

/// `v0/ns/<namespace>/d/sha256/<hex>`, as Temporal's own storage drivers for other clouds name
/// objects. A role can be limited to the blobs of one namespace by their prefix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct BlobName {
    /// Escaped.
    namespace: String,
    hash: [u8; HASH],
}

impl BlobName {
    /// The name of the blob in `namespace` that holds `bytes`.
    pub(super) fn of(namespace: &str, bytes: &[u8]) -> Self {
        Self {
            namespace: escaped(namespace),
            hash: sha256(bytes),
        }
    }

    /// Reads a name, if it is one and written as we write them.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (namespace, hash) = text.strip_prefix("v0/ns/")?.split_once("/d/sha256/")?;
        let is_segment =
            !namespace.is_empty() && namespace.bytes().all(|it| is_safe(it) || it == b'%');
        let hash = is_segment.then(|| from_hex(hash)).flatten()?;
        let namespace = namespace.to_owned();
        Some(Self { namespace, hash })
    }

    /// Whether it is in `namespace`.
    pub(super) fn is_of(&self, namespace: &str) -> bool {
        self.namespace == escaped(namespace)
    }

    /// Whether it is the name of a blob that holds `bytes`.
    pub(super) fn fits(&self, bytes: &[u8]) -> bool {
        self.hash == sha256(bytes)
    }

    /// The SHA-256 in hexadecimal.
    pub(super) fn hash(&self) -> String {
        self.hash.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl fmt::Display for BlobName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "v0/ns/{}/d/sha256/{}", self.namespace, self.hash())
    }
}

fn sha256(bytes: &[u8]) -> [u8; HASH] {
    let digest = digest::digest(&digest::SHA256, bytes);
    let mut hash = [0; HASH];
    hash.copy_from_slice(digest.as_ref());
    hash
}

/// Lower case only: two texts for one blob would be two names for it.
fn from_hex(text: &str) -> Option<[u8; HASH]> {
    let digit = |c: u8| match c {
        b'0'..=b'9' => Some(c - b'0'),
        b'a'..=b'f' => Some(c - b'a' + 10),
        _ => None,
    };
    let mut hash = [0; HASH];
    let pairs = text.as_bytes().chunks(2);
    if text.len() != 2 * HASH {
        return None;
    }
    for (byte, pair) in hash.iter_mut().zip(pairs) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(hash)
}

/// Escapes what is neither a letter nor a digit nor one of a few marks, a slash above all: no
/// namespace can look like another, or like a path in it.
fn escaped(namespace: &str) -> String {
    let mut escaped = String::with_capacity(namespace.len());
    for byte in namespace.bytes() {
        if is_safe(byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}

fn is_safe(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.')
}

#[cfg(test)]
mod tests {
    use super::BlobName;

    #[test]
    fn a_name_holds_namespace_and_hash() {
        let name = BlobName::of("orders.a1b2c", b"abc");

        // The hash is the first example of FIPS 180-4.
        let text = "v0/ns/orders.a1b2c/d/sha256/ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(name.to_string(), text);
        assert_eq!(BlobName::parse(text), Some(name));
    }

    #[test]
    fn namespaces_cannot_be_mistaken_for_each_other() {
        let names = ["a", "a/d/sha256", "a%2F", "A", "ä", "a b", "..", "a\u{0}"];
        for one in names {
            let name = BlobName::of(one, b"x");
            for other in names {
                assert_eq!(name.is_of(other), one == other, "{one:?} {other:?}");
            }
            assert_eq!(BlobName::parse(&name.to_string()), Some(name), "{one:?}");
        }
    }

    #[test]
    fn what_is_written_otherwise_is_no_name() {
        let hash = "ab".repeat(32);
        for text in [
            format!("v0/ns//d/sha256/{hash}"),
            format!("v0/ns/a/b/d/sha256/{hash}"),
            format!("v0/ns/a/d/sha256/{}", hash.to_uppercase()),
            format!("v0/ns/a/d/sha256/{hash}ab"),
            format!("v0/ns/a/d/sha256/{}", &hash[2..]),
            format!("v0/ns/a/d/sha256/{}é", &hash[2..]),
            format!("v1/ns/a/d/sha256/{hash}"),
            format!("v0/d/sha256/{hash}"),
            format!("/v0/ns/a/d/sha256/{hash}"),
        ] {
            assert_eq!(BlobName::parse(&text), None, "{text}");
        }
    }
}
