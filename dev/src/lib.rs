//! What runs the whole of Sealane on a laptop: the Temporal dev server, the stub gateway and the
//! processes between them.

mod arguments;
pub mod gateway;
mod home;
mod program;
mod samples;
pub mod server;
mod system;
pub mod temporal_cli;
mod worker_thread;

pub use self::{program::main, worker_thread::WorkerThread};
