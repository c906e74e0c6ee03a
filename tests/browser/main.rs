//! The system of `cargo run`, seen by a person with a browser.
//!
//! Pictures of what the browser saw are kept in `target/tmp/screenshots`.

mod decryption;
mod start_form;
mod start_page;

mod stage;
