//! How a payload that is too large is described.

use std::fmt;

use tonic::Status;

use super::{Part, limits::Limits, token::Names};

/// How the message of a refusal begins, by which [`CallError`](crate::call::CallError) knows it: of a
/// status, only code and text come through the SDK.
pub(crate) const REFUSAL: &str = "payload too large: ";

/// What to do about it.
const REMEDY: &str = "send less, or keep it elsewhere and send where it is";

/// Said where large payloads are not stored: schedules would outlive what is.
const COULD_BE_STORED: &str = "SEALANE_LARGE_PAYLOADS=blob does so with single payloads over its threshold, but not in schedules";

/// Said where they are, and this was not, or the rest is still too much.
const IS_NOT_STORED: &str = "SEALANE_LARGE_PAYLOADS=blob is on, but stores no payload up to its \
                             threshold, none above its maximum, and none in schedules";

/// A payload that is too large, or a request that is, whose parts are not. One line, without content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::connection) struct TooLarge {
    field: Option<String>,
    bytes: usize,
    reason: Reason,
    /// Whether large payloads are stored.
    stores: bool,
    /// Empty if it is not known.
    workflow_id: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Reason {
    /// Limit of the namespace, in bytes.
    Limit(usize),
    /// Size of the request that the server refused, in bytes.
    Request(usize),
    /// Size of the updates of one task, and the room for them, in bytes.
    Updates(usize, usize),
}

impl TooLarge {
    /// Of a payload above the limit of its namespace.
    pub(super) fn of_part(part: &Part, limits: &Limits) -> Self {
        Self::new(Some(part), Reason::Limit(limits.of(part)), limits)
    }

    /// Of a request of so many bytes that the server refused, with the largest part of it.
    pub(super) fn of_request(bytes: usize, largest: Option<&Part>, limits: &Limits) -> Self {
        Self::new(largest, Reason::Request(bytes), limits)
    }

    /// Of an update that came with others, so many bytes in all, for which there is only so much room.
    pub(super) fn of_updates(part: &Part, (bytes, room): (usize, usize), limits: &Limits) -> Self {
        Self::new(Some(part), Reason::Updates(bytes, room), limits)
    }

    fn new(part: Option<&Part>, reason: Reason, limits: &Limits) -> Self {
        Self {
            field: part.map(|part| part.field.clone()),
            bytes: part.map_or(0, |part| part.bytes),
            reason,
            stores: limits.stores(),
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

    /// The size of the request, in bytes, if it is too large as a whole, and no part of it alone.
    pub(super) fn whole(&self) -> Option<usize> {
        match self.reason {
            Reason::Request(bytes) => Some(bytes),
            _ => None,
        }
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
            (Reason::Updates(total, room), Some(field)) => write!(
                f,
                "{field} is {bytes} bytes as encrypted and came with other updates, {total} bytes \
                 in all, of which a workflow takes {room} at once; send one after the other"
            )?,
            (Reason::Request(size) | Reason::Limit(size) | Reason::Updates(size, _), None) => {
                write!(f, "{size} bytes at once are more than the server takes")?;
            }
        }
        let stored = match self.stores {
            true => IS_NOT_STORED,
            false => COULD_BE_STORED,
        };
        write!(f, "; {REMEDY}: {stored}")
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
    use super::{Limits, Part, TooLarge};
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
        let text = TooLarge::of_part(&part(), &Limits::default()).to_string();

        let expected = r#"input of signal "add" is 3000000 bytes as encrypted, the limit of the namespace is 2097152; send less, "#;
        assert!(text.starts_with(expected), "{text}");
        assert!(text.contains("SEALANE_LARGE_PAYLOADS=blob does"), "{text}");
    }

    #[test]
    fn a_remedy_that_is_in_use_is_not_recommended() {
        let limits = Limits::default().storing(true);

        let text = TooLarge::of_part(&part(), &limits).to_string();

        assert!(
            text.contains("SEALANE_LARGE_PAYLOADS=blob is on, but"),
            "{text}"
        );
    }

    #[test]
    fn of_a_request_that_is_too_large_the_largest_part_is_named() {
        let limits = Limits::default();
        let named = TooLarge::of_request(5_000_000, Some(&part()), &limits).to_string();
        let unnamed = TooLarge::of_request(5_000_000, None, &limits).to_string();

        let expected = r#"5000000 bytes at once are more than the server takes, 3000000 of them input of signal "add"; "#;
        assert!(named.starts_with(expected), "{named}");
        assert!(
            unnamed.starts_with("5000000 bytes at once are more than the server takes; "),
            "{unnamed}"
        );
    }

    #[test]
    fn updates_that_are_too_large_together_may_be_sent_one_after_the_other() {
        let sizes = (4_000_000, 3_500_000);
        let text = TooLarge::of_updates(&part(), sizes, &Limits::default()).to_string();

        let expected = "4000000 bytes in all, of which a workflow takes 3500000 at once; send one after the other; ";
        assert!(text.contains(expected), "{text}");
    }
}
