//! One of our processes inside this one, on a thread of its own: the SDK's worker cannot be moved, and what blocks one
//! service does not block another.

use std::{error::Error, io, pin::Pin, thread::JoinHandle};

use sealane_client::api::{self, ApiError};
use sealane_codec_server::CodecServerError;
use sealane_service::settings::Settings;
use sealane_worker::{RegistrationError, WorkerError, WorkerOptions};
use tokio::sync::oneshot;

/// Completes when a service is to stop.
type Shutdown = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A service that runs beside the rest of a program. Dropping it stops it, without waiting.
#[derive(Debug)]
pub struct ServiceThread<E> {
    stop: oneshot::Sender<()>,
    ended: oneshot::Receiver<Result<(), E>>,
    thread: JoinHandle<()>,
}

impl ServiceThread<WorkerError> {
    /// Starts a worker that runs what `register` registers.
    ///
    /// # Errors
    ///
    /// If no thread or runtime can be started.
    pub fn worker<R>(settings: Settings, register: R) -> io::Result<Self>
    where
        R: FnOnce(&mut WorkerOptions, &Settings) -> Result<(), RegistrationError> + Send + 'static,
    {
        Self::start("worker", |shutdown| {
            sealane_worker::run(settings, register, shutdown)
        })
    }
}

impl ServiceThread<ApiError> {
    /// Starts the HTTP API.
    ///
    /// # Errors
    ///
    /// If no thread or runtime can be started.
    pub fn api(settings: Settings, options: api::Options) -> io::Result<Self> {
        Self::start("api", |shutdown| api::run(settings, options, shutdown))
    }
}

impl ServiceThread<CodecServerError> {
    /// Starts the codec server.
    ///
    /// # Errors
    ///
    /// If no thread or runtime can be started.
    pub fn codec_server(settings: Settings) -> io::Result<Self> {
        Self::start("codec-server", |shutdown| {
            sealane_codec_server::run(settings, shutdown)
        })
    }
}

impl<E: Error + Send + 'static> ServiceThread<E> {
    /// Starts what `run` makes. It is made on the thread, so it need not be `Send`.
    fn start<F>(name: &str, run: impl FnOnce(Shutdown) -> F + Send + 'static) -> io::Result<Self>
    where
        F: Future<Output = Result<(), E>>,
    {
        let (stop, stopped) = oneshot::channel::<()>();
        let (end, ended) = oneshot::channel();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()?;
        let thread = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || {
                let shutdown = Box::pin(async {
                    stopped.await.ok();
                });
                let outcome = runtime.block_on(run(shutdown));
                runtime.shutdown_background();
                // Nobody may want to know.
                end.send(outcome).ok();
            })?;
        Ok(Self {
            stop,
            ended,
            thread,
        })
    }

    /// Completes when the service has ended by itself, and says how.
    ///
    /// # Errors
    ///
    /// What it ended with.
    ///
    /// # Panics
    ///
    /// If it panicked.
    pub async fn ended(&mut self) -> Result<(), E> {
        (&mut self.ended).await.expect("a service does not panic")
    }

    /// Drains the service and returns how it ended.
    ///
    /// # Errors
    ///
    /// What it ended with.
    ///
    /// # Panics
    ///
    /// If it panicked.
    pub async fn stop(self) -> Result<(), E> {
        self.stop.send(()).ok();
        let outcome = self.ended.await.expect("a service does not panic");
        self.thread.join().expect("a service does not panic");
        outcome
    }
}
