//! What every route works with.

use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use sealane_service::{auth::Authenticator, http::Problem, settings::Settings};
use tokio::sync::watch;

use super::problem::unavailable;
use crate::{call::CallError, workflow::Workflows};

/// A server that has not answered a simple request by then is taken for one that is down. Healthy ones take
/// milliseconds; the SDK by itself would repeat the request for 10 s.
pub(super) const CALL_LIMIT: Duration = Duration::from_secs(5);

/// How long a request waits for what is fetched from storage or decrypted by a vault: the first attempt at some 20 MiB, on the slowest
/// connection that is waited for (`codec/src/large_payloads/transfer.rs`).
pub(super) const FETCH_LIMIT: Duration = Duration::from_secs(30);

/// What every route works with. Clones share it.
#[derive(Clone)]
pub(super) struct Api(Arc<Parts>);

struct Parts {
    namespace: String,
    task_queue: String,
    authenticator: Authenticator,
    asks_who: bool,
    workflows: OnceLock<Workflows>,
    is_unreachable: AtomicBool,
    draining: watch::Sender<bool>,
}

impl Api {
    /// Makes an API that is not connected yet.
    pub(super) fn new(settings: &Settings, authenticator: Authenticator) -> Self {
        Self(Arc::new(Parts {
            namespace: settings.temporal.namespace.clone(),
            task_queue: settings.temporal.task_queue.clone(),
            authenticator,
            asks_who: !settings.auth.is_off(),
            workflows: OnceLock::new(),
            is_unreachable: AtomicBool::new(false),
            draining: watch::Sender::new(false),
        }))
    }

    /// Answers requests from now on.
    pub(super) fn connected(&self, workflows: Workflows) {
        // There is one connection in the life of a process.
        let _ = self.0.workflows.set(workflows);
    }

    /// Takes down whether the server answered when it was last asked for nothing in particular.
    pub(super) fn reached(&self, answered: bool) {
        self.0.is_unreachable.store(!answered, Ordering::Relaxed);
    }

    /// Lets nobody wait any longer for a workflow.
    pub(super) fn drain(&self) {
        self.0.draining.send_replace(true);
    }

    pub(super) fn namespace(&self) -> &str {
        &self.0.namespace
    }

    pub(super) fn task_queue(&self) -> &str {
        &self.0.task_queue
    }

    pub(super) fn authenticator(&self) -> &Authenticator {
        &self.0.authenticator
    }

    /// Whether callers have to prove who they are.
    pub(super) fn asks_who(&self) -> bool {
        self.0.asks_who
    }

    /// Returns the workflows, once there is a connection.
    ///
    /// # Errors
    ///
    /// 503 until then, and while the server does not answer: requests that wait for it would take the place of others.
    pub(super) fn workflows(&self) -> Result<Workflows, Problem> {
        if self.0.is_unreachable.load(Ordering::Relaxed) {
            return Err(unavailable(
                "the Temporal server did not answer when it was last asked",
            ));
        }
        let workflows = self.0.workflows.get().cloned();
        workflows.ok_or_else(|| unavailable("this process is still starting"))
    }

    /// Waits for `done`, for at most `limit` and not while the process drains. `None` if that was too short.
    pub(super) async fn wait<T>(
        &self,
        limit: Duration,
        done: impl Future<Output = T>,
    ) -> Option<T> {
        let mut draining = self.0.draining.subscribe();
        tokio::select! {
            biased;
            done = done => Some(done),
            () = tokio::time::sleep(limit) => None,
            _ = draining.wait_for(|draining| *draining) => None,
        }
    }
}

/// Waits for a request that the server answers at once, if it answers at all.
///
/// # Errors
///
/// [`CallError::Unreachable`] if it does not, otherwise as for `call`.
pub(super) async fn promptly<T>(
    call: impl Future<Output = Result<T, CallError>>,
) -> Result<T, CallError> {
    let answer = tokio::time::timeout(CALL_LIMIT, call).await;
    answer.unwrap_or_else(|_| {
        Err(CallError::Unreachable {
            reason: format!("no answer within {} s", CALL_LIMIT.as_secs()),
        })
    })
}

/// Waits for what was received to be fetched from storage and decrypted.
///
/// # Errors
///
/// 503 if that takes too long, otherwise as for `reading`.
pub(super) async fn fetched<T>(
    reading: impl Future<Output = Result<T, CallError>>,
) -> Result<T, Problem> {
    match tokio::time::timeout(FETCH_LIMIT, reading).await {
        Ok(read) => Ok(read?),
        Err(_) => Err(unavailable(format!(
            "it could not be fetched and decrypted within {} s",
            FETCH_LIMIT.as_secs()
        ))),
    }
}

/// Runs `work` to its end even if whoever waits for it goes away, as a client that disconnects does.
///
/// # Errors
///
/// As for `work`; [`CallError::Unexpected`] if it panics.
pub(super) async fn detached<T: Send + 'static>(
    work: impl Future<Output = Result<T, CallError>> + Send + 'static,
) -> Result<T, CallError> {
    let context = opentelemetry::Context::current();
    let work = tracing::Instrument::in_current_span(work);
    let work = opentelemetry::context::FutureExt::with_context(work, context);
    tokio::spawn(work).await.unwrap_or_else(|_| {
        Err(CallError::Unexpected {
            reason: "the request to the server was given up".to_owned(),
        })
    })
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use axum::response::IntoResponse;
    use tokio::{sync::oneshot, time::Instant};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_server_that_does_not_answer_is_unreachable_after_five_seconds() {
        let started = Instant::now();

        let error = promptly(pending::<Result<(), _>>()).await.unwrap_err();

        assert!(matches!(error, CallError::Unreachable { .. }));
        assert_eq!(started.elapsed(), CALL_LIMIT);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_not_there_after_half_a_minute_is_asked_for_later() {
        let started = Instant::now();

        let problem = fetched(pending::<Result<(), _>>()).await.unwrap_err();

        assert_eq!(problem.into_response().status(), 503);
        assert_eq!(started.elapsed(), FETCH_LIMIT);
    }

    #[tokio::test]
    async fn what_is_detached_goes_on_when_nobody_waits_any_more() {
        let (go_on, told) = oneshot::channel::<()>();
        let (done, is_done) = oneshot::channel();
        let work = detached(async move {
            told.await.ok();
            done.send(()).ok();
            Ok(())
        });

        let given_up = tokio::time::timeout(Duration::ZERO, work).await;
        go_on.send(()).unwrap();

        assert!(given_up.is_err());
        assert_eq!(is_done.await, Ok(()));
    }
}
