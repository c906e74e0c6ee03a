//! A worker in this process, with the registrations of a test.

use sealane_dev::ServiceThread;
use sealane_service::settings::Settings;
use sealane_worker::{RegistrationError, WorkerError, WorkerOptions};

/// A running worker. Dropping it stops it, without waiting.
pub struct TestWorker(ServiceThread<WorkerError>);

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
        Self(ServiceThread::worker(settings, register).expect("a thread"))
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
    pub async fn stop(self) -> Result<(), WorkerError> {
        self.0.stop().await
    }
}
