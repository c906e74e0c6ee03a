//! Payloads that Temporal would refuse, kept in Azurite: real worker, real command line, real server
//! with a database file.
//!
//! The identity is the one that the vault tests use, and Entra is their fake; keys are in a file, so that
//! blobs are all that is asked of Azure.

mod api;
mod broken;
mod outage;
mod stage;
mod travel;
