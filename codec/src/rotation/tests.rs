//! The plan, rule by rule and in a simulated fleet.

mod any_list;
mod fleet;
mod promises;
mod schedule;
mod table;
mod vault;
