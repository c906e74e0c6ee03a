//! The worker as it is deployed: the real binary, signals, probes and exit codes, against a real Temporal server.

mod bad_input;
mod drain;
mod metrics;
mod support;
