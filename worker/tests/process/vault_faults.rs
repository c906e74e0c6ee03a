//! Everything that Azure can do to a worker: at its start, and while it runs.
//!
//! What a worker says and does about each fault is in docs/troubleshooting-keys.md, and that
//! document is what these tests compare it with.

mod cases;
mod document;
mod fine;
mod life;
mod pod;
mod running;
mod slow;
mod start;

pub(crate) use self::{
    cases::Case,
    document::{Row, Start},
    pod::Pod,
};
