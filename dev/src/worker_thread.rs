//! A worker in this process, on a thread of its own because the SDK's worker cannot be moved.

use std::thread::JoinHandle;

use sealane_service::settings::Settings;
use sealane_worker::{RegistrationError, WorkerError, WorkerOptions};
use tokio::sync::oneshot;

/// A worker that runs beside the rest of a program. Dropping it stops it, without waiting.
#[derive(Debug)]
pub struct WorkerThread {
    stop: oneshot::Sender<()>,
    ended: oneshot::Receiver<Result<(), WorkerError>>,
    thread: JoinHandle<()>,
}

impl WorkerThread {
    /// Starts a worker that runs what `register` registers.
    ///
    /// # Errors
    ///
    /// If no thread or runtime can be started.
    pub fn start<R>(settings: Settings, register: R) -> std::io::Result<Self>
    where
        R: FnOnce(&mut WorkerOptions, &Settings) -> Result<(), RegistrationError> + Send + 'static,
    {
        let (stop, stopped) = oneshot::channel::<()>();
        let (end, ended) = oneshot::channel();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()?;
        let thread = std::thread::Builder::new()
            .name("worker".to_owned())
            .spawn(move || {
                let shutdown = async {
                    stopped.await.ok();
                };
                let outcome = runtime.block_on(sealane_worker::run(settings, register, shutdown));
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

    /// Completes when the worker has ended by itself, and says how.
    ///
    /// # Errors
    ///
    /// What the worker ended with.
    ///
    /// # Panics
    ///
    /// If the worker panicked.
    pub async fn ended(&mut self) -> Result<(), WorkerError> {
        (&mut self.ended).await.expect("the worker does not panic")
    }

    /// Drains the worker and returns how it ended.
    ///
    /// # Errors
    ///
    /// What the worker ended with.
    ///
    /// # Panics
    ///
    /// If the worker panicked.
    pub async fn stop(self) -> Result<(), WorkerError> {
        self.stop.send(()).ok();
        let outcome = self.ended.await.expect("the worker does not panic");
        self.thread.join().expect("the worker does not panic");
        outcome
    }
}
