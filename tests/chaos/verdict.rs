//! What has to be true once everything has ended. Pure functions, so that each can be shown to object.

mod book;
mod database;
mod ends;
mod runs;
mod workers;

pub(crate) use book::Book;
pub(crate) use database::search;
pub(crate) use ends::{count, judge, unheard};
pub(crate) use runs::each_ran_once;
pub(crate) use workers::{at_rest, grew, largest, told, unlimited};
