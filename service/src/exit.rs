//! How a process ends: one exit code per kind of remedy, the same in every binary.
//!
//! The values are those of `sysexits.h`, so that a restart policy or a script can tell them apart.

use std::{error::Error, process::ExitCode};

use crate::{probes::BindError, settings::SettingsError, telemetry::InitError};

/// Stopped as asked.
pub const OK: u8 = 0;

/// The command line makes no sense (`EX_USAGE`).
pub const USAGE: u8 = 64;

/// Something this process needs cannot be reached; starting again later may help (`EX_UNAVAILABLE`).
pub const UNAVAILABLE: u8 = 69;

/// A fault of the program itself (`EX_SOFTWARE`).
pub const INTERNAL: u8 = 70;

/// Credentials were refused, or a permission is missing (`EX_NOPERM`).
pub const REFUSED: u8 = 77;

/// A setting is missing or wrong; starting again cannot help until it changes (`EX_CONFIG`).
pub const SETTINGS: u8 = 78;

/// An error that knows which exit code tells its remedy.
pub trait ExitStatus: Error {
    /// Returns one of the codes of this module.
    fn exit_code(&self) -> u8;
}

/// Turns the outcome of `program` into its exit code, after one line on standard error for each problem.
///
/// Works before logging is set up, and prints no backtrace. Causes follow their error on the same line.
pub fn conclude<E: ExitStatus>(program: &str, outcome: Result<(), E>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::from(OK),
        Err(error) => {
            for line in with_causes(&error).lines() {
                eprintln!("{program}: {line}");
            }
            ExitCode::from(error.exit_code())
        }
    }
}

/// Joins an error and what caused it with colons, as one message.
pub fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

impl ExitStatus for SettingsError {
    fn exit_code(&self) -> u8 {
        SETTINGS
    }
}

impl ExitStatus for InitError {
    fn exit_code(&self) -> u8 {
        match self {
            Self::Filter { .. } => SETTINGS,
            Self::AlreadySet => INTERNAL,
        }
    }
}

impl ExitStatus for BindError {
    fn exit_code(&self) -> u8 {
        match self.cause().kind() {
            std::io::ErrorKind::PermissionDenied => REFUSED,
            std::io::ErrorKind::AddrNotAvailable => SETTINGS,
            _ => UNAVAILABLE,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::{BindError, ExitStatus, REFUSED, UNAVAILABLE, with_causes};

    fn bind_error(kind: io::ErrorKind) -> BindError {
        BindError::new(([127, 0, 0, 1], 80).into(), kind.into())
    }

    #[test]
    fn a_port_in_use_may_be_free_later_but_a_forbidden_one_will_not() {
        assert_eq!(
            bind_error(io::ErrorKind::AddrInUse).exit_code(),
            UNAVAILABLE
        );
        assert_eq!(
            bind_error(io::ErrorKind::PermissionDenied).exit_code(),
            REFUSED
        );
    }

    #[test]
    fn causes_follow_their_error_on_one_line() {
        let text = with_causes(&bind_error(io::ErrorKind::AddrInUse));

        assert!(text.starts_with("cannot listen on 127.0.0.1:80"), "{text}");
        assert!(text.ends_with(": address in use"), "{text}");
        assert_eq!(text.lines().count(), 1);
    }
}
