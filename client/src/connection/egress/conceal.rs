//! Failure texts, moved to where encryption reaches them.

use std::collections::HashMap;

use temporalio_common::protos::temporal::api::{
    command::v1::{Command, command::Attributes},
    common::v1::Payload,
    failure::v1::Failure,
    update::v1::{Response, outcome},
};

/// What stands in place of an encrypted failure message; the text all Temporal SDKs use.
const ENCODED_FAILURE: &str = "Encoded failure";

/// Moves message and stack trace of a failure and its causes into `encoded_attributes`, where the
/// payload pass that follows encrypts them. Returns whether there was anything to move.
pub(super) fn conceal(failure: Option<&mut Failure>) -> bool {
    let Some(failure) = failure else {
        return false;
    };
    let inner = conceal(failure.cause.as_deref_mut());
    let plain = !failure.stack_trace.is_empty()
        || !matches!(failure.message.as_str(), "" | ENCODED_FAILURE);
    if !plain {
        return inner;
    }
    let attributes = serde_json::json!({
        "message": std::mem::replace(&mut failure.message, ENCODED_FAILURE.to_owned()),
        "stack_trace": std::mem::take(&mut failure.stack_trace),
    });
    // A failure that was received and is sent on has the text twice: the SDK writes what it decodes
    // beside the attributes it decoded. Those hold the same text and stay.
    failure
        .encoded_attributes
        .get_or_insert_with(|| json_payload(&attributes));
    true
}

/// The failure of a workflow, or of a local activity, whose outcome is recorded as a marker.
pub(super) fn command_failure(command: &mut Command) -> Option<&mut Failure> {
    match command.attributes.as_mut()? {
        Attributes::FailWorkflowExecutionCommandAttributes(it) => it.failure.as_mut(),
        Attributes::RecordMarkerCommandAttributes(it) => it.failure.as_mut(),
        _ => None,
    }
}

/// A failed query carries its text twice: as a failure and, for older clients, as a bare string.
pub(super) fn conceal_query_failure(
    error_message: &mut String,
    failure: &mut Option<Failure>,
) -> bool {
    if error_message.is_empty() {
        return conceal(failure.as_mut());
    }
    let text = std::mem::replace(error_message, ENCODED_FAILURE.to_owned());
    let failure = failure.get_or_insert_with(Failure::default);
    if failure.message.is_empty() && failure.encoded_attributes.is_none() {
        failure.message = text;
    }
    conceal(Some(failure));
    true
}

pub(super) fn conceal_outcome(response: &mut Response) -> bool {
    match response.outcome.as_mut().and_then(|it| it.value.as_mut()) {
        Some(outcome::Value::Failure(failure)) => conceal(Some(failure)),
        _ => false,
    }
}

fn json_payload(value: &serde_json::Value) -> Payload {
    Payload {
        metadata: HashMap::from([("encoding".to_owned(), b"json/plain".to_vec())]),
        data: value.to_string().into_bytes(),
        ..Payload::default()
    }
}

#[cfg(test)]
mod tests {
    use temporalio_common::protos::temporal::api::failure::v1::Failure;

    use super::{ENCODED_FAILURE, conceal, json_payload};

    fn failure(message: &str, stack_trace: &str) -> Failure {
        Failure {
            message: message.to_owned(),
            stack_trace: stack_trace.to_owned(),
            ..Failure::default()
        }
    }

    #[test]
    fn texts_of_a_failure_and_its_causes_move_into_attributes() {
        let mut outer = failure("card 4111 declined", "");
        outer.cause = Some(Box::new(failure("", "at 4111")));

        assert!(conceal(Some(&mut outer)));

        let cause = outer.cause.as_deref().unwrap();
        for failure in [&outer, cause] {
            assert_eq!(failure.message, ENCODED_FAILURE);
            assert_eq!(failure.stack_trace, "");
            let attributes = failure.encoded_attributes.as_ref().unwrap();
            assert!(String::from_utf8_lossy(&attributes.data).contains("4111"));
        }
    }

    #[test]
    fn a_failure_that_was_received_is_not_sent_on_in_plaintext() {
        let mut received = failure("card 4111 declined", "at 4111");
        received.encoded_attributes = Some(json_payload(&serde_json::json!({"message": "m"})));
        let attributes = received.encoded_attributes.clone();

        assert!(conceal(Some(&mut received)));

        assert_eq!(received.message, ENCODED_FAILURE);
        assert_eq!(received.stack_trace, "");
        assert_eq!(received.encoded_attributes, attributes);
        assert!(!conceal(Some(&mut received)), "there is nothing left to do");
    }
}
