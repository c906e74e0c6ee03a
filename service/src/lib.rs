//! What every long-running Sealane process shares.
//!
//! A process reads its [`settings`] once, starts [`telemetry`], loads its keys for [`encryption`], answers [`probes`]
//! and requests over [`http`], and stops when [`shutdown`] says so. How it ended is one of the codes in [`exit`].

pub mod api_key;
pub mod auth;
pub mod build;
pub mod core_dumps;
pub mod encryption;
pub mod exit;
pub mod http;
pub mod probes;
pub mod settings;
pub mod shutdown;
pub mod telemetry;
