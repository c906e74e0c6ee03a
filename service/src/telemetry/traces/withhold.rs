//! What spans must not say.

use opentelemetry::trace::Status;
use opentelemetry_sdk::trace::SpanData;

/// Event by which OpenTelemetry records an error.
const EXCEPTION: &str = "exception";

/// Takes the texts of failures out of `span`: they can quote payloads, and the receiver is a third
/// party. That something failed, and when, remains.
pub(super) fn withhold(span: &mut SpanData) {
    if let Status::Error { .. } = span.status {
        span.status = Status::error("");
    }
    for event in &mut span.events.events {
        if event.name == EXCEPTION {
            event.attributes.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use opentelemetry::{
        InstrumentationScope, KeyValue,
        trace::{Event, SpanContext, SpanId, SpanKind, Status},
    };
    use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanLinks};

    use super::withhold;

    fn failed() -> SpanData {
        let said = vec![KeyValue::new("exception.message", "canary")];
        let mut events = SpanEvents::default();
        events
            .events
            .push(Event::new("exception", SystemTime::UNIX_EPOCH, said, 0));
        SpanData {
            span_context: SpanContext::NONE,
            parent_span_id: SpanId::INVALID,
            parent_span_is_remote: false,
            span_kind: SpanKind::Server,
            name: "RunActivity:charge".into(),
            start_time: SystemTime::UNIX_EPOCH,
            end_time: SystemTime::UNIX_EPOCH,
            attributes: vec![KeyValue::new("temporalWorkflowID", "w-1")],
            dropped_attributes_count: 0,
            events,
            links: SpanLinks::default(),
            status: Status::error("canary"),
            instrumentation_scope: InstrumentationScope::default(),
        }
    }

    #[test]
    fn failures_keep_their_time_and_lose_their_words() {
        let mut span = failed();

        withhold(&mut span);

        assert!(!format!("{span:?}").contains("canary"), "{span:?}");
        assert_eq!(span.status, Status::error(""));
        assert_eq!(span.events.len(), 1);
        assert_eq!(span.attributes.len(), 1);
    }
}
