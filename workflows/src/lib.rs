//! Decisions: deterministic workflow code, and the contracts of the activities it calls.
//!
//! Nothing here can reach a network, a clock or a random number generator except through the workflow context, because
//! nothing that could is among the dependencies. Side effects live in `sealane-activities`, which implements the
//! contracts declared here.

pub mod greeting;
pub mod orders;
