//! The activities of the greeting workflow.
#![expect(
    missing_docs,
    reason = "the macro turns each activity into a type and a constant without its comment"
)]

use sealane_workflows::greeting::{Finish, Greet, Process};
use temporalio_macros::activities;
use temporalio_sdk::activities::{ActivityContext, ActivityError};

/// Formats greetings. Nothing outside is touched, so running an activity twice changes nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Greeting;

#[activities]
impl Greeting {
    /// Answers `Hello, {name}!`.
    ///
    /// # Errors
    ///
    /// None.
    #[activity(definition = Greet)]
    pub async fn greet(_ctx: ActivityContext, name: String) -> Result<String, ActivityError> {
        Ok(format!("Hello, {name}!"))
    }

    /// Answers `Processed: {greeting}`.
    ///
    /// # Errors
    ///
    /// None.
    #[activity(definition = Process)]
    pub async fn process(_ctx: ActivityContext, greeting: String) -> Result<String, ActivityError> {
        Ok(format!("Processed: {greeting}"))
    }

    /// Answers `Final result: {processed}`.
    ///
    /// # Errors
    ///
    /// None.
    #[activity(definition = Finish)]
    pub async fn finish(_ctx: ActivityContext, processed: String) -> Result<String, ActivityError> {
        Ok(format!("Final result: {processed}"))
    }
}
