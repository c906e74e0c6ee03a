//! What only a process of its own, or a real socket, can show.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on fails where it stands"
)]

mod auth;
mod child;
mod http;
#[path = "../../../tests/support/issuer.rs"]
#[expect(
    dead_code,
    unreachable_pub,
    reason = "shared with the tests of other crates, which use more of it"
)]
mod issuer;
mod panics;
mod probes;
mod shutdown;
#[path = "../../../tests/support/tls.rs"]
#[expect(
    dead_code,
    unreachable_pub,
    reason = "shared with the tests of other crates, which use more of it"
)]
mod tls;
