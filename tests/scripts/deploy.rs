//! `infra/scripts/deploy`: its order, its guards, and what it says when programs fail.

mod arguments;
mod azure;
mod broken;
mod building;
mod cluster;
mod guards;
mod keda;
mod lifetime;
mod order;
mod pollers;
mod secrecy;
mod signals;
mod stage;
