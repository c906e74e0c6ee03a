//! A world of its own for every run of a script: a copy of the scripts, a home, and a `PATH` on which each program that
//! reaches beyond the machine is a stand-in whose answers the test gives.
//!
//! Every run also proves, without being asked, that nothing was written outside `.sealane`, that no secret is in a call, in
//! the output or in a file, that no process is left, and that every call had an answer.

mod call;
mod outcome;
mod patience;
mod reply;
mod server;
mod snapshot;
mod tools;
mod world;

pub(crate) use call::{Call, Record};
pub(crate) use outcome::Outcome;
pub(crate) use reply::Reply;
pub(crate) use tools::repository;
pub(crate) use world::World;
