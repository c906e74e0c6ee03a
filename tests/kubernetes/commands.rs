//! Commands in pages: what is typed has to exist.

use std::{ffi::OsString, fs};

use anyhow::{Context, ensure};

use crate::programs::root;

/// Returns the commands of a page: lines of its shell blocks, and code within its text.
pub(crate) fn of(page: &str) -> Vec<String> {
    let mut commands = Vec::new();
    for (at, part) in page.split("```").enumerate() {
        match at % 2 {
            0 => commands.extend(part.split('`').skip(1).step_by(2).map(str::to_owned)),
            _ if part.starts_with("sh\n") => {
                let joined = part.replace("\\\n", " ");
                commands.extend(joined.lines().skip(1).map(str::to_owned));
            }
            _ => {}
        }
    }
    commands
}

/// Checks a command of ours, and says whether it was one.
///
/// # Errors
///
/// If it names a script, an option or a subcommand that is not there.
pub(crate) fn check(command: &str) -> anyhow::Result<bool> {
    let command = command.split(" #").next().unwrap_or_default();
    let words: Vec<_> = command.split_whitespace().collect();
    match words.first() {
        Some(program) if program.starts_with("infra/scripts/") && words.len() > 1 => {
            script(program, &words)
        }
        Some(&("deploy" | "validate" | "destroy" | "reap")) if words.len() > 1 => {
            script(&format!("infra/scripts/{}", words[0]), &words)
        }
        Some(&"sealane") if words.len() > 1 => subcommand(&words),
        _ => Ok(false),
    }
}

/// Every option that is typed has a line in the help of the script.
fn script(program: &str, words: &[&str]) -> anyhow::Result<bool> {
    let source =
        fs::read_to_string(root().join(program)).with_context(|| format!("no {program}"))?;
    for option in words.iter().filter(|it| it.starts_with("--")) {
        let option = option.split('=').next().unwrap_or_default();
        let line = format!("\n  {option} ");
        ensure!(
            source.contains(&line) || source.contains(&format!("{option} shows this")),
            "{program} has no {option}"
        );
    }
    Ok(true)
}

/// clap is asked, and may only miss what a page leaves out.
fn subcommand(words: &[&str]) -> anyhow::Result<bool> {
    let is_outline = words
        .iter()
        .any(|it| it.contains(['…', '|', '[']) || it.chars().all(|it| it.is_ascii_uppercase()));
    let arguments = words.iter().map(OsString::from);
    let Err(error) = sealane_client::cli::parse(arguments) else {
        return Ok(true);
    };
    use clap::error::ErrorKind::{
        DisplayHelp, DisplayHelpOnMissingArgumentOrSubcommand, DisplayVersion,
        MissingRequiredArgument, MissingSubcommand,
    };
    let left_out = [
        DisplayHelp,
        DisplayVersion,
        MissingRequiredArgument,
        MissingSubcommand,
        DisplayHelpOnMissingArgumentOrSubcommand,
    ];
    ensure!(is_outline || left_out.contains(&error.kind()), "{error}");
    Ok(true)
}
