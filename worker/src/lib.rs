//! A Temporal worker with everything around it: settings, encryption, probes, metrics, graceful
//! drain. You bring workflows and activities.
//!
//! `examples/hello` is a whole program.
//!
//! A program that has more to do than run one worker calls [`run`] instead.

mod drain;
mod error;
pub mod flows;
mod idle;
mod memory;
mod metrics;
mod options;
mod process;
mod run;
mod told;
pub mod traces;
mod watchdog;

pub use sealane_service::settings::Settings;
pub use temporalio_sdk::WorkerOptions;

pub use self::{
    error::{RegistrationError, WorkerError},
    process::main,
    run::{run, run_until_idle},
};
