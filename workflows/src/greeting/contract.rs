//! What the greeting workflow asks of its activities.
#![expect(
    clippy::needless_pass_by_value,
    missing_docs,
    reason = "the macro turns each method into a type and a constant without its comment, and nothing calls its body"
)]

use temporalio_common::ActivityError;
use temporalio_macros::activity_definitions;

pub use greeting_activities::{Finish, Greet, Process};

/// Contracts of the three activities, by the names they have on the task queue.
pub struct GreetingActivities;

#[activity_definitions]
impl GreetingActivities {
    /// Takes a name, answers `Hello, {name}!`.
    ///
    /// # Errors
    ///
    /// None of its own.
    #[activity(name = "greet")]
    pub fn greet(name: String) -> Result<String, ActivityError> {
        unimplemented!()
    }

    /// Takes a greeting, answers `Processed: {greeting}`.
    ///
    /// # Errors
    ///
    /// None of its own.
    #[activity(name = "process")]
    pub fn process(greeting: String) -> Result<String, ActivityError> {
        unimplemented!()
    }

    /// Takes a processed greeting, answers `Final result: {processed}`.
    ///
    /// # Errors
    ///
    /// None of its own.
    #[activity(name = "finish")]
    pub fn finish(processed: String) -> Result<String, ActivityError> {
        unimplemented!()
    }
}
