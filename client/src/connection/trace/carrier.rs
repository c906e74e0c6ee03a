//! The header in which all Temporal SDKs pass trace context on.

use std::collections::HashMap;

use opentelemetry::{Context, propagation::TextMapPropagator, trace::TraceContextExt};
use sealane_service::telemetry::traces;
use temporalio_common::protos::temporal::api::common::v1::Payload;

/// Name of the header in every SDK with OpenTelemetry support.
pub(in crate::connection) const KEY: &str = "_tracer-data";

/// How the SDKs encode it: a JSON object of texts.
const ENCODING: (&str, &[u8]) = ("encoding", b"json/plain");

/// Returns the trace context of `context`, or `None` if it has none.
pub(super) fn payload(context: &Context) -> Option<Payload> {
    let mut fields = HashMap::<String, String>::new();
    traces::propagator().inject_context(context, &mut fields);
    // Most traces have no vendor's state, and an empty one says nothing.
    fields.retain(|_, value| !value.is_empty());
    if fields.is_empty() {
        return None;
    }
    Some(Payload {
        metadata: HashMap::from([(ENCODING.0.to_owned(), ENCODING.1.to_vec())]),
        data: serde_json::to_vec(&fields).ok()?,
        ..Payload::default()
    })
}

/// Returns a context with the trace context of `payload`, or `None` if it holds none that is valid.
pub(super) fn context(payload: &Payload) -> Option<Context> {
    let fields: HashMap<String, String> = serde_json::from_slice(&payload.data).ok()?;
    let context = traces::propagator().extract_with_context(&Context::new(), &fields);
    context.has_active_span().then_some(context)
}

#[cfg(test)]
mod tests {
    use opentelemetry::{Context, trace::TraceContextExt};
    use serde_json::{Value, json};
    use temporalio_common::protos::temporal::api::common::v1::Payload;

    use super::{context, payload};

    const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    fn of(fields: &Value) -> Payload {
        Payload {
            data: fields.to_string().into_bytes(),
            ..Payload::default()
        }
    }

    #[test]
    fn trace_context_passes_and_nothing_beside_it() {
        let sent = of(&json!({
            "traceparent": PARENT,
            "tracestate": "vendor=1",
            "baggage": "card=4111",
            "note": "4111",
        }));

        let context = context(&sent).unwrap();
        let passed: Value = serde_json::from_slice(&payload(&context).unwrap().data).unwrap();

        assert_eq!(
            context.span().span_context().trace_id().to_string(),
            "4bf92f3577b34da6a3ce929d0e0e4736"
        );
        assert_eq!(
            passed,
            json!({"traceparent": PARENT, "tracestate": "vendor=1"})
        );
    }

    #[test]
    fn a_state_of_any_length_does_not_pass() {
        let members: Vec<_> = (0..200).map(|it| format!("v{it}=canary")).collect();
        let sent = of(&json!({"traceparent": PARENT, "tracestate": members.join(",")}));

        let passed = payload(&context(&sent).unwrap()).unwrap();

        let passed: Value = serde_json::from_slice(&passed.data).unwrap();
        assert_eq!(passed, json!({ "traceparent": PARENT }));
    }

    #[test]
    fn what_is_no_trace_context_does_not_pass() {
        for fields in [
            json!({}),
            json!({"traceparent": "4111 1111 1111 1111"}),
            json!({"tracestate": "card=4111"}),
            json!("4111"),
        ] {
            assert!(context(&of(&fields)).is_none(), "{fields}");
        }
        assert!(payload(&Context::new()).is_none());
    }
}
