//! Ports that may be closed for a while.

use std::{fs, net::TcpListener, process};

use anyhow::Context;

/// The lowest port that is tried: those below belong to services that people know.
const LOWEST: u16 = 15_000;

/// Returns a free port that the system gives nobody who connects: while it is closed, somebody else would have it, or who
/// connects to it would meet themselves.
///
/// # Errors
///
/// If there is none.
pub(super) fn quiet_port() -> anyhow::Result<u16> {
    let range = fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range")?;
    let first = range
        .split_whitespace()
        .next()
        .and_then(|it| it.parse().ok());
    let end: u16 = first.context("no range of ports")?;
    let mut candidates = LOWEST..end;
    // Runs side by side begin in different places.
    let skip = usize::try_from(process::id())? % candidates.len().max(1);
    let free = |port: &u16| TcpListener::bind(("127.0.0.1", *port)).is_ok();
    let after = candidates.clone().skip(skip).find(free);
    let port = after.or_else(|| candidates.find(free));
    port.with_context(|| format!("no free port from {LOWEST} to {end}"))
}
