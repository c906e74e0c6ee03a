//! What is logged, and how.

use std::io::{IsTerminal, stderr};

use crate::telemetry;

use super::values::{Noted, Values};

/// What is logged, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// Levels and `TARGET=LEVEL` directives, separated by commas; known to be valid.
    pub filter: String,
    /// How events are written.
    pub format: LogFormat,
}

/// How events are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// Text if standard error is a terminal, JSON otherwise.
    Auto,
    /// One JSON object on each line.
    Json,
    /// For people.
    Text,
}

impl Log {
    /// Logs `filter` as `format`; for programs that have no settings.
    pub fn new(filter: impl Into<String>, format: LogFormat) -> Self {
        Self {
            filter: filter.into(),
            format,
        }
    }
}

impl LogFormat {
    /// Returns whether events are written as JSON.
    pub fn is_json(self) -> bool {
        match self {
            Self::Auto => !stderr().is_terminal(),
            Self::Json => true,
            Self::Text => false,
        }
    }
}

pub(super) fn read(values: &mut Values) -> Result<Log, Noted> {
    let filter = values.parse("SEALANE_LOG", |text| {
        telemetry::is_filter(text).then(|| text.to_owned())
    });
    let format = values.parse("SEALANE_LOG_FORMAT", |text| match text {
        "auto" => Some(LogFormat::Auto),
        "json" => Some(LogFormat::Json),
        "text" => Some(LogFormat::Text),
        _ => None,
    });
    Ok(Log {
        filter: filter?,
        format: format?,
    })
}
