//! What can be made to go wrong.

use std::{collections::BTreeSet, time::Duration};

use serde::{Deserialize, Serialize};

/// Failures to serve. Everything works while all knobs are at their defaults.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Knobs {
    /// Declines every card with this code.
    pub decline: Option<String>,
    /// Declines these cards, by their tokens, with `insufficient_funds`.
    pub declined_cards: BTreeSet<String>,
    /// Asks the next requests to come back later.
    pub throttle: Option<Throttle>,
    /// Answers this many requests with a 500 before doing anything.
    pub fail_next: u32,
    /// Does what this many requests ask, then answers them with a 500.
    pub lose_next: u32,
    /// Does what this many requests ask, then answers them with something that is not JSON.
    pub garble_next: u32,
    /// Has none of these left.
    pub out_of_stock: BTreeSet<String>,
    /// Takes this many milliseconds to pack a parcel.
    pub parcel_delay_ms: u64,
    /// Does not pack the parcel with this number, counted from 0, until the knob changes.
    pub pause_at_parcel: Option<u32>,
}

/// How to throttle.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Throttle {
    /// How many requests to turn away.
    pub next: u32,
    /// What `Retry-After` tells them.
    pub retry_after_seconds: u64,
    /// The status to do it with: 429, or 503.
    #[serde(default = "too_many_requests")]
    pub status: u16,
}

/// What a request meets before the gateway looks at it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Fate {
    Served,
    Throttled { status: u16, seconds: u64 },
    Failed,
    Lost,
    Garbled,
}

impl Knobs {
    /// How long packing a parcel takes.
    pub(super) fn parcel_delay(&self) -> Duration {
        Duration::from_millis(self.parcel_delay_ms)
    }

    /// What happens to the next request. Uses up one of the counted failures.
    pub(super) fn next_fate(&mut self) -> Fate {
        if let Some(throttle) = &mut self.throttle
            && take(&mut throttle.next)
        {
            return Fate::Throttled {
                status: throttle.status,
                seconds: throttle.retry_after_seconds,
            };
        }
        if take(&mut self.fail_next) {
            return Fate::Failed;
        }
        if take(&mut self.lose_next) {
            return Fate::Lost;
        }
        if take(&mut self.garble_next) {
            return Fate::Garbled;
        }
        Fate::Served
    }
}

fn take(left: &mut u32) -> bool {
    let any = *left > 0;
    *left = left.saturating_sub(1);
    any
}

fn too_many_requests() -> u16 {
    429
}
