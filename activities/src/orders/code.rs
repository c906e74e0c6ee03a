//! The part of a refusal that may be repeated.

use std::fmt;

/// Longer than any code a gateway documents.
const LONGEST: usize = 40;

/// A gateway's reason in one word, such as `insufficient_funds`.
///
/// Only lower-case letters and underscores get in. Free text from outside may echo a card number or an address, and a code
/// ends up in failure messages and logs.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Code(String);

impl Code {
    /// The code as text; `unspecified` if the gateway gave none that can be repeated.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Code {
    fn from(text: &str) -> Self {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
        let repeatable = (1..=LONGEST).contains(&text.len()) && text.bytes().all(plain);
        Self(if repeatable { text } else { "unspecified" }.to_owned())
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::Code;

    #[test]
    fn a_documented_code_is_repeated() {
        assert_eq!(
            Code::from("insufficient_funds").as_str(),
            "insufficient_funds"
        );
    }

    #[test]
    fn anything_that_could_carry_data_is_not() {
        for text in [
            "",
            "card 4111111111111111",
            "tok_1MzQ",
            "12 Main St",
            &"a".repeat(41),
        ] {
            assert_eq!(Code::from(text).as_str(), "unspecified", "{text}");
        }
    }
}
