//! The worker as it is deployed: the real binary, signals, probes and exit codes, against a real Temporal server.

mod bad_input;
mod core_dumps;
mod drain;
mod idle;
mod key_vault;
mod large_payloads;
mod memory;
mod metrics;
mod sizes;
mod support;
mod vault_bad_input;
mod vault_faults;
