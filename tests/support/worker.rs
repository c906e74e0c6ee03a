//! A worker in this process, on a thread of its own because the SDK's worker cannot be moved.

use std::thread::JoinHandle;

use sealane_service::settings::Settings;
use sealane_worker::{RegistrationError, WorkerError, WorkerOptions};
use tokio::sync::oneshot;

/// A running worker. Dropping it stops it, without waiting.
pub struct TestWorker {
    stop: oneshot::Sender<()>,
    thread: JoinHandle<Result<(), WorkerError>>,
}

impl TestWorker {
    /// Starts a worker that runs what `register` registers.
    ///
    /// # Panics
    ///
    /// If no thread can be started.
    pub fn start<R>(settings: Settings, register: R) -> Self
    where
        R: FnOnce(&mut WorkerOptions, &Settings) -> Result<(), RegistrationError> + Send + 'static,
    {
        let (stop, stopped) = oneshot::channel::<()>();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(1)
                .enable_all()
                .build()
                .expect("a runtime");
            runtime.block_on(sealane_worker::run(settings, register, async {
                stopped.await.ok();
            }))
        });
        Self { stop, thread }
    }

    /// Starts a worker for the flows of this repository.
    pub fn of_flows(settings: Settings) -> Self {
        Self::start(settings, sealane_worker::flows::register)
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
        let thread = self.thread;
        tokio::task::spawn_blocking(move || thread.join())
            .await
            .expect("joining does not panic")
            .expect("the worker does not panic")
    }
}
