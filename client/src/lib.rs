//! Everything that talks to Temporal but is no worker: the connection, typed handles, schedules and the CLI `sealane`.

pub mod api;
pub mod audit;
pub mod call;
pub mod cli;
pub mod connection;
pub mod decode;
pub mod doctor;
pub mod failure;
pub mod handles;
pub mod load;
pub mod payload;
pub mod schedule;
pub mod trigger;
pub mod workflow;
