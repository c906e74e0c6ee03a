//! `sealane keys`: make keys, see what needs them, free what can be freed.

mod audit;
mod decode;
mod generate;
mod list;
mod reencrypt;
mod rotate;
mod scrape;
mod vault;

use clap::Subcommand;

use super::{CliError, Globals};

#[derive(Debug, Subcommand)]
pub(super) enum KeysCommand {
    /// Write a new key ring with one AES-256 key
    Generate(generate::Generate),
    /// Show the keys: which encrypts, which only decrypt, which is next
    List(list::List),
    /// Add a new key to the vault; every process takes it up without a restart
    Rotate(rotate::Rotate),
    /// Say which keys open workflows and schedules still need
    Audit(audit::Audit),
    /// Encrypt what schedules hold under the active key
    ReencryptSchedules(reencrypt::ReencryptSchedules),
    /// Decrypt payloads or an exported history, offline
    Decode(decode::Decode),
}

impl KeysCommand {
    pub(super) async fn run(self, globals: &Globals) -> Result<(), CliError> {
        match self {
            Self::Generate(command) => command.run(globals),
            Self::List(command) => Box::pin(command.run(globals)).await,
            Self::Rotate(command) => Box::pin(command.run(globals)).await,
            Self::Audit(command) => Box::pin(command.run(globals)).await,
            Self::ReencryptSchedules(command) => Box::pin(command.run(globals)).await,
            Self::Decode(command) => command.run(globals).await,
        }
    }
}
