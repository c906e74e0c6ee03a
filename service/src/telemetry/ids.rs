//! What an event belongs to: its trace, workflow and activity, in every line of JSON.
//!
//! The ids are read off the OpenTelemetry context, which is there whether traces are on or not.
//! A `tracing` span would be lost with the level that the filter holds back.

use std::fmt::{self, Write};

use opentelemetry::{Context, trace::TraceContextExt};
use serde_json::Value;
use tracing::{Event, Subscriber};
use tracing_subscriber::{
    fmt::{FmtContext, FormatEvent, FormatFields, format::Writer},
    registry::LookupSpan,
};

/// What the events within a context belong to, as log fields.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ids(Vec<(&'static str, Value)>);

impl Ids {
    /// Returns the ids of one run of a workflow.
    pub fn of_workflow(workflow_id: &str, run_id: &str, workflow_type: &str) -> Self {
        Self(vec![
            ("workflow.id", workflow_id.into()),
            ("workflow.run_id", run_id.into()),
            ("workflow.type", workflow_type.into()),
        ])
    }

    /// Adds those of an attempt at an activity.
    #[must_use]
    pub fn with_activity(mut self, id: &str, activity_type: &str, attempt: u32) -> Self {
        self.0.push(("activity.id", id.into()));
        self.0.push(("activity.type", activity_type.into()));
        self.0.push(("activity.attempt", attempt.into()));
        self
    }

    /// Returns the current context with these ids in it. Events within it carry them.
    #[must_use]
    pub fn in_context(self) -> Context {
        Context::current_with_value(self)
    }
}

/// Writes events as `F` does, which must be flat JSON, with the ids of the context at their end.
pub(super) struct WithIds<F>(pub(super) F);

impl<S, N, F> FormatEvent<S, N> for WithIds<F>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
    F: FormatEvent<S, N>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut line = String::new();
        self.0
            .format_event(context, Writer::new(&mut line), event)?;
        Context::map_current(|context| append(&mut line, context))?;
        writer.write_str(&line)
    }
}

fn append(line: &mut String, context: &Context) -> fmt::Result {
    let Some(end) = line.rfind('}') else {
        return Ok(());
    };
    let mut added = String::new();
    if context.has_active_span() {
        let span = context.span();
        let span = span.span_context();
        add(
            &mut added,
            line,
            "trace_id",
            &span.trace_id().to_string().into(),
        )?;
        add(
            &mut added,
            line,
            "span_id",
            &span.span_id().to_string().into(),
        )?;
    }
    for (name, value) in context.get::<Ids>().iter().flat_map(|ids| &ids.0) {
        add(&mut added, line, name, value)?;
    }
    line.insert_str(end, &added);
    Ok(())
}

/// A field that the event has itself is not said twice. Within a JSON text, quotes are escaped, so
/// the name is found only where it is one.
fn add(added: &mut String, line: &str, name: &str, value: &Value) -> fmt::Result {
    if line.contains(&format!("\"{name}\":")) {
        return Ok(());
    }
    write!(added, ",\"{name}\":{value}")
}

#[cfg(test)]
mod tests {
    use opentelemetry::{
        Context,
        trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState},
    };
    use serde_json::Value;

    use super::{Ids, append};

    fn within(context: &Context, line: &str) -> Value {
        let mut line = line.to_owned();
        append(&mut line, context).unwrap();
        assert!(line.ends_with("}\n"), "{line:?}");
        serde_json::from_str(&line).unwrap()
    }

    #[test]
    fn a_line_names_the_trace_and_what_it_is_about() {
        let span = SpanContext::new(
            TraceId::from(0xabc),
            SpanId::from(0xd),
            TraceFlags::SAMPLED,
            true,
            TraceState::default(),
        );
        let ids = Ids::of_workflow("w-1", "r-1", "Order").with_activity("3", "charge", 2);
        let context = Context::new()
            .with_remote_span_context(span)
            .with_value(ids);

        let event = within(&context, "{\"message\":\"}\",\"span\":{\"name\":\"x\"}}\n");

        assert_eq!(event["trace_id"], "00000000000000000000000000000abc");
        assert_eq!(event["span_id"], "000000000000000d");
        assert_eq!(event["workflow.id"], "w-1");
        assert_eq!(event["workflow.run_id"], "r-1");
        assert_eq!(event["activity.attempt"], 2);
        assert_eq!(event["message"], "}");
        assert_eq!(event["span"]["name"], "x");
    }

    #[test]
    fn what_an_event_says_itself_stands() {
        let ids = Ids::of_workflow("w-1", "r-1", "Order");
        let context = Context::new().with_value(ids);

        let event = within(
            &context,
            "{\"message\":\"\\\"workflow.run_id\\\":\",\"workflow.id\":\"w-2\"}\n",
        );

        assert_eq!(event["workflow.id"], "w-2");
        assert_eq!(event["workflow.run_id"], "r-1");
    }

    #[test]
    fn without_a_context_nothing_is_added() {
        let event = within(&Context::new(), "{\"message\":\"m\"}\n");

        assert_eq!(event, serde_json::json!({"message": "m"}));
    }
}
