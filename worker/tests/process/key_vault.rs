//! Keys from a vault, as processes that run for long meet them: rotations, outages, limits.
//!
//! Times are compressed as far as Key Vault allows, which counts whole seconds. Every worker logs all it
//! can, and everything a process has shown is searched for keys and tokens when it ends.

pub(crate) mod api_key;
mod envelope;
mod fleet;
mod histories;
mod identity;
mod limit;
mod outage;
mod rotation;
mod scene;
mod tenants;
mod unknown;
