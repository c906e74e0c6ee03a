//! What runs the whole of Sealane on a laptop: the Temporal dev server, the stub gateway and the
//! processes between them.

mod arguments;
pub mod gateway;
pub mod guardian;
mod home;
mod places;
mod program;
mod samples;
pub mod server;
mod service_thread;
mod system;
pub mod temporal_cli;

pub use self::{
    arguments::Arguments, places::Places, program::main, service_thread::ServiceThread,
    system::System,
};
