//! The smallest useful flow: three activities in a row.

mod contract;
mod workflow;

pub use contract::{Finish, Greet, GreetingActivities, Process};
pub use workflow::{GreetingWorkflow, START_TO_CLOSE};
