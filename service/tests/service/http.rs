//! The HTTP edge, against a real server and raw sockets.

mod abuse;
mod admission;
mod answers;
mod bodies;
mod limits;
mod metrics;
mod running;
mod server;
