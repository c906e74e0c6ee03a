//! Runs one test of this binary as a process of its own: signal handlers, the panic hook and the
//! logger belong to a whole process.

use std::{
    env,
    process::{Command, Stdio},
};

const IS_CHILD: &str = "SEALANE_TEST_CHILD";

/// Returns whether this process was started by [`command`].
pub(crate) fn is_child() -> bool {
    env::var_os(IS_CHILD).is_some()
}

/// Returns the command that runs the test called `name` alone.
pub(crate) fn command(name: &str) -> Command {
    let mut command = Command::new(env::current_exe().unwrap());
    command
        .args(["--exact", name, "--nocapture", "--include-ignored"])
        .env(IS_CHILD, "1")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}
