//! The command line `sealane` as its users have it: the real binary against a real dev server.

mod desk;
mod first_steps;
mod history;
mod orders;
mod outage;
mod refusals;
mod schedules;
mod terminal;
mod trigger;
mod unreadable;
mod waiting;
mod workflows;
