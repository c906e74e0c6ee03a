//! The codec server as browsers, the CLI and strangers meet it: the router by itself where that is enough, the real
//! binary where it is not.

mod auth;
mod cli;
mod cors;
mod documents;
mod keys;
mod large_payloads;
mod limits;
mod local;
mod namespaces;
mod process;
mod protocol;
mod support;
