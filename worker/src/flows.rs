//! The flows of this repository, as an example of a registration.

use sealane_activities::{greeting::Greeting, orders::Orders};
use sealane_service::settings::Settings;
use sealane_workflows::{greeting::GreetingWorkflow, orders::OrderWorkflow};
use temporalio_sdk::WorkerOptions;

use crate::error::RegistrationError;

/// Registers `GreetingWorkflow` and `OrderWorkflow` with their activities.
///
/// # Errors
///
/// If a type is registered already, or the HTTP client for the order gateway cannot be made.
pub fn register(worker: &mut WorkerOptions, settings: &Settings) -> Result<(), RegistrationError> {
    worker
        .register_workflow::<GreetingWorkflow>()?
        .register_workflow::<OrderWorkflow>()?
        .register_activities(Greeting)
        .register_activities(Orders::new(settings.orders_gateway_url.clone())?);
    Ok(())
}
