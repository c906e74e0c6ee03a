//! A worker in this process, with the registrations of a test.

use sealane_dev::ServiceThread;
use sealane_service::settings::Settings;
use sealane_worker::{RegistrationError, WorkerError, WorkerOptions};

use crate::orders::patiently;

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
    ///
    /// # Panics
    ///
    /// If it panicked or does not drain.
    pub async fn stop(self) -> Result<(), WorkerError> {
        patiently("the worker", self.0.stop()).await
    }

    /// Completes when the worker has ended by itself, and says how.
    ///
    /// # Errors
    ///
    /// What the worker ended with.
    ///
    /// # Panics
    ///
    /// If it panicked.
    pub async fn ended(&mut self) -> Result<(), WorkerError> {
        self.0.ended().await
    }
}
