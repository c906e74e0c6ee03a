//! What an envelope has done, for metrics and for whoever asks.

use std::{collections::BTreeMap, time::Duration};

/// What an [`Envelope`](super::Envelope) has done since it was made, and how it is now.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Status {
    /// The data key in use; `None` if the envelope only decodes.
    pub data_key: Option<DataKeyStatus>,
    /// Data keys made, by what asked for one.
    pub made: BTreeMap<Renewal, u64>,
    /// Data keys that could not be made, by reason.
    pub not_made: BTreeMap<&'static str, u64>,
    /// Why there is no new data key, although one is due.
    pub failure: Option<String>,
    /// Data keys of payloads that were unwrapped.
    pub unwrapped: u64,
    /// Data keys of payloads that were not unwrapped, by reason.
    pub not_unwrapped: BTreeMap<&'static str, u64>,
    /// Payloads whose data key was in the cache.
    pub hits: u64,
    /// Payloads whose data key was not in the cache.
    pub misses: u64,
    /// Data keys in the cache.
    pub cached: usize,
    /// Data keys being unwrapped.
    pub unwrapping: usize,
}

/// The data key that seals.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct DataKeyStatus {
    /// The key that wrapped it.
    pub uri: String,
    /// Time since it was made.
    pub age: Duration,
    /// Payloads sealed under it.
    pub seals: u64,
}

/// What a data key was made for.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Renewal {
    /// The process started.
    Initial,
    /// The one before was old.
    Age,
    /// The one before had sealed many payloads.
    Count,
}

impl Renewal {
    /// The label of a metric.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Initial => "initial",
            Self::Age => "age",
            Self::Count => "count",
        }
    }
}
