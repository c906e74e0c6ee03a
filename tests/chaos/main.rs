//! Nothing is lost, whatever goes wrong: real programs, a server on a database file, and orders that go on while workers
//! and server are killed, connections cut, keys rotated and the vault is gone.
//!
//! docs/reliability.md says what is promised, and how to run the long one.

mod chance;
mod clock;
mod journal;
mod keeper;
mod key_file;
mod line;
mod plaintext;
mod plan;
mod run;
mod stage;
mod strike;
mod trade;
mod verdict;
mod wish;

use plan::{SHORT_ORDERS, SHORT_SEED};
use run::Run;

/// Three hundred orders, in about a minute. `SEALANE_CHAOS_SEED` and `SEALANE_CHAOS_WORKFLOWS` make it another run.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_short_run_loses_nothing() -> anyhow::Result<()> {
    Run::from_environment(SHORT_SEED, SHORT_ORDERS, 12.0)?
        .go()
        .await
}

/// Ten thousand orders.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes long: cargo test -p sealane-tests --test chaos -- --ignored --nocapture a_long_run"]
async fn a_long_run_loses_nothing() -> anyhow::Result<()> {
    Run::from_environment(1, 10_000, 20.0)?.go().await
}
