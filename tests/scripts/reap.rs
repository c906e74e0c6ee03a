//! `infra/scripts/reap`: what it deletes, and all that it leaves alone.

mod decisions;
mod refusals;
mod settings;
mod subscription;
