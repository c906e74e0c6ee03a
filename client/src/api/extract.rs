//! Parts of requests that have a form of their own.

use std::time::Duration;

use axum::{extract::FromRequestParts, http::request::Parts};
use sealane_service::http::{Json, Kind, Problem, Query};
use serde::Deserialize;
use serde_json::Number;
use utoipa::ToSchema;

/// Header that makes repeating a request harmless.
pub(super) const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// Longest idempotency key; a UUID has 36 characters.
const LONGEST_KEY: usize = 255;

/// Longest name, in characters. Temporal takes 1,000 bytes, which as many of any script are less than.
const LONGEST_NAME: usize = 200;

/// A JSON body that may be left out, or be `null`.
pub(super) type Body<T> = Option<Json<Option<T>>>;

/// Returns what the body says, or what an empty one would.
pub(super) fn said<T: Default>(body: Body<T>) -> T {
    body.and_then(|Json(body)| body).unwrap_or_default()
}

/// The key of a request that may be repeated, if it has one.
pub(super) struct IdempotencyKey(pub(super) Option<String>);

impl<S: Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let mut keys = parts.headers.get_all(IDEMPOTENCY_KEY).into_iter();
        let key = match (keys.next(), keys.next()) {
            (None, _) => return Ok(Self(None)),
            (Some(key), None) => key.to_str().ok().filter(|key| is_key(key)),
            _ => None,
        };
        match key {
            Some(key) => Ok(Self(Some(key.to_owned()))),
            None => Err(Problem::new(
                Kind::BadRequest,
                format!(
                    "Idempotency-Key is not one key of 1 to {LONGEST_KEY} visible ASCII characters"
                ),
            )),
        }
    }
}

fn is_key(key: &str) -> bool {
    (1..=LONGEST_KEY).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Nothing after the `?` of the address.
pub(super) struct NoQuery;

impl<S: Send + Sync> FromRequestParts<S> for NoQuery {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        /// Has no parameters, and takes no others.
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Nothing {}

        let Query(Nothing {}) = Query::from_request_parts(parts, state).await?;
        Ok(Self)
    }
}

/// A name or id: 1 to 200 characters. None of them may be a control character or turn the direction of text, with which
/// one name could be made to look like another; and `.` and `..` would be lost from a path.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(try_from = "String")]
#[schema(value_type = String, min_length = 1, max_length = 200, pattern = r"^([^.\u0000-\u001F\u007F-\u009F\u202A-\u202E\u2066-\u2069][^\u0000-\u001F\u007F-\u009F\u202A-\u202E\u2066-\u2069]*|[.][^.\u0000-\u001F\u007F-\u009F\u202A-\u202E\u2066-\u2069][^\u0000-\u001F\u007F-\u009F\u202A-\u202E\u2066-\u2069]*|[.][.][^\u0000-\u001F\u007F-\u009F\u202A-\u202E\u2066-\u2069]+)$")]
pub(super) struct Name(String);

impl TryFrom<String> for Name {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let is_counted = (1..=LONGEST_NAME).contains(&text.chars().count());
        let is_shown = !text.chars().any(is_unseen);
        if is_counted && is_shown && !matches!(text.as_str(), "." | "..") {
            Ok(Self(text))
        } else {
            Err("expected 1 to 200 characters that can be seen")
        }
    }
}

/// Control characters, and those with which
/// [text is turned around](https://www.unicode.org/reports/tr9/#Explicit_Directional_Embeddings).
fn is_unseen(character: char) -> bool {
    character.is_control() || matches!(character, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.0
    }
}

impl Name {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

/// Id of a run, a UUID.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(try_from = "String")]
#[schema(value_type = String, format = "uuid")]
pub(super) struct RunId(String);

impl TryFrom<String> for RunId {
    type Error = uuid::Error;

    fn try_from(text: String) -> Result<Self, uuid::Error> {
        text.parse::<uuid::Uuid>().map(|id| Self(id.to_string()))
    }
}

impl From<RunId> for String {
    fn from(id: RunId) -> Self {
        id.0
    }
}

/// A time with its unit: a whole number and `ms`, `s`, `m`, `h` or `d`, such as `30s`.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(try_from = "String")]
#[schema(value_type = String, pattern = "^[0-9]{1,6}(ms|s|m|h|d)$", example = "30s")]
pub(super) struct Period(Duration);

impl Period {
    pub(super) fn duration(self) -> Duration {
        self.0
    }
}

impl TryFrom<String> for Period {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let unit = text.trim_start_matches(|digit: char| digit.is_ascii_digit());
        let digits = text.len() - unit.len();
        let known = matches!(unit, "ms" | "s" | "m" | "h" | "d") && (1..=6).contains(&digits);
        let period = humantime::parse_duration(&text).ok();
        let period = period.filter(|_| known);
        period.map(Self).ok_or("expected a time such as 30s")
    }
}

/// A whole number that every reader of JSON reads exactly: up to 2^53 - 1. `2.0` is one too.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "Number")]
pub(super) struct Whole(u64);

impl TryFrom<Number> for Whole {
    type Error = &'static str;

    fn try_from(number: Number) -> Result<Self, Self::Error> {
        let exact = number.as_u64().or_else(|| whole(number.as_f64()?));
        let exact = exact.filter(|exact| *exact <= LARGEST);
        exact.map(Self).ok_or("expected a whole number")
    }
}

impl From<Whole> for u64 {
    fn from(number: Whole) -> Self {
        number.0
    }
}

/// Above it, not every whole number is a `double`.
const LARGEST: u64 = (1 << 53) - 1;

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "it is whole and within the range in which a double is exact"
)]
fn whole(number: f64) -> Option<u64> {
    let exact = number.fract() == 0.0 && (0.0..=LARGEST as f64).contains(&number);
    exact.then_some(number as u64)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Name, Period, Whole, is_key};

    #[test]
    fn a_whole_number_may_be_written_with_a_point() {
        let read = |text| serde_json::from_str::<Whole>(text).ok().map(u64::from);

        assert_eq!(read("6246.0"), Some(6246));
        assert_eq!(read("9007199254740991"), Some(9_007_199_254_740_991));
        for text in ["-1", "1.5", "9007199254740992", "1e30", "\"1\"", "null"] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn a_time_has_one_number_and_one_unit() {
        let read = |text: &str| Period::try_from(text.to_owned()).ok().map(Period::duration);

        assert_eq!(read("30s"), Some(Duration::from_secs(30)));
        assert_eq!(read("999999d"), Some(Duration::from_secs(999_999 * 86_400)));
        for text in [
            "", "30", "s", "1m 30s", "-1s", "1.5s", "1000000s", "1w", "30s\n",
        ] {
            assert_eq!(read(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_name_is_counted_in_characters() {
        assert!(Name::try_from("ü".repeat(200)).is_ok());
        assert!(Name::try_from("u".repeat(201)).is_err());
        assert!(Name::try_from(String::new()).is_err());
    }

    #[test]
    fn a_name_is_what_it_looks_like() {
        let takes = |text: &str| Name::try_from(text.to_owned()).is_ok();

        for text in [
            "...",
            ".a",
            "a b",
            "a/b",
            "\u{5D0}",
            "\u{1F469}\u{200D}\u{1F680}",
        ] {
            assert!(takes(text), "{text:?}");
        }
        for text in [
            ".",
            "..",
            "a\n",
            "\0",
            "\u{7F}",
            "\u{85}",
            "a\u{202E}b",
            "\u{202A}",
            "\u{2066}",
            "\u{2069}",
        ] {
            assert!(!takes(text), "{text:?}");
        }
    }

    #[test]
    fn an_idempotency_key_is_visible_ascii() {
        assert!(is_key("8e03978e-40d5-43e8-bc93-6894a57f9324"));
        assert!(is_key(&"k".repeat(255)));
        for key in ["", "two words", "ключ", &"k".repeat(256)] {
            assert!(!is_key(key), "{key}");
        }
    }
}
