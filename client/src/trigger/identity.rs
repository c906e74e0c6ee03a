//! What tells one start from every other.

use std::time::SystemTime;

/// Counter, time and workflow id of one start.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Identity {
    /// Which start of this process it is, from 1.
    pub(crate) counter: u64,
    /// When it was first tried: RFC 3339, UTC, milliseconds.
    pub(crate) timestamp: String,
    /// `<type>-<counter>-<timestamp>`, the time written as `20261121T104200123Z`.
    ///
    /// Milliseconds keep several processes apart that were started in the same second.
    pub(crate) workflow_id: String,
}

impl Identity {
    pub(crate) fn new(workflow_type: &str, counter: u64, now: SystemTime) -> Self {
        let timestamp = humantime::format_rfc3339_millis(now).to_string();
        let compact = timestamp.replace(['-', ':', '.'], "");
        Self {
            workflow_id: format!("{workflow_type}-{counter}-{compact}"),
            counter,
            timestamp,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::Identity;

    #[test]
    fn an_id_is_type_counter_and_time() {
        let now = UNIX_EPOCH + Duration::from_millis(1_795_257_720_042);

        let identity = Identity::new("GreetingWorkflow", 7, now);

        assert_eq!(
            identity.workflow_id,
            "GreetingWorkflow-7-20261121T104200042Z"
        );
        assert_eq!(identity.timestamp, "2026-11-21T10:42:00.042Z");
    }
}
