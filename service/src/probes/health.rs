//! What speaks for and against the process being alive and ready.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, PoisonError, RwLock},
};

use serde::Serialize;

use super::readiness::{Phase, Readiness};

mod page;

type Check = Arc<dyn Fn() -> Result<(), String> + Send + Sync>;

/// The health of a process, as its parts report it. Clones share it.
#[derive(Clone, Default)]
pub struct Health(Arc<Parts>);

#[derive(Default)]
struct Parts {
    readiness: Readiness,
    conditions: RwLock<BTreeMap<String, Result<(), String>>>,
    checks: RwLock<BTreeMap<String, Check>>,
}

impl Health {
    /// Returns the health of a process that is starting, without conditions or checks.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns the latch that says whether the process takes work.
    pub fn readiness(&self) -> Readiness {
        self.0.readiness.clone()
    }

    /// Makes readiness depend on `name`, which fails until it is [`set`](Self::set).
    pub fn require(&self, name: &str) {
        let mut conditions = self
            .0
            .conditions
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        conditions
            .entry(name.to_owned())
            .or_insert_with(|| Err("not known yet".to_owned()));
    }

    /// Says how the condition `name` stands. `/readyz` shows the reason, so it must hold no secret.
    pub fn set(&self, name: &str, state: Result<(), String>) {
        let mut conditions = self
            .0
            .conditions
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        conditions.insert(name.to_owned(), state);
    }

    /// Adds a liveness check, run at each probe. It must answer at once, and fail only for what a
    /// restart would cure: a service that is down is no reason to restart its clients.
    pub fn add_liveness(
        &self,
        name: &str,
        check: impl Fn() -> Result<(), String> + Send + Sync + 'static,
    ) {
        let mut checks = self
            .0
            .checks
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        checks.insert(name.to_owned(), Arc::new(check));
    }

    /// Judges by the liveness checks alone.
    pub(super) fn live(&self) -> Verdict {
        let checks = self
            .0
            .checks
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        Verdict::new(
            None,
            checks.into_iter().map(|(name, check)| (name, check())),
        )
    }

    /// Judges by the phase and the conditions.
    pub(super) fn ready(&self) -> Verdict {
        let conditions = self
            .0
            .conditions
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        Verdict::new(Some(self.0.readiness.phase()), conditions)
    }
}

impl fmt::Debug for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Health")
            .field("live", &self.live())
            .field("ready", &self.ready())
            .finish()
    }
}

/// The answer to a probe.
#[derive(Debug, Serialize)]
pub(super) struct Verdict {
    /// Whether the phase and all checks are as they should be.
    pub(super) ok: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    phase: Option<Phase>,
    checks: BTreeMap<String, Outcome>,
}

#[derive(Debug, Serialize)]
struct Outcome {
    ok: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

impl Verdict {
    fn new(
        phase: Option<Phase>,
        checks: impl IntoIterator<Item = (String, Result<(), String>)>,
    ) -> Self {
        let checks: BTreeMap<_, _> = checks
            .into_iter()
            .map(|(name, state)| {
                (
                    name,
                    Outcome {
                        ok: state.is_ok(),
                        reason: state.err(),
                    },
                )
            })
            .collect();
        let in_phase = phase.is_none_or(|phase| phase == Phase::Ready);
        Self {
            ok: in_phase && checks.values().all(|outcome| outcome.ok),
            phase,
            checks,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Health, Verdict};

    fn shown(verdict: &Verdict) -> Value {
        serde_json::to_value(verdict).unwrap()
    }

    #[test]
    fn a_required_condition_fails_until_it_is_set() {
        let health = Health::new();
        health.readiness().ready();
        health.require("namespace");
        assert!(!health.ready().ok);

        health.set("namespace", Ok(()));
        health.require("namespace");

        assert!(health.ready().ok);
    }

    #[test]
    fn readiness_names_every_condition_and_why_it_fails() {
        let health = Health::new();
        health.readiness().ready();
        health.set("key_ring", Ok(()));
        health.set("namespace", Err("orders not found".to_owned()));

        let expected = json!({
            "ok": false,
            "phase": "ready",
            "checks": {
                "key_ring": { "ok": true },
                "namespace": { "ok": false, "reason": "orders not found" },
            },
        });
        assert_eq!(shown(&health.ready()), expected);
    }

    #[test]
    fn a_process_that_starts_or_drains_is_not_ready_but_alive() {
        let health = Health::new();
        assert!(!health.ready().ok && health.live().ok);

        health.readiness().ready();
        assert!(health.ready().ok);

        health.readiness().drain();
        assert!(!health.ready().ok && health.live().ok);
        assert_eq!(shown(&health.ready())["phase"], "draining");
    }

    #[test]
    fn a_failed_liveness_check_says_so_and_leaves_readiness_alone() {
        let health = Health::new();
        health.readiness().ready();
        health.add_liveness("watchdog", || Err("blocked for 12s".to_owned()));

        let expected = json!({
            "ok": false,
            "checks": { "watchdog": { "ok": false, "reason": "blocked for 12s" } },
        });
        assert_eq!(shown(&health.live()), expected);
        assert!(health.ready().ok);
    }
}
