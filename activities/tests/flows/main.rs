//! The activities as a worker runs them, against a gateway that really listens.

mod greeting;
mod refusals;
mod repetition;
mod shipping;
mod support;
