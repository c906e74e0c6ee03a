//! Encrypts and decrypts payloads for those who may: the Temporal Web UI and CLI speak to it over HTTP.
//!
//! `POST …/decode` and `POST …/encode` take and return `temporal.api.common.v1.Payloads` as proto3 JSON,
//! at any depth of the path. What is not encrypted comes back from `/decode` as it went, because the Web UI
//! sends whatever it finds. docs/codec-server.md has the protocol and the settings of UI and CLI.

#![forbid(unsafe_code)]

mod cors;
mod error;
mod metrics;
mod process;
mod protojson;
mod router;
mod run;
mod target;
mod transcode;

pub use self::{
    error::CodecServerError,
    process::main,
    router::{CodecCell, router},
    run::run,
};
