//! The life of a worker: connect, register, serve, ready, drain.

use std::{
    convert::Infallible,
    future::Future,
    panic::AssertUnwindSafe,
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::FutureExt;
use sealane_client::connection::{self, Extras, PollState, Polls};
use sealane_service::{
    encryption::{self, Keys},
    probes::{self, Health, Metrics, Server},
    settings::Settings,
    telemetry::traces,
};
use temporalio_client::Client;
use temporalio_sdk::{Runtime, Worker, WorkerOptions, runtime::RuntimeOptions};
use tokio::{sync::watch, task::JoinHandle};

use crate::{
    drain::Drain,
    error::{RegistrationError, WorkerError},
    idle::Idle,
    metrics::SdkMetrics,
    options::{metric_labels, worker_options},
    watchdog::Watchdog,
};

/// How long a cancelled activity may take to notice, after the drain timeout. What still runs then
/// is left to its timeouts and another worker.
pub(crate) const CANCEL_GRACE: Duration = Duration::from_secs(5);

/// Runs a worker with everything around it until `shutdown` completes and the worker has drained.
///
/// `register` adds workflows and activities to options that already hold what the settings decide.
/// Logging is the caller's, and so is the memory of the process: `SEALANE_MEMORY_LIMIT` is for
/// [`main`](crate::main). The future is not `Send`, because workflows are not: block on it, or
/// give it a thread.
///
/// # Errors
///
/// As the variants of [`WorkerError`] say. A drain that takes too long is no error.
pub async fn run<R>(
    settings: Settings,
    register: R,
    shutdown: impl Future<Output = ()>,
) -> Result<(), WorkerError>
where
    R: FnOnce(&mut WorkerOptions, &Settings) -> Result<(), RegistrationError>,
{
    run_watched(settings, register, shutdown, None).await
}

/// Runs a worker like [`run`], which also ends as if asked to once it has had nothing to do for
/// `limit`.
///
/// The wait begins when the worker is ready, and anew with every task. A running activity is something
/// to do, and so is a workflow task; a workflow that waits for a timer or a signal is not, it goes on
/// with the next worker.
///
/// # Errors
///
/// As for [`run`].
pub async fn run_until_idle<R>(
    settings: Settings,
    register: R,
    shutdown: impl Future<Output = ()>,
    limit: Duration,
) -> Result<(), WorkerError>
where
    R: FnOnce(&mut WorkerOptions, &Settings) -> Result<(), RegistrationError>,
{
    let idle = Idle::new(limit);
    let watched = idle.clone();
    let end = async move { watched.reached_or(shutdown).await };
    run_watched(settings, register, end, Some(idle)).await
}

/// Runs a worker and shows `idle` what it does; whether it ends for that is up to `shutdown`.
pub(crate) async fn run_watched<R>(
    settings: Settings,
    register: R,
    shutdown: impl Future<Output = ()>,
    idle: Option<Idle>,
) -> Result<(), WorkerError>
where
    R: FnOnce(&mut WorkerOptions, &Settings) -> Result<(), RegistrationError>,
{
    let started = Instant::now();
    let surroundings = Surroundings::start(&settings, idle).await?;
    let outcome = surroundings
        .run_worker(&settings, register, shutdown, started)
        .await;
    surroundings.stop().await;
    outcome
}

/// What stands around the worker for as long as it runs.
struct Surroundings {
    health: Health,
    exposed: Metrics,
    metrics: SdkMetrics,
    watchdog: Watchdog,
    drain: Drain,
    polls: Polls,
    idle: Option<Idle>,
    stop_serving: watch::Sender<bool>,
    serving: JoinHandle<std::io::Result<()>>,
}

impl Surroundings {
    /// Starts metrics and probes first, so that a worker that cannot connect says why.
    async fn start(settings: &Settings, idle: Option<Idle>) -> Result<Self, WorkerError> {
        let metrics = SdkMetrics::start(metric_labels(settings))?;
        let watchdog = Watchdog::new(settings.worker.watchdog);
        let health = Health::new();
        for condition in ["key_ring", "namespace", "pollers"] {
            health.require(condition);
        }
        let checked = watchdog.clone();
        health.add_liveness("workflow_thread", move || checked.check());
        let exposed = Metrics::new();
        exposed.add_source(metrics.source());
        traces::expose(&exposed);
        let drain = Drain::shown_in(exposed.registry(), settings.worker.drain_timeout);
        let router = probes::router(health.clone(), exposed.clone());
        let server = Server::bind(settings.http_addr, router).await?;
        tracing::info!(http.address = %server.address(), "probes and metrics are served");
        let (stop_serving, mut stopped) = watch::channel(false);
        let serving = tokio::spawn(server.serve(async move {
            stopped.changed().await.ok();
        }));
        Ok(Self {
            health,
            exposed,
            metrics,
            watchdog,
            drain,
            polls: idle.as_ref().map(Idle::polls).unwrap_or_default(),
            idle,
            stop_serving,
            serving,
        })
    }

    async fn run_worker<R>(
        &self,
        settings: &Settings,
        register: R,
        shutdown: impl Future<Output = ()>,
        started: Instant,
    ) -> Result<(), WorkerError>
    where
        R: FnOnce(&mut WorkerOptions, &Settings) -> Result<(), RegistrationError>,
    {
        tokio::pin!(shutdown);
        let mut worker = tokio::select! {
            worker = self.connected_worker(settings, register) => worker?,
            () = &mut shutdown => return Ok(()),
        };
        let stop = worker.shutdown_handle();
        let draining = async {
            shutdown.await;
            self.health.readiness().drain();
            self.drain.begin();
            tracing::info!(
                drain.timeout_seconds = settings.worker.drain_timeout.as_secs(),
                "draining"
            );
            stop();
            tokio::time::sleep(settings.worker.drain_timeout + CANCEL_GRACE).await;
        };
        tokio::select! {
            // The SDK catches panics in workflows, except in `#[init]`, which takes the worker down.
            ended = AssertUnwindSafe(worker.run()).catch_unwind() => {
                ended.map_err(|_| WorkerError::Panicked)??;
                tracing::info!("drained");
            }
            () = draining => tracing::warn!("the drain did not end in time; what still runs is left to its timeouts and another worker"),
            never = self.watchdog.tick() => match never {},
            never = self.follow(self.polls.subscribe(), started) => match never {},
        }
        Ok(())
    }

    async fn connected_worker<R>(
        &self,
        settings: &Settings,
        register: R,
    ) -> Result<Worker, WorkerError>
    where
        R: FnOnce(&mut WorkerOptions, &Settings) -> Result<(), RegistrationError>,
    {
        let mut options = worker_options(settings);
        if let Some(idle) = &self.idle {
            idle.count_activities(&mut options);
        }
        register(&mut options, settings).map_err(WorkerError::Registration)?;
        let client = self.connect(settings).await?;
        let runtime = RuntimeOptions::builder()
            .telemetry_options(self.metrics.telemetry())
            .build()
            .map_err(WorkerError::Setup)?;
        let runtime = Runtime::from_current_tokio(runtime).map_err(setup)?;
        Worker::new(&runtime, client, options).map_err(setup)
    }

    async fn connect(&self, settings: &Settings) -> Result<Client, WorkerError> {
        let waiting = |why: String| self.health.set("key_ring", Err(why));
        let keys = encryption::keys_telling(&settings.encryption, &waiting).await?;
        self.expose(keys.as_ref());
        let health = self.health.clone();
        let extras = Extras {
            metrics: self.metrics.meter()?,
            polls: self.polls.clone(),
            work: self.idle.as_ref().map(Idle::work),
            exposed: Some(self.exposed.clone()),
            waiting: Some(Arc::new(move |why| health.set("namespace", Err(why)))),
            ..Extras::default()
        };
        let codec = keys.map(|keys| keys.codec());
        let client = connection::connect(&settings.temporal, codec, extras).await?;
        Ok(client)
    }

    /// Shows how the keys are in readiness and metrics.
    fn expose(&self, keys: Option<&Keys>) {
        match keys {
            Some(keys) => keys.expose(&self.health, &self.exposed),
            None => self.health.set("key_ring", Ok(())),
        }
    }

    /// Keeps readiness in step with the polls, which tell whether the namespace lets us work.
    async fn follow(&self, mut polls: watch::Receiver<PollState>, started: Instant) -> Infallible {
        loop {
            let state = polls.borrow_and_update().clone();
            match state {
                PollState::NotStarted => {}
                PollState::Polling => self.say_polling(started),
                PollState::Failing { reason } => {
                    tracing::warn!(poll.failure = %reason, "polls fail");
                    self.health.set("pollers", Err(reason));
                }
                _ => {}
            }
            if polls.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    fn say_polling(&self, started: Instant) {
        self.health.set("namespace", Ok(()));
        self.health.set("pollers", Ok(()));
        self.health.readiness().ready();
        tracing::info!(
            start.elapsed_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
            "polling for tasks"
        );
    }

    async fn stop(self) {
        self.stop_serving.send(true).ok();
        self.serving.await.ok();
    }
}

fn setup(error: impl std::error::Error) -> WorkerError {
    WorkerError::Setup(sealane_service::exit::with_causes(&error))
}
