//! What the cross-crate tests share: one real dev server per test binary, workers in this process,
//! and a world of its own (task queue, key ring, folder) for every test.

pub mod azure;
pub mod azurite;
pub mod browser;
pub mod bulky;
pub mod canary;
pub mod collector;
pub mod frontend;
pub mod guarded;
pub mod histories;
mod installer;
pub mod issuer;
pub mod local;
pub mod orders;
pub mod process;
pub mod python;
pub mod secrets;
pub mod tls;
pub mod traced;
mod vault_world;
mod worker;
mod world;

pub use vault_world::{VaultClient, VaultWorld};
pub use worker::TestWorker;
pub use world::{World, home, ring_with, server, temporal_cli};
