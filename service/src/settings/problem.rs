//! Why settings cannot be used, and where each value came from.

use std::{
    fmt, io,
    path::{Path, PathBuf},
};

use super::{definitions::Definition, secret::REDACTED};

/// Where the value of a setting came from.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Source {
    /// The environment of the process.
    Environment,
    /// A line of the configuration file.
    File {
        /// The configuration file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
    },
    /// The profile that `TEMPORAL_CONFIG_FILE` and `TEMPORAL_PROFILE` choose.
    Profile {
        /// Name of the profile.
        name: String,
    },
    /// Nothing set it.
    Default,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Environment => f.write_str("env"),
            Self::File { path, line } => write!(f, "{}:{line}", path.display()),
            Self::Profile { name } => write!(f, "profile {name}"),
            Self::Default => f.write_str("default"),
        }
    }
}

/// Everything that is wrong with the settings, one line each.
#[derive(Debug, thiserror::Error)]
pub struct SettingsError {
    problems: Vec<Problem>,
}

impl SettingsError {
    pub(super) fn new(problems: Vec<Problem>) -> Self {
        Self { problems }
    }

    /// Returns the problems, those of the configuration file first.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            write!(f, "{separator}{problem}")?;
        }
        Ok(())
    }
}

/// One thing that is wrong with the settings.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// The configuration file cannot be read: correct `--config` or `SEALANE_CONFIG`.
    #[error("{} is not a readable configuration file: {cause}", path.display())]
    Unreadable {
        /// The configuration file.
        path: PathBuf,
        /// What the operating system says.
        cause: io::Error,
    },

    /// A line of the configuration file cannot be understood. The line is not quoted: it may hold a secret.
    #[error("{}:{line}: {reason}", path.display())]
    Line {
        /// The configuration file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// What was expected of the line.
        reason: String,
    },

    /// A value is outside its domain.
    #[error("{name} is {value} ({at}), expected {expected}")]
    Invalid {
        /// The setting to correct.
        name: &'static str,
        /// What it is now, or `<redacted>`.
        value: String,
        /// Where that was said.
        at: Source,
        /// What it may be.
        expected: String,
    },

    /// A setting that the others make necessary is absent.
    #[error("{name} is not set, expected {expected}")]
    Missing {
        /// The setting to add.
        name: &'static str,
        /// What it may be, and why it is needed.
        expected: String,
    },

    /// Two settings that exclude each other are both there.
    #[error("{first} and {second} are both set, expected one of them")]
    Both {
        /// One of the two.
        first: &'static str,
        /// The other.
        second: &'static str,
    },

    /// A setting that Temporal knows, but that cannot be honoured here.
    #[error("{name} is set ({at}), {reason}")]
    Refused {
        /// The setting to remove.
        name: &'static str,
        /// Where it was set.
        at: Source,
        /// Why it is refused.
        reason: &'static str,
    },

    /// A variable of the environment is not text.
    #[error("{name} is not readable (env), expected UTF-8 text")]
    NotText {
        /// The setting to correct.
        name: String,
    },

    /// A gRPC header cannot be sent. Its value may be a credential and is not shown.
    #[error(
        "gRPC header {name:?} is <redacted>, expected a lower-case name and visible ASCII characters"
    )]
    Header {
        /// Name of the header.
        name: String,
    },

    /// The Temporal profile cannot be loaded.
    #[error("{name}: {reason}")]
    Profile {
        /// The setting that chose the profile.
        name: &'static str,
        /// What is wrong with it; never a line of the file, which may hold a secret.
        reason: String,
    },
}

impl Problem {
    pub(super) fn line(path: &Path, line: usize, reason: impl Into<String>) -> Self {
        Self::Line {
            path: path.to_owned(),
            line,
            reason: reason.into(),
        }
    }

    pub(super) fn invalid(
        definition: &Definition,
        value: &str,
        at: Source,
        expected: impl Into<String>,
    ) -> Self {
        let value = if definition.secret {
            REDACTED.to_owned()
        } else {
            format!("{:?}", without_credentials(value))
        };
        Self::Invalid {
            name: definition.name,
            value,
            at,
            expected: expected.into(),
        }
    }
}

/// Blanks what is secret in a URL, which may end up in any setting by mistake: user name and password, and query and fragment, which
/// for storage are a signature.
pub(super) fn without_credentials(value: &str) -> String {
    let Some((scheme, rest)) = value.split_once("://") else {
        // TEMPORAL_ADDRESS, for one, has no scheme.
        return match value.rsplit_once('@') {
            Some((user, host)) if user.contains(':') => format!("{REDACTED}@{host}"),
            _ => value.to_owned(),
        };
    };
    let (user, rest) = match rest.rsplit_once('@') {
        Some((_, rest)) => (format!("{REDACTED}@"), rest),
        None => (String::new(), rest),
    };
    let (rest, query) = match rest.find(['?', '#']) {
        Some(at) => (&rest[..at], format!("{}{REDACTED}", &rest[at..=at])),
        None => (rest, String::new()),
    };
    format!("{scheme}://{user}{rest}{query}")
}
