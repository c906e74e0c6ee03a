//! Searching what a program shows for what it must not show.

use std::{collections::HashMap, fs};

use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE},
};

use crate::azure::{FakeAzure, SECRET};

/// How much of a secret has to be there to count, in bytes. As much is found nowhere by chance, and half of
/// a key that some message cut off is found as well.
const PIECE: usize = 16;

/// Keys and tokens, in every form in which a log might hold them.
#[derive(Default)]
pub struct Secrets {
    /// Each piece, and what it is a piece of.
    pieces: HashMap<Vec<u8>, String>,
    /// Whether a piece begins with these two bytes, which most of a log does not. Logs are long.
    begins: Vec<bool>,
}

impl Secrets {
    /// Returns all that `fake` keeps to itself: the keys of [`SECRET`], access tokens, and the federated
    /// token of its own identity.
    pub fn of(fake: &FakeAzure) -> Self {
        let mut secrets = Self::default();
        for version in fake.versions(SECRET) {
            secrets = secrets.and_key(&version.value);
        }
        for token in fake.tokens() {
            secrets = secrets.and_token("an access token", &token);
        }
        match fs::read_to_string(fake.token_file()) {
            Ok(token) => secrets.and_token("a federated token", &token),
            Err(_) => secrets,
        }
    }

    /// Adds a key, which is looked for as text and as bytes. What is shorter than any key is passed over.
    #[must_use]
    pub fn and_key(mut self, base64: &str) -> Self {
        let base64 = base64.trim();
        self.add("a key in base64", base64);
        let Ok(bytes) = BASE64_STANDARD.decode(base64) else {
            return self;
        };
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        self.add("a key in URL-safe base64", &BASE64_URL_SAFE.encode(&bytes));
        self.add("a key in hexadecimal", &hex);
        self.add("a key in HEXADECIMAL", &hex.to_uppercase());
        self.add("a key as an array", &inner(&format!("{bytes:?}")));
        self.add(
            "a key as an array of hexadecimals",
            &inner(&format!("{bytes:02x?}")),
        );
        self.add("a key as escaped text", &bytes.escape_ascii().to_string());
        self
    }

    /// Adds a token, which is looked for as it is. `name` stands for it in a message.
    #[must_use]
    pub fn and_token(mut self, name: &str, token: &str) -> Self {
        self.add(name, token.trim());
        self
    }

    fn add(&mut self, name: &str, text: &str) {
        self.begins.resize(1 << u16::BITS, false);
        for piece in text.as_bytes().chunks_exact(PIECE) {
            self.begins[first_two(piece)] = true;
            self.pieces.insert(piece.to_owned(), name.to_owned());
        }
    }

    /// Fails if `text` holds a piece of any of them, without repeating it. `place` says where the text is from.
    ///
    /// # Panics
    ///
    /// If it does, or if there is nothing to look for.
    pub fn assert_absent(&self, place: &str, text: &str) {
        assert!(!self.pieces.is_empty(), "there are no secrets to look for");
        for (at, piece) in text.as_bytes().windows(PIECE).enumerate() {
            if self.begins[first_two(piece)]
                && let Some(name) = self.pieces.get(piece)
            {
                panic!("{name} is in {place}: {}", before(text, at));
            }
        }
    }
}

fn first_two(piece: &[u8]) -> usize {
    usize::from(u16::from_be_bytes([piece[0], piece[1]]))
}

/// What stands between the brackets of an array.
fn inner(array: &str) -> String {
    array.trim_matches(['[', ']']).to_owned()
}

/// What stands before a secret on the same line.
fn before(text: &str, secret: usize) -> String {
    let before = String::from_utf8_lossy(&text.as_bytes()[..secret]);
    before.lines().last().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use std::panic::catch_unwind;

    use base64::{Engine, prelude::BASE64_STANDARD};

    use super::Secrets;

    const BYTES: &[u8; 32] = b"\x01the-bytes-of-a-key-\xff==========\xfe";

    fn finds(text: &str) -> bool {
        let shown = catch_unwind(|| {
            let secrets = Secrets::default().and_key(&BASE64_STANDARD.encode(BYTES));
            let secrets = secrets.and_token("a token", "fake.0123456789abcdefghijklmnopqrstuvwxyz");
            secrets.assert_absent("a test", text);
        });
        shown.is_err()
    }

    #[test]
    fn a_key_is_found_however_it_is_written() {
        let base64 = BASE64_STANDARD.encode(BYTES);
        for text in [
            format!("value={base64}"),
            format!("value={}…", &base64[..20]),
            base64.replace('/', "_").replace('+', "-"),
            format!("{BYTES:?}"),
            format!("{BYTES:02x?}"),
            BYTES.escape_ascii().to_string(),
            BYTES.iter().map(|byte| format!("{byte:02X}")).collect(),
            "Bearer fake.0123456789abcdefghijkl".to_owned(),
        ] {
            assert!(finds(&text), "{text}");
        }
    }

    #[test]
    fn what_is_no_secret_is_not_found() {
        for text in ["", "payload-key/0123456789abcdef0123456789abcdef", "fake."] {
            assert!(!finds(text), "{text}");
        }
    }
}
