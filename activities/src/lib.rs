//! Side effects: what the activities promised in `sealane-workflows` really do.
//!
//! Temporal runs an activity at least once, so each one here says how running it twice comes to the same as once.

pub mod greeting;
pub mod orders;
