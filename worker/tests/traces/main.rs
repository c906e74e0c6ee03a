//! Traces from the request to the activity, as a receiver sees them. Traces are on in this process
//! too, which plays the caller.

mod header;
mod logs;
mod one_trace;
mod peers;
mod receiver;
mod replay;
mod scene;
mod secrecy;
