//! The programs that the tests run: kubectl, and Python with Kubernetes' schemas.

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::LazyLock,
};

use anyhow::{Context, ensure};
use sealane_tests::python::Python;
use serde_json::Value;

/// Python with the packages of `requirements.txt`, kubectl among them.
static PYTHON: LazyLock<Python> = LazyLock::new(|| {
    let requirements = folder().join("requirements.txt");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime needs nothing that could be missing");
    let installed = runtime.block_on(Python::with(&requirements));
    installed.expect("the packages can be installed")
});

/// Returns the folder of these tests.
pub(crate) fn folder() -> PathBuf {
    root().join("tests/kubernetes")
}

/// Returns the root of the repository.
pub(crate) fn root() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = tests.parent().expect("this crate is in the workspace");
    root.to_owned()
}

/// Returns what `kubectl kustomize` of the pinned version makes of the folder `place`.
///
/// # Errors
///
/// What kubectl says, if it refuses.
pub(crate) fn kustomize(place: &Path) -> anyhow::Result<String> {
    kustomize_with(&PYTHON.program("kubectl"), place)
}

/// Returns what `kubectl`, a program, makes of the folder `place`.
///
/// # Errors
///
/// As for [`kustomize`].
pub(crate) fn kustomize_with(kubectl: &Path, place: &Path) -> anyhow::Result<String> {
    let mut command = Command::new(kubectl);
    command
        .arg("kustomize")
        .arg(place)
        .env_clear()
        .env("HOME", place);
    let ran = command.output().context("kubectl cannot be started")?;
    let said = String::from_utf8_lossy(&ran.stderr);
    ensure!(ran.status.success(), "{}", said.trim());
    // Deprecated fields are told there; a rendering that warns does not live long.
    ensure!(said.trim().is_empty(), "kubectl warns: {}", said.trim());
    Ok(String::from_utf8(ran.stdout)?)
}

/// Returns what `validate.py` finds wrong, as lines.
///
/// # Errors
///
/// If it cannot be run.
pub(crate) fn validate(input: &Value) -> anyhow::Result<Vec<String>> {
    let mut command = PYTHON.command().into_std();
    let mut child = command
        .arg(folder().join("validate.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut stdin = child.stdin.take().context("standard input is piped")?;
    stdin.write_all(input.to_string().as_bytes())?;
    drop(stdin);
    let ran = child.wait_with_output()?;
    ensure!(ran.status.success(), "validate.py failed: {}", ran.status);
    Ok(serde_json::from_slice(&ran.stdout)?)
}
