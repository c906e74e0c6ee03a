//! The command line `sealane` as its users have it: the real binary against a real dev server.

mod desk;
mod doctor;
mod first_steps;
mod history;
mod key_vault_cli;
mod keys;
mod late_role;
mod load;
mod orders;
mod outage;
mod oversize;
mod refusals;
mod runbook;
mod schedules;
mod terminal;
mod traces;
mod trigger;
mod unreadable;
mod waiting;
mod workflows;
