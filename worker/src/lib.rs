//! A Temporal worker with everything around it: settings, encryption, probes, metrics, graceful
//! drain. You bring workflows and activities.
//!
//! ```no_run
//! use std::process::ExitCode;
//!
//! use sealane_worker::{RegistrationError, Settings, WorkerOptions};
//! # use sealane_workflows::greeting::GreetingWorkflow;
//! # use sealane_activities::greeting::Greeting;
//!
//! fn main() -> ExitCode {
//!     sealane_worker::main(register)
//! }
//!
//! fn register(worker: &mut WorkerOptions, _: &Settings) -> Result<(), RegistrationError> {
//!     worker
//!         .register_workflow::<GreetingWorkflow>()?
//!         .register_activities(Greeting);
//!     Ok(())
//! }
//! ```
//!
//! A program that has more to do than run one worker calls [`run`] instead.

mod error;
pub mod flows;
mod metrics;
mod options;
mod process;
mod run;
mod watchdog;

pub use sealane_service::settings::Settings;
pub use temporalio_sdk::WorkerOptions;

pub use self::{
    error::{RegistrationError, WorkerError},
    process::main,
    run::run,
};
