//! `sealane tokens`: static tokens for the HTTP API and the codec server.

use std::{
    fs::OpenOptions,
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use clap::{Args, Subcommand};
use sealane_service::{
    auth::{GenerateError, Grants, IssuedToken, Role},
    exit,
};
use serde::Serialize;

use super::{CliError, Globals, output};

#[derive(Debug, Subcommand)]
pub(super) enum TokensCommand {
    /// Make a new token, and the entry that makes it known
    Generate(Generate),
}

impl TokensCommand {
    pub(super) fn run(self, globals: &Globals) -> Result<(), CliError> {
        match self {
            Self::Generate(command) => command.run(globals),
        }
    }
}

/// Makes a token of 256 random bits. Nothing keeps it: it is shown once, or written to a file that
/// only its owner may read. The entry holds a digest of it and belongs into the file that
/// `SEALANE_AUTH_TOKENS_FILE` names.
#[derive(Debug, Args)]
pub(super) struct Generate {
    /// What its holder is called in logs; no two tokens of a file share a name
    #[arg(long)]
    name: String,
    /// What it allows: a namespace, or `*` for all, and `reader` or `writer`; repeat for several
    #[arg(long = "grant", required = true, value_name = "NAMESPACE=ROLE")]
    grants: Vec<String>,
    /// File to create for the token, instead of printing it
    #[arg(long, value_name = "PATH")]
    out: Option<PathBuf>,
}

/// What was made: the token in one of two places, and what may be known to all.
#[derive(Serialize)]
struct Made<'a, E: Serialize> {
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    entry: E,
}

impl Generate {
    fn run(self, globals: &Globals) -> Result<(), CliError> {
        let grants = grants(&self.grants)?;
        let token = IssuedToken::generate(&self.name, grants).map_err(not_made)?;
        if let Some(path) = &self.out {
            write_new(path, token.secret()).map_err(|error| unwritten(path, &error))?;
        }
        let made = Made {
            token: self.out.is_none().then(|| token.secret()),
            file: self.out.map(|path| path.display().to_string()),
            entry: token.entry(),
        };
        output::one(globals.output, &made)
    }
}

fn grants(values: &[String]) -> Result<Grants, CliError> {
    let mut grants = Grants::default();
    for value in values {
        let (namespace, role) = grant(value).ok_or_else(|| {
            CliError::usage(format!(
                "--grant is {value:?}, expected NAMESPACE=reader or NAMESPACE=writer"
            ))
        })?;
        grants.add(namespace, role);
    }
    Ok(grants)
}

fn grant(value: &str) -> Option<(&str, Role)> {
    let (namespace, role) = value.split_once('=')?;
    let role = match role {
        "reader" => Role::Reader,
        "writer" => Role::Writer,
        _ => return None,
    };
    let is_name = !namespace.is_empty() && !namespace.contains(char::is_whitespace);
    is_name.then_some((namespace, role))
}

/// An existing file may hold the only copy of another token.
fn write_new(path: &Path, token: &str) -> io::Result<()> {
    let mut options = OpenOptions::new();
    let mut file = options
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    writeln!(file, "{token}")?;
    file.sync_all()
}

fn not_made(error: GenerateError) -> CliError {
    match error {
        GenerateError::Name(error) => CliError::usage(format!("--name: {error}")),
        error => CliError::new(exit::INTERNAL, error.to_string()),
    }
}

fn unwritten(path: &Path, error: &io::Error) -> CliError {
    let path = path.display();
    CliError::usage(match error.kind() {
        io::ErrorKind::AlreadyExists => {
            format!("{path} exists and is not overwritten; choose another --out")
        }
        _ => format!("--out: cannot write {path}: {error}"),
    })
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt};

    use sealane_service::auth::Role;

    use super::{grant, grants, write_new};

    #[test]
    fn a_grant_is_a_namespace_and_a_role() {
        assert_eq!(grant("orders=writer"), Some(("orders", Role::Writer)));
        assert_eq!(grant("*=reader"), Some(("*", Role::Reader)));
        for wrong in ["orders", "=reader", "orders=", "orders=admin", "a b=reader"] {
            assert_eq!(grant(wrong), None, "{wrong}");
            assert!(grants(&[wrong.to_owned()]).is_err());
        }
    }

    #[test]
    fn a_token_file_is_private_and_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");

        write_new(&file, "sealane_a").unwrap();

        assert_eq!(fs::read_to_string(&file).unwrap(), "sealane_a\n");
        let mode = fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert!(write_new(&file, "sealane_b").is_err());
        assert_eq!(fs::read_to_string(&file).unwrap(), "sealane_a\n");
    }
}
