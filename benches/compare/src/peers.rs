//! How each worker is built and started. What is built is kept below Cargo's target folder.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command as Build,
};

use anyhow::{Context, ensure};
use tokio::process::Command;

/// Builds our programs as they are now, optimised, beside this one.
///
/// # Errors
///
/// If they do not build.
pub(crate) fn build_ours() -> anyhow::Result<()> {
    let programs = std::env::current_exe()?;
    let target = programs.parent().and_then(Path::parent);
    let mut build = Build::new("cargo");
    build
        .args([
            "build",
            "--release",
            "--locked",
            "--package",
            "sealane-worker",
        ])
        .args(["--package", "sealane-client", "--bins", "--target-dir"])
        .arg(target.context("no target folder")?);
    succeeds(build)
}

/// Returns our worker.
///
/// # Errors
///
/// If it is not beside this program.
pub(crate) fn ours() -> anyhow::Result<Command> {
    Ok(Command::new(program("sealane-worker")?))
}

/// Returns one of our programs, which Cargo puts beside this one.
///
/// # Errors
///
/// If it has not been built.
pub(crate) fn program(name: &str) -> anyhow::Result<PathBuf> {
    let path = std::env::current_exe()?.with_file_name(name);
    ensure!(
        path.is_file(),
        "{name} is not beside this program; run it as cargo run --release -p sealane-compare"
    );
    Ok(path)
}

/// Returns the worker on the Python SDK.
///
/// # Errors
///
/// If there is no `python3` with `pip`, or the packages cannot be installed.
pub(crate) fn python() -> anyhow::Result<Command> {
    let packages = place("python")?;
    let requirements = sources("python").join("requirements.txt");
    once(&packages, &requirements, || {
        let mut install = Build::new("python3");
        install
            .args(["-m", "pip", "install", "--quiet", "--target"])
            .arg(&packages)
            .arg("--requirement")
            .arg(&requirements);
        succeeds(install)
    })?;
    let mut command = Command::new("python3");
    command
        .arg(sources("python").join("worker.py"))
        .env("PYTHONPATH", packages)
        .env("PYTHONDONTWRITEBYTECODE", "1");
    Ok(command)
}

/// Returns the worker on the TypeScript SDK.
///
/// # Errors
///
/// If there is no `npm`, or the packages cannot be installed.
pub(crate) fn typescript() -> anyhow::Result<Command> {
    let folder = place("typescript")?;
    // Node looks for packages beside the sources, and sources have no packages in them.
    for file in fs::read_dir(sources("typescript"))? {
        let file = file?;
        fs::copy(file.path(), folder.join(file.file_name()))?;
    }
    once(&folder, &folder.join("package.json"), || {
        let mut install = Build::new("npm");
        install
            .args(["install", "--silent", "--no-audit", "--no-fund"])
            .arg("--no-package-lock")
            .current_dir(&folder);
        succeeds(install)
    })?;
    let mut command = Command::new("node");
    command.arg("worker.js").current_dir(folder);
    Ok(command)
}

/// Returns the worker on the Go SDK.
///
/// # Errors
///
/// If there is no `go`, or it cannot be built.
pub(crate) fn go() -> anyhow::Result<Command> {
    let program = place("go")?.join("worker");
    let mut build = Build::new("go");
    build
        .args(["build", "-o"])
        .arg(&program)
        .arg(".")
        .current_dir(sources("go"));
    succeeds(build)?;
    Ok(Command::new(program))
}

/// Returns a folder for `name` that is kept between runs.
///
/// # Errors
///
/// If it cannot be made.
pub(crate) fn place(name: &str) -> anyhow::Result<PathBuf> {
    let programs = std::env::current_exe()?;
    let target = programs.parent().and_then(Path::parent);
    let folder = target
        .context("no target folder")?
        .join("compare")
        .join(name);
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

fn sources(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("peers")
        .join(name)
}

/// Does `work` unless it was done in `folder` for what `pins` says now.
fn once(
    folder: &Path,
    pins: &Path,
    work: impl FnOnce() -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let done = folder.join(".installed");
    let wanted = fs::read_to_string(pins)?;
    if fs::read_to_string(&done).is_ok_and(|found| found == wanted) {
        return Ok(());
    }
    work()?;
    Ok(fs::write(done, wanted)?)
}

fn succeeds(mut command: Build) -> anyhow::Result<()> {
    let name = command.get_program().display().to_string();
    let status = command
        .status()
        .with_context(|| format!("{name} cannot be run"))?;
    ensure!(status.success(), "{name} failed: {status}");
    Ok(())
}
