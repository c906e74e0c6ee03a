//! How a payload that is too large is described.

use std::fmt;

use tonic::Status;

use super::{Part, token::Names};

/// How the message of a refusal begins, by which [`CallError`](crate::call::CallError) knows it: of a
/// status, only code and text come through the SDK.
pub(crate) const REFUSAL: &str = "payload too large: ";

/// What to do about it.
const REMEDY: &str = "send less, or keep it elsewhere and send where it is, \
                      which SEALANE_LARGE_PAYLOADS=blob does by itself";

/// A payload that is too large, or a request that is, whose parts are not. One line, without content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::connection) struct TooLarge {
    field: Option<String>,
    bytes: usize,
    reason: Reason,
    /// Empty if it is not known.
    workflow_id: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Reason {
    /// Limit of the namespace, in bytes.
    Limit(usize),
    /// Size of the request that the server refused, in bytes.
    Request(usize),
}

impl TooLarge {
    /// Of a payload above the limit of its namespace, in bytes.
    pub(super) fn of_part(part: &Part, limit: usize) -> Self {
        Self {
            field: Some(part.field.clone()),
            bytes: part.bytes,
            reason: Reason::Limit(limit),
            workflow_id: String::new(),
        }
    }

    /// Of a request of so many bytes that the server refused, with the largest part of it.
    pub(super) fn of_request(bytes: usize, largest: Option<&Part>) -> Self {
        Self {
            field: largest.map(|part| part.field.clone()),
            bytes: largest.map_or(0, |part| part.bytes),
            reason: Reason::Request(bytes),
            workflow_id: String::new(),
        }
    }

    /// Says for whose task it was, as far as is known.
    pub(super) fn within(self, names: &Names) -> Self {
        Self {
            workflow_id: names.workflow_id().to_owned(),
            ..self
        }
    }

    pub(super) fn workflow_id(&self) -> Option<&str> {
        Some(self.workflow_id.as_str()).filter(|id| !id.is_empty())
    }

    /// Whether the request as a whole is too large, and no part of it alone.
    pub(super) fn as_a_whole(&self) -> bool {
        matches!(self.reason, Reason::Request(_))
    }
}

impl fmt::Display for TooLarge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { field, bytes, .. } = self;
        match (&self.reason, field) {
            (Reason::Limit(limit), Some(field)) => write!(
                f,
                "{field} is {bytes} bytes as encrypted, the limit of the namespace is {limit}"
            )?,
            (Reason::Request(total), Some(field)) => write!(
                f,
                "{total} bytes at once are more than the server takes, {bytes} of them {field}"
            )?,
            (Reason::Request(size) | Reason::Limit(size), None) => {
                write!(f, "{size} bytes at once are more than the server takes")?;
            }
        }
        write!(f, "; {REMEDY}")
    }
}

impl From<TooLarge> for Status {
    /// Nobody sends again what was called an invalid argument.
    fn from(too_large: TooLarge) -> Self {
        Self::invalid_argument(format!("{REFUSAL}{too_large}"))
    }
}

#[cfg(test)]
mod tests {
    use super::{Part, TooLarge};
    use crate::connection::size::measure::Kind;

    fn part() -> Part {
        Part {
            field: r#"input of signal "add""#.to_owned(),
            bytes: 3_000_000,
            kind: Kind::Payload,
        }
    }

    #[test]
    fn the_field_its_size_the_limit_and_the_remedy_are_named() {
        let text = TooLarge::of_part(&part(), 2_097_152).to_string();

        let expected = r#"input of signal "add" is 3000000 bytes as encrypted, the limit of the namespace is 2097152; send less, "#;
        assert!(text.starts_with(expected), "{text}");
        assert!(text.contains("SEALANE_LARGE_PAYLOADS=blob"), "{text}");
    }

    #[test]
    fn of_a_request_that_is_too_large_the_largest_part_is_named() {
        let named = TooLarge::of_request(5_000_000, Some(&part())).to_string();
        let unnamed = TooLarge::of_request(5_000_000, None).to_string();

        let expected = r#"5000000 bytes at once are more than the server takes, 3000000 of them input of signal "add"; "#;
        assert!(named.starts_with(expected), "{named}");
        assert!(
            unnamed.starts_with("5000000 bytes at once are more than the server takes; "),
            "{unnamed}"
        );
    }
}
