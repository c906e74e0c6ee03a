//! `infra/scripts/validate`: what it finds out, and that it is not told stories.

mod api;
mod broken;
mod checklist;
mod cluster;
mod flow;
mod health;
mod history;
mod order;
mod reaching;
mod timing;
