//! Everything together, against a real Temporal server.

mod greeting;
mod no_plaintext;
