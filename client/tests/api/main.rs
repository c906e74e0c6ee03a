//! The HTTP API as its callers have it: `sealane serve` as a process, between a real dev server and them.

mod abuse;
mod access;
mod answer;
mod continued;
mod document;
mod greetings;
mod idempotency;
mod life;
mod listing;
mod messages;
mod orders;
mod outage;
mod oversize;
mod schemathesis;
mod secrecy;
mod service;
mod workflows;
