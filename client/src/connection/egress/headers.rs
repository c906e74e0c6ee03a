//! Trace context in what workflow code sends, left readable.
//!
//! The SDK's worker encrypts the headers of what workflow code sends, while clients send theirs in
//! plaintext and workers in other languages expect just that: an activity in Python could not read
//! in which trace it runs. So the one header that holds trace context, and of it nothing but trace
//! context, goes out as clients send it.

use sealane_codec::{DecodePolicy, EncryptionCodec, is_encrypted};
use sealane_service::telemetry::traces;
use temporalio_common::protos::temporal::api::{
    command::v1::{Command, command::Attributes},
    common::v1::{Header, Payload},
};

use crate::connection::trace;

/// Decrypts the trace context that `command` carries, and says whether there was any.
///
/// Only while traces are on, and only where plaintext is accepted.
pub(super) fn reveal(codec: &EncryptionCodec, command: &mut Command) -> bool {
    let wanted = traces::is_on() && codec.options().decode == DecodePolicy::Permissive;
    wanted && reveal_in(codec, command)
}

fn reveal_in(codec: &EncryptionCodec, command: &mut Command) -> bool {
    let field = header(command).and_then(|header| header.fields.get_mut(trace::KEY));
    let Some(payload) = field else {
        return false;
    };
    let Some(opened) = opened(codec, payload) else {
        return false;
    };
    *payload = opened;
    true
}

/// What cannot be decrypted, or is no trace context, stays as it is.
fn opened(codec: &EncryptionCodec, payload: &Payload) -> Option<Payload> {
    if !is_encrypted(payload) {
        return None;
    }
    let opened = codec.decode_payload(payload.clone()).ok()?;
    trace::purified(&opened)
}

/// The header of a command that reaches other code.
fn header(command: &mut Command) -> Option<&mut Header> {
    match command.attributes.as_mut()? {
        Attributes::ScheduleActivityTaskCommandAttributes(it) => it.header.as_mut(),
        Attributes::StartChildWorkflowExecutionCommandAttributes(it) => it.header.as_mut(),
        Attributes::SignalExternalWorkflowExecutionCommandAttributes(it) => it.header.as_mut(),
        Attributes::ContinueAsNewWorkflowExecutionCommandAttributes(it) => it.header.as_mut(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use sealane_codec::{
        CodecOptions, EncryptionCodec, Key, KeyId, KeyRing, SharedKeyRing, is_encrypted,
    };
    use serde_json::{Value, json};
    use temporalio_common::protos::temporal::api::command::v1::{
        Command, ScheduleActivityTaskCommandAttributes, command::Attributes,
    };

    use super::{Header, Payload, header, reveal, reveal_in};

    const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    fn codec() -> EncryptionCodec {
        let id: KeyId = "k".parse().unwrap();
        let ring = KeyRing::new(id.clone(), [(id, Key::generate().unwrap())]).unwrap();
        EncryptionCodec::new(SharedKeyRing::new(ring), CodecOptions::default())
    }

    fn command(codec: &EncryptionCodec, fields: &[(&str, Value)]) -> Command {
        let sealed = |value: &Value| {
            let payload = crate::payload::from_json(value);
            codec.encode_payload(payload).unwrap()
        };
        let fields = fields.iter();
        let header = Header {
            fields: fields
                .map(|(name, value)| ((*name).to_owned(), sealed(value)))
                .collect(),
        };
        let attributes = ScheduleActivityTaskCommandAttributes {
            header: Some(header),
            ..ScheduleActivityTaskCommandAttributes::default()
        };
        Command {
            attributes: Some(Attributes::ScheduleActivityTaskCommandAttributes(
                attributes,
            )),
            ..Command::default()
        }
    }

    fn fields(command: &mut Command) -> HashMap<String, Payload> {
        header(command).unwrap().fields.clone()
    }

    #[test]
    fn trace_context_becomes_readable_and_no_other_header_does() {
        let codec = codec();
        let trace = json!({"traceparent": PARENT, "note": "4111"});
        let mut command = command(&codec, &[("_tracer-data", trace), ("token", json!("4111"))]);

        assert!(reveal_in(&codec, &mut command));

        let fields = fields(&mut command);
        let seen: Value = serde_json::from_slice(&fields["_tracer-data"].data).unwrap();
        assert_eq!(seen, json!({ "traceparent": PARENT }));
        assert_eq!(fields["_tracer-data"].metadata["encoding"], b"json/plain");
        assert!(is_encrypted(&fields["token"]));
    }

    #[test]
    fn a_state_that_is_too_long_does_not_become_readable() {
        let codec = codec();
        let state = format!("v={},w={}", "4".repeat(256), "4".repeat(256));
        let trace = json!({"traceparent": PARENT, "tracestate": state});
        let mut command = command(&codec, &[("_tracer-data", trace)]);

        assert!(reveal_in(&codec, &mut command));

        let seen = &fields(&mut command)["_tracer-data"];
        let seen: Value = serde_json::from_slice(&seen.data).unwrap();
        assert_eq!(seen, json!({ "traceparent": PARENT }));
    }

    #[test]
    fn what_only_bears_the_name_of_trace_context_stays_encrypted() {
        let codec = codec();
        for value in [
            json!("4111"),
            json!({"traceparent": "4111"}),
            json!({"card": "4111"}),
        ] {
            let mut command = command(&codec, &[("_tracer-data", value)]);

            assert!(!reveal_in(&codec, &mut command));

            assert!(is_encrypted(&fields(&mut command)["_tracer-data"]));
        }
    }

    #[test]
    fn without_traces_nothing_is_decrypted() {
        let codec = codec();
        let mut command = command(&codec, &[("_tracer-data", json!({"traceparent": PARENT}))]);

        assert!(!reveal(&codec, &mut command));
    }
}
