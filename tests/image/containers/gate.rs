//! Whether there are containers in this run.

use std::{
    env,
    io::{Write, stderr},
    process::Command,
};

/// What asks for these tests.
const VARIABLE: &str = "SEALANE_IMAGE_TESTS";

/// Where the base images come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bases {
    /// Made of Debian's packages and the compiler of this machine.
    StandIns,
    /// Pulled, as everywhere else.
    Pulled,
}

/// Returns where base images come from, or nothing after saying why `test` is skipped.
///
/// # Panics
///
/// If real images are asked for and cannot be: whoever wants those wants no silence.
pub(crate) fn wanted(test: &str) -> Option<Bases> {
    let (bases, missing) = match env::var(VARIABLE).as_deref() {
        Ok("1") => (Bases::StandIns, missing()),
        Ok("pull") => (Bases::Pulled, missing()),
        Ok(other) => panic!("{VARIABLE} is {other:?}, expected 1 or pull (docs/image.md)"),
        Err(_) => (Bases::StandIns, Some(format!("{VARIABLE} is not set"))),
    };
    let Some(missing) = missing else {
        return Some(bases);
    };
    assert!(
        bases == Bases::StandIns,
        "{VARIABLE} is \"pull\", but {missing}"
    );
    // Not eprintln!, which the test harness keeps to itself when a test passes.
    writeln!(stderr(), "skipped: {test}: {missing}").ok();
    None
}

fn missing() -> Option<String> {
    let root = Command::new("id").arg("-u").output();
    if !root.is_ok_and(|it| it.stdout == b"0\n") {
        return Some("only root can make namespaces for containers here".to_owned());
    }
    let programs = [
        "buildah",
        "podman",
        "runc",
        "debootstrap",
        "unshare",
        "nsenter",
        "kubectl",
    ];
    let absent = programs.into_iter().find(|it| !is_there(it))?;
    Some(format!("there is no {absent}"))
}

fn is_there(program: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|folder| folder.join(program).is_file())
}
