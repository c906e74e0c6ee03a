//! Trace context in requests, and a span around each that starts or talks to a workflow.
//!
//! This is done here, where every request passes, so that typed handles, the raw client and what
//! activities send are all traced alike. Spans and header are those of the SDK's own plugin, which
//! reaches typed handles only.

mod carrier;
mod requests;

use bytes::Bytes;
use opentelemetry::{
    Context, KeyValue, global,
    trace::{SpanBuilder, SpanKind, Status, TraceContextExt},
};
use prost::Message;
use sealane_codec::{DecodePolicy, EncryptionCodec};
use sealane_service::telemetry::traces;
use temporalio_common::protos::temporal::api::{
    common::v1::{Header, Payload},
    workflowservice::v1::{
        DescribeWorkflowExecutionRequest, ExecuteMultiOperationRequest, QueryWorkflowRequest,
        RequestCancelWorkflowExecutionRequest, SignalWithStartWorkflowExecutionRequest,
        SignalWorkflowExecutionRequest, StartWorkflowExecutionRequest,
        TerminateWorkflowExecutionRequest, UpdateWorkflowExecutionRequest,
    },
};
use tonic::Status as GrpcStatus;

pub(super) use self::carrier::KEY;
use self::requests::Traced;

/// One request on its way, as a span.
pub(super) struct Call(Context);

impl Call {
    /// Begins the span of a request, and returns the request with the span's context in it.
    ///
    /// `None` while traces are off, and for requests that are not traced: polls, answers to tasks,
    /// long polls for results.
    ///
    /// The context goes in plaintext, which workers in other languages read, unless `codec` refuses
    /// plaintext: then the receiving side will too.
    pub(super) fn begin(
        rpc: &str,
        request: &Bytes,
        codec: Option<&EncryptionCodec>,
    ) -> Option<(Self, Bytes)> {
        if !traces::is_on() {
            return None;
        }
        let seal = codec.filter(|codec| codec.options().decode == DecodePolicy::Strict);
        let bytes = request.clone();
        match rpc {
            "StartWorkflowExecution" => begin::<StartWorkflowExecutionRequest>(bytes, seal),
            "SignalWithStartWorkflowExecution" => {
                begin::<SignalWithStartWorkflowExecutionRequest>(bytes, seal)
            }
            "ExecuteMultiOperation" => begin::<ExecuteMultiOperationRequest>(bytes, seal),
            "SignalWorkflowExecution" => begin::<SignalWorkflowExecutionRequest>(bytes, seal),
            "QueryWorkflow" => begin::<QueryWorkflowRequest>(bytes, seal),
            "UpdateWorkflowExecution" => begin::<UpdateWorkflowExecutionRequest>(bytes, seal),
            "DescribeWorkflowExecution" => begin::<DescribeWorkflowExecutionRequest>(bytes, seal),
            "RequestCancelWorkflowExecution" => {
                begin::<RequestCancelWorkflowExecutionRequest>(bytes, seal)
            }
            "TerminateWorkflowExecution" => begin::<TerminateWorkflowExecutionRequest>(bytes, seal),
            _ => None,
        }
    }

    /// Ends the span. Of an error, it says the gRPC code and nothing of the text, which can quote
    /// what was sent.
    pub(super) fn end<T>(self, answer: &Result<T, GrpcStatus>) {
        let span = self.0.span();
        if let Err(status) = answer {
            let code = i64::from(i32::from(status.code()));
            span.set_attribute(KeyValue::new("rpc.grpc.status_code", code));
            span.set_status(Status::error(""));
        }
        span.end();
    }
}

/// A request that is no message of its type is left to whoever looks at it next.
fn begin<M: Traced + Message + Default>(
    bytes: Bytes,
    seal: Option<&EncryptionCodec>,
) -> Option<(Call, Bytes)> {
    let mut message = M::decode(bytes.clone()).ok()?;
    let parent = Context::current();
    let span = SpanBuilder::from_name(message.span_name())
        .with_kind(SpanKind::Client)
        .with_attributes(message.attributes())
        .start_with_context(&global::tracer(traces::SCOPE), &parent);
    let context = parent.with_span(span);
    let mut changed = false;
    for header in message.headers() {
        changed |= inject(&context, header, seal);
    }
    let bytes = if changed {
        message.encode_to_vec().into()
    } else {
        bytes
    };
    Some((Call(context), bytes))
}

/// A context that the caller has put there stays, as far as it is one.
fn inject(context: &Context, header: &mut Option<Header>, seal: Option<&EncryptionCodec>) -> bool {
    let fields = &mut header.get_or_insert_default().fields;
    if let Some(own) = fields.get_mut(KEY) {
        return purify(own);
    }
    let Some(payload) = carrier::payload(context) else {
        return false;
    };
    let sealed = match seal {
        Some(codec) => codec.encode_payload(payload),
        None => Ok(payload),
    };
    // A context that cannot be encrypted is not worth the request.
    let Ok(payload) = sealed else {
        return false;
    };
    fields.insert(KEY.to_owned(), payload);
    true
}

/// Takes everything beside trace context out of `payload`, and says whether it is one. What cannot be
/// read, such as an encrypted context, is left alone.
fn purify(payload: &mut Payload) -> bool {
    let Some(purified) = purified(payload) else {
        return false;
    };
    *payload = purified;
    true
}

/// Returns the trace context in `payload` as a payload that holds that and nothing else; `None` if
/// there is none.
pub(super) fn purified(payload: &Payload) -> Option<Payload> {
    carrier::payload(&carrier::context(payload)?)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use opentelemetry::Context;
    use serde_json::{Value, json};
    use temporalio_common::protos::temporal::api::common::v1::Header;

    use super::{KEY, inject};
    use crate::payload;

    const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn a_callers_own_context_stays_without_what_is_beside_it() {
        let own =
            json!({"traceparent": PARENT, "baggage": "card=4111", "tracestate": "x".repeat(600)});
        let mut header = Some(Header {
            fields: HashMap::from([(KEY.to_owned(), payload::from_json(&own))]),
        });

        assert!(inject(&Context::new(), &mut header, None));

        let sent: Value = serde_json::from_slice(&header.unwrap().fields[KEY].data).unwrap();
        assert_eq!(sent, json!({ "traceparent": PARENT }));
    }
}
