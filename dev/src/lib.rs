//! What runs the whole of Sealane on a laptop: the Temporal dev server, the stub gateway and the processes between them.

pub mod gateway;
pub mod server;
pub mod temporal_cli;
