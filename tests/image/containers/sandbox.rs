//! Namespaces of their own for all that buildah and podman do.

use std::{
    ffi::OsStr,
    fs,
    io::{BufRead, BufReader, Write, stderr},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    time::Duration,
};

use anyhow::{Context, ensure};
use sealane_dev::guardian::ends_within;

/// How long the sandbox may take to end once it is told, and once more when it is killed.
const PATIENCE: Duration = Duration::from_secs(60);

/// Mounts, processes and run-time files of containers, which end with this value, and also when this process is killed.
#[derive(Debug)]
pub(crate) struct Sandbox {
    place: PathBuf,
    holder: Child,
    /// Its end is the sandbox's end.
    lifeline: Option<ChildStdin>,
    pid: u32,
}

impl Sandbox {
    /// Opens one that keeps images and caches in a folder of that name, below cargo's own for tests.
    pub(crate) fn open(name: &str) -> anyhow::Result<Self> {
        let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir_all(&place)?;
        let place = place.canonicalize()?;
        let mut holder = Command::new(script("sandbox.sh"))
            .arg(&place)
            .env("TMPDIR", place.join("tmp"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("sandbox.sh")?;
        let lifeline = holder.stdin.take();
        let mut lines = BufReader::new(holder.stdout.take().context("stdout is piped")?).lines();
        let mut line = || {
            lines
                .next()
                .context("sandbox.sh ended at once")?
                .map_err(anyhow::Error::from)
        };
        let pid = line()?.parse()?;
        ensure!(line()? == "ready", "sandbox.sh is not ready");
        Ok(Self {
            place,
            holder,
            lifeline,
            pid,
        })
    }

    /// Returns the folder that stays.
    pub(crate) fn place(&self) -> &Path {
        &self.place
    }

    /// Returns the command that runs `program` in the sandbox.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new("nsenter");
        command
            .arg(format!("--mount=/proc/{}/ns/mnt", self.pid))
            .arg(format!("--pid=/proc/{}/ns/pid_for_children", self.pid))
            .arg(program)
            .current_dir("/")
            .env("TMPDIR", self.place.join("tmp"))
            .env("CONTAINERS_CONF", self.place.join("containers.conf"))
            .stdin(Stdio::null());
        command
    }

    /// Runs `program` in the sandbox, and returns what it writes, without white space at the ends.
    ///
    /// # Errors
    ///
    /// If it fails; with what it wrote to standard error.
    pub(crate) fn run(&self, program: &str, arguments: &[&str]) -> anyhow::Result<String> {
        let output = self.command(program).args(arguments).output()?;
        let words = String::from_utf8_lossy(&output.stderr);
        ensure!(
            output.status.success(),
            "{program} {}: {}",
            arguments.join(" "),
            words.trim()
        );
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    /// Returns what identifies the two namespaces.
    pub(crate) fn namespaces(&self) -> anyhow::Result<[PathBuf; 2]> {
        let namespace = |name| fs::read_link(format!("/proc/{}/ns/{name}", self.pid));
        Ok([namespace("mnt")?, namespace("pid_for_children")?])
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        drop(self.lifeline.take());
        if !ends_within(&mut self.holder, PATIENCE) {
            // With this process, the kernel ends all others of the namespaces, and the holder cleans up.
            let pid = self.pid.to_string();
            Command::new("kill").args(["-KILL", &pid]).status().ok();
            ends_within(&mut self.holder, PATIENCE);
        }
    }
}

/// Returns the path of a script beside this file.
pub(crate) fn script(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("image/containers");
    folder.join(name)
}

/// Says something that is seen although the test passes.
pub(crate) fn say(text: &str) {
    writeln!(stderr(), "{text}").ok();
}
