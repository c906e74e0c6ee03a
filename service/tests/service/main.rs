//! What only a process of its own, or a real socket, can show.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on fails where it stands"
)]

mod child;
mod panics;
mod probes;
mod shutdown;
