//! Everything together, against a real Temporal server.

mod api_key;
mod greeting;
mod interop;
mod keys;
mod no_plaintext;
mod orders;
mod replay;
mod tls;
mod versioning;
mod watchdog;
