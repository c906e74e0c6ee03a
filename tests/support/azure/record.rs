//! What the fake was asked, for tests to look at.

use std::time::SystemTime;

use tokio::sync::watch;

use super::Endpoint;

/// One request. It holds no body and no token, so that a test can print it.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// When it came, by the fake's clock.
    pub when: SystemTime,
    /// What was asked for.
    pub endpoint: Endpoint,
    /// The name that was asked.
    pub host: String,
    /// HTTP method.
    pub method: String,
    /// Path without the query.
    pub path: String,
    /// `api-version` of the query.
    pub api_version: Option<String>,
    /// Status of the answer; none if there was no answer.
    pub status: Option<u16>,
    /// Whether it came without a bearer token, as the first of every vault client does.
    pub challenged: bool,
    /// `jti` of the federated token that was shown to Entra.
    pub assertion: Option<String>,
}

/// All requests so far.
pub(super) struct Record(watch::Sender<Vec<Recorded>>);

impl Record {
    pub(super) fn new() -> Self {
        Self(watch::Sender::new(Vec::new()))
    }

    pub(super) fn add(&self, request: Recorded) {
        self.0.send_modify(|all| all.push(request));
    }

    pub(super) fn all(&self) -> Vec<Recorded> {
        self.0.borrow().clone()
    }

    pub(super) fn count(&self, endpoint: Endpoint) -> usize {
        count(&self.0.borrow(), endpoint)
    }

    /// Waits until `endpoint` has been asked `times` times.
    pub(super) async fn reaches(&self, endpoint: Endpoint, times: usize) {
        let mut all = self.0.subscribe();
        let reached = all.wait_for(|all| count(all, endpoint) >= times).await;
        reached.expect("the sender is this record's own");
    }
}

fn count(all: &[Recorded], endpoint: Endpoint) -> usize {
    all.iter()
        .filter(|request| request.endpoint == endpoint && !request.challenged)
        .count()
}
