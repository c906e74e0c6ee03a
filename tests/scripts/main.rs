//! The scripts of infra/scripts against stand-ins for every program that reaches beyond the machine.
#![expect(
    clippy::unwrap_used,
    reason = "what stands for a program may end a test as well as the test itself"
)]

mod deploy;
mod destroy;
mod environment;
mod harness;
mod harness_tests;
mod reap;
mod shell;
mod validate;
