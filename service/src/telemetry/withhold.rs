//! Keeps the texts of failures out of the log.
//!
//! The SDK warns about a failed workflow task with the failure's text: what a panic said, or a
//! deserialisation error that quotes the input. Such an event is worth having, its text is not.

use std::fmt;

use serde_json::{Map, Value, json};
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{
    fmt::{
        FmtContext, FormatEvent, FormatFields,
        format::Writer,
        time::{FormatTime, SystemTime},
    },
    registry::LookupSpan,
};

/// Events of SDK 1.1.1 that quote failures: target, and how the message starts.
const QUOTING: [(&str, &str); 6] = [
    ("temporalio_sdk", "Failed to create workflow"),
    ("temporalio_sdk::workflow_future", ""),
    ("temporalio_sdk_core::pollers", "Received invalid"),
    ("temporalio_sdk_core::retry_logic", ""),
    ("temporalio_sdk_core::worker::activities", ""),
    ("temporalio_sdk_core::worker::workflow", ""),
];

const WITHHELD: &str = "an SDK event whose text is withheld because it may quote payloads";

/// Writes events as `F` does, but those that quote failures without their text.
pub(super) struct Withhold<F> {
    inner: F,
    is_json: bool,
    is_on: bool,
}

impl<F> Withhold<F> {
    pub(super) fn new(inner: F, is_json: bool, is_on: bool) -> Self {
        Self {
            inner,
            is_json,
            is_on,
        }
    }
}

impl<S, N, F> FormatEvent<S, N> for Withhold<F>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
    F: FormatEvent<S, N>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        if self.is_on && quotes(event) {
            substitute(writer, event, self.is_json)
        } else {
            self.inner.format_event(context, writer, event)
        }
    }
}

fn quotes(event: &Event<'_>) -> bool {
    let target = event.metadata().target();
    let mut candidates = QUOTING
        .iter()
        .filter(|(prefix, _)| is_within(target, prefix))
        .peekable();
    if candidates.peek().is_none() {
        return false;
    }
    let seen = Seen::of(event);
    candidates.any(|(_, start)| seen.message.starts_with(start))
}

/// Whether `target` is the module `module` or, below the crate root, one within it.
fn is_within(target: &str, module: &str) -> bool {
    match target.strip_prefix(module) {
        Some("") => true,
        Some(rest) => module.contains("::") && rest.starts_with("::"),
        None => false,
    }
}

fn substitute(mut writer: Writer<'_>, event: &Event<'_>, is_json: bool) -> fmt::Result {
    let metadata = event.metadata();
    let (level, target, line) = (metadata.level(), metadata.target(), metadata.line());
    let run_id = Seen::of(event).run_id;
    if !is_json {
        SystemTime.format_time(&mut writer)?;
        let line = line.unwrap_or_default();
        return writeln!(
            writer,
            " {level:>5} {target}: {WITHHELD} sdk.line={line} run_id={}",
            run_id.unwrap_or_default().escape_debug()
        );
    }
    let mut timestamp = String::new();
    SystemTime.format_time(&mut Writer::new(&mut timestamp))?;
    let mut object = Map::new();
    object.insert("timestamp".to_owned(), timestamp.into());
    object.insert("level".to_owned(), level.as_str().into());
    object.insert("target".to_owned(), target.into());
    object.insert("message".to_owned(), WITHHELD.into());
    object.insert("sdk.line".to_owned(), json!(line));
    object.extend(run_id.map(|id| ("run_id".to_owned(), id.into())));
    writeln!(writer, "{}", Value::Object(object))
}

/// What is needed of an event: how its message starts, and the one field that holds no payload.
#[derive(Default)]
struct Seen {
    message: String,
    run_id: Option<String>,
}

impl Seen {
    fn of(event: &Event<'_>) -> Self {
        let mut seen = Self::default();
        event.record(&mut seen);
        seen
    }
}

impl Visit for Seen {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "message" => value.clone_into(&mut self.message),
            "run_id" => self.run_id = Some(value.to_owned()),
            _ => {}
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if matches!(field.name(), "message" | "run_id") {
            self.record_str(field, &format!("{value:?}"));
        }
    }
}
