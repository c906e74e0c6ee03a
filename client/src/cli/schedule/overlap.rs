//! Overlap policies by name.

use clap::ValueEnum;
use temporalio_common::protos::temporal::api::enums::v1::ScheduleOverlapPolicy;

/// What a schedule does while an earlier workflow of its own still runs.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(super) enum Overlap {
    /// Start nothing.
    #[value(alias = "Skip")]
    Skip,
    /// Start once the earlier one has ended, at most one.
    #[value(alias = "BufferOne")]
    BufferOne,
    /// Start once the earlier ones have ended, one after the other.
    #[value(alias = "BufferAll")]
    BufferAll,
    /// Cancel the earlier one, then start.
    #[value(alias = "CancelOther")]
    CancelOther,
    /// Terminate the earlier one and start.
    #[value(alias = "TerminateOther")]
    TerminateOther,
    /// Start beside it.
    #[value(alias = "AllowAll")]
    AllowAll,
}

impl From<Overlap> for ScheduleOverlapPolicy {
    fn from(overlap: Overlap) -> Self {
        match overlap {
            Overlap::Skip => Self::Skip,
            Overlap::BufferOne => Self::BufferOne,
            Overlap::BufferAll => Self::BufferAll,
            Overlap::CancelOther => Self::CancelOther,
            Overlap::TerminateOther => Self::TerminateOther,
            Overlap::AllowAll => Self::AllowAll,
        }
    }
}

/// Returns the name under which the command line knows `policy`.
pub(super) fn name(policy: ScheduleOverlapPolicy) -> &'static str {
    match policy {
        // The server's default.
        ScheduleOverlapPolicy::Unspecified | ScheduleOverlapPolicy::Skip => "skip",
        ScheduleOverlapPolicy::BufferOne => "buffer-one",
        ScheduleOverlapPolicy::BufferAll => "buffer-all",
        ScheduleOverlapPolicy::CancelOther => "cancel-other",
        ScheduleOverlapPolicy::TerminateOther => "terminate-other",
        ScheduleOverlapPolicy::AllowAll => "allow-all",
    }
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum;

    use super::{Overlap, name};

    #[test]
    fn what_is_shown_can_be_given() {
        for &overlap in Overlap::value_variants() {
            let shown = name(overlap.into());
            assert_eq!(Overlap::from_str(shown, false), Ok(overlap), "{shown}");
        }
    }
}
