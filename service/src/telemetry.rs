//! Logging: structured events on standard error, never a payload among them.
//!
//! See `docs/logging.md` for the fields and events.

use std::io;

use tracing::{Dispatch, dispatcher};
use tracing_subscriber::{
    Layer, Registry,
    fmt::{self, MakeWriter},
    layer::SubscriberExt,
};

use crate::settings::Log;

use self::{ids::WithIds, withhold::Withhold};

mod filter;
mod ids;
mod panics;
mod plain;
pub mod traces;
mod withhold;

pub(crate) use self::filter::is_valid as is_filter;
pub use self::ids::Ids;

/// Why logging did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InitError {
    /// The filter is not one: correct `SEALANE_LOG`.
    #[error("SEALANE_LOG is {filter:?}, expected levels and TARGET=LEVEL, separated by commas")]
    Filter {
        /// What was given.
        filter: String,
    },

    /// Something else in this process already decides where events go.
    #[error("logging is already set up in this process, expected to be the first to do so")]
    AlreadySet,
}

/// Sends events of the whole process to standard error, and panics with them.
///
/// A panic becomes one event that says where, but not what: its text may quote a payload.
///
/// # Errors
///
/// [`InitError::Filter`] if the filter cannot be parsed, which that of [`Settings`] always can.
/// [`InitError::AlreadySet`] at the second call.
///
/// [`Settings`]: crate::settings::Settings
pub fn init(log: &Log) -> Result<(), InitError> {
    let dispatch = dispatch(log, io::stderr)?;
    dispatcher::set_global_default(dispatch).map_err(|_| InitError::AlreadySet)?;
    panics::install();
    Ok(())
}

fn dispatch<W>(log: &Log, writer: W) -> Result<Dispatch, InitError>
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let filter = filter::parse(&log.filter).ok_or_else(|| InitError::Filter {
        filter: log.filter.clone(),
    })?;
    let is_json = log.format.is_json();
    let quotes = filter::names_quoted_text(&log.filter);
    let layer = fmt::layer().with_writer(writer);
    let layer: Box<dyn Layer<_> + Send + Sync> = if is_json {
        layer
            .json()
            .flatten_event(true)
            .with_span_list(false)
            .map_event_format(|inner| WithIds(Withhold::new(inner, true, !quotes)))
            .boxed()
    } else {
        let ansi = io::IsTerminal::is_terminal(&io::stderr());
        layer
            .with_ansi(ansi)
            .fmt_fields(plain::fields())
            .map_event_format(|inner| Withhold::new(inner, false, !quotes))
            .boxed()
    };
    Ok(Dispatch::new(Registry::default().with(filter).with(layer)))
}

#[cfg(test)]
mod tests {
    use std::{
        io::{self, Write},
        sync::{Arc, Mutex},
    };

    use crate::settings::{Log, LogFormat};

    use super::{InitError, dispatch};

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(filter: &str, format: LogFormat, events: impl FnOnce()) -> String {
        let written = Written::default();
        let writer = written.clone();
        let dispatch = dispatch(&Log::new(filter, format), move || writer.clone()).unwrap();
        tracing::dispatcher::with_default(&dispatch, events);
        let bytes = written.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    /// What the SDK logs, as far as its target, level and shape matter here.
    fn a_failed_workflow_task() {
        tracing::warn!(
            target: "temporalio_sdk::workflow_future",
            "Workflow task failed for r-1: canary",
        );
        tracing::warn!(
            target: "temporalio_sdk_core::worker::workflow::managed_run",
            run_id = %"r-2",
            failure = ?"canary",
            "Failing workflow task",
        );
        tracing::warn!(target: "temporalio_sdk", "Failed to create workflow greeting: canary");
    }

    #[test]
    fn a_json_event_is_one_flat_object() {
        let text = logged("info", LogFormat::Json, || {
            tracing::info!(workflow.id = "w-1", "two\nlines");
        });

        let event: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(event["message"], "two\nlines");
        assert_eq!(event["workflow.id"], "w-1");
        assert_eq!(event["level"], "INFO");
        assert_eq!(text.lines().count(), 1);
    }

    #[test]
    fn nobodys_text_passes_for_a_line_of_ours() {
        let text = logged("info,temporalio=warn", LogFormat::Text, || {
            let name = "x\n2026-01-01 ERROR forged\r\u{1b}[2J\u{9b}2J\u{2028}\u{202e}";
            let span = tracing::warn_span!("workflow", workflow.id = %name);
            span.in_scope(|| {
                tracing::warn!(target: "temporalio_sdk", name = %name, "Workflow type {name} not found");
                tracing::warn!(target: "temporalio_sdk::workflow_future", run_id = %name, "canary");
            });
        });

        assert_eq!(text.lines().count(), 2, "{text:?}");
        let misleads = |c: char| c.is_control() || !c.is_ascii();
        assert!(!text.replace('\n', "").contains(misleads), "{text:?}");
        let line = text.lines().next().unwrap();
        let escaped = r"x\n2026-01-01 ERROR forged\r\u{1b}[2J\u{9b}2J\u{2028}\u{202e}";
        assert!(
            line.contains(&format!("Workflow type {escaped} not found")),
            "{text}"
        );
        assert!(line.contains(&format!("name={escaped}")), "{text}");
        assert!(
            line.contains(&format!("workflow{{workflow.id={escaped}}}")),
            "{text}"
        );
    }

    #[test]
    fn the_text_format_is_for_people() {
        let text = logged("info", LogFormat::Text, || {
            tracing::info!(task.queue = "orders", attempts = 2, error = %"no, \"é\"", "tried");
        });

        let said = r#"tried task.queue="orders" attempts=2 error=no, "é""#;
        assert!(text.trim_end().ends_with(said), "{text}");
    }

    #[test]
    fn failures_in_sdk_events_are_withheld_in_both_formats() {
        for format in [LogFormat::Json, LogFormat::Text] {
            let text = logged("trace,temporalio=trace", format, a_failed_workflow_task);

            assert!(!text.contains("canary"), "{text}");
            assert_eq!(text.lines().count(), 3, "{text}");
            assert!(text.contains("temporalio_sdk::workflow_future"), "{text}");
            assert!(text.contains("r-2"), "{text}");
        }
    }

    #[test]
    fn failures_are_quoted_for_those_who_ask_for_them_by_name() {
        let filter = "info,sealane::panic_text=debug";

        let text = logged(filter, LogFormat::Text, a_failed_workflow_task);

        assert_eq!(text.matches("canary").count(), 3, "{text}");
    }

    #[test]
    fn other_sdk_warnings_are_written_whole() {
        let text = logged("info", LogFormat::Json, || {
            tracing::warn!(target: "temporalio_sdk", "Workflow type frobnicate not found");
            tracing::info!(target: "temporalio_client", "not of interest");
        });

        assert!(text.contains("frobnicate"), "{text}");
        assert_eq!(text.lines().count(), 1, "{text}");
    }

    #[test]
    fn a_bad_filter_is_named() {
        let error = dispatch(&Log::new("loud", LogFormat::Text), io::sink).unwrap_err();

        assert!(matches!(&error, InitError::Filter { filter } if filter == "loud"));
    }
}
