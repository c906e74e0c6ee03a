//! Everything together, against a real Temporal server.

mod api_key;
mod azure_fake;
mod compression;
mod envelope;
mod greeting;
mod interop;
mod key_vault;
mod keys;
mod long_history;
mod no_plaintext;
mod orders;
mod oversize;
mod replay;
mod tls;
mod versioning;
mod watchdog;
