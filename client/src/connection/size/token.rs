//! For whom a task was, for texts.

use prost::Message;

/// The part of a task token that has names. Tokens are the server's own affair
/// (`proto/internal/temporal/server/api/token/v1/message.proto` of Temporal Server), so names that are
/// not there are left out, and nothing but a text may depend on those that are.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Names {
    #[prost(string, tag = "2")]
    workflow_id: String,
    #[prost(string, tag = "8")]
    activity_type: String,
}

impl Names {
    /// Returns the names in `token`.
    pub(super) fn of(token: &[u8]) -> Self {
        Self::decode(token).unwrap_or_default()
    }

    /// The id of the workflow, empty if it is not known.
    pub(super) fn workflow_id(&self) -> &str {
        &self.workflow_id
    }

    /// Names the activity, as part of a sentence.
    pub(super) fn activity(&self) -> String {
        match self.activity_type.as_str() {
            "" => "an activity".to_owned(),
            name => format!("activity {name:?}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Names;

    #[test]
    fn a_token_that_cannot_be_read_names_nobody() {
        let names = Names::of(b"\x12\xff");

        assert_eq!(names.workflow_id(), "");
        assert_eq!(names.activity(), "an activity");
    }
}
