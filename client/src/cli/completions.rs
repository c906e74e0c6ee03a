//! `sealane completions`.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::{Cli, CliError, output};

/// Prints a completion script, for example for `~/.local/share/bash-completion/completions/sealane`.
#[derive(Debug, Args)]
pub(super) struct CompletionsCommand {
    /// The shell to complete in
    #[arg(value_enum)]
    shell: Shell,
}

impl CompletionsCommand {
    pub(super) fn run(self) -> Result<(), CliError> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "sealane", &mut script);
        output::print(String::from_utf8_lossy(&script).trim_end())
    }
}
