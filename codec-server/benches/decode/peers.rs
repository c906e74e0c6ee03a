//! The servers that are compared, each a process of its own on a port of its own.

use std::{
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
};

use base64::{Engine, prelude::BASE64_STANDARD};
use sealane_codec::file_source;

use crate::{KEY, KEY_ID, codec};

/// A running server. It ends when dropped.
pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
}

impl Server {
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Starts `command`, whose output names its address at the end of some line.
    fn start(mut command: Command, is_address: fn(&str) -> Option<SocketAddr>) -> Option<Self> {
        let mut child = command.stdout(Stdio::piped()).spawn().ok()?;
        let mut lines = BufReader::new(child.stdout.take()?)
            .lines()
            .map_while(Result::ok);
        let address = lines.find_map(|line| is_address(&line))?;
        // Whoever cannot write any more would fail or wait.
        thread::spawn(move || lines.count());
        Some(Self { child, address })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Our server, optimised as this benchmark is.
pub(crate) fn ours() -> Option<Server> {
    let keys = place("keys.json");
    std::fs::remove_file(&keys).ok();
    let ring = codec().ring()?.current();
    file_source::write_new(&keys, &ring).ok()?;
    // It logs to standard error, which goes where it is read.
    let mut command = Command::new("/bin/sh");
    command
        .args([
            "-c",
            r#"exec "$0" 2>&1"#,
            env!("CARGO_BIN_EXE_sealane-codec-server"),
        ])
        .env_clear()
        .env("SEALANE_KEY_FILE", keys)
        .env("SEALANE_CODEC_ADDR", "127.0.0.1:0")
        .env("SEALANE_LOG", "sealane_codec_server=info,warn")
        .env("SEALANE_LOG_FORMAT", "json");
    Server::start(command, |line| {
        let event: serde_json::Value = serde_json::from_str(line).ok()?;
        event["http.address"].as_str()?.parse().ok()
    })
}

/// A server in Go, after samples-go.
pub(crate) fn go() -> Option<Server> {
    let program = place("codec-peer-go");
    let mut build = Command::new("go");
    build.args(["build", "-o"]).arg(&program).arg(".");
    succeeds(build.current_dir(folder().join("go")))?;
    Server::start(with_key(Command::new(program)), |line| line.parse().ok())
}

/// A server in Python, after samples-python.
pub(crate) fn python() -> Option<Server> {
    let packages = place("codec-peer-python");
    if !packages.is_dir() {
        let mut install = Command::new("python3");
        install
            .args(["-m", "pip", "install", "--quiet", "--target"])
            .arg(&packages);
        succeeds(
            install
                .arg("--requirement")
                .arg(folder().join("requirements.txt")),
        )?;
    }
    let mut command = Command::new("python3");
    command
        .arg(folder().join("server.py"))
        .env("PYTHONPATH", packages);
    command.env("PYTHONDONTWRITEBYTECODE", "1");
    Server::start(with_key(command), |line| line.parse().ok())
}

fn with_key(mut command: Command) -> Command {
    command.arg(KEY_ID).arg(BASE64_STANDARD.encode(KEY));
    command
}

fn succeeds(command: &mut Command) -> Option<()> {
    let status = command.status().ok()?;
    status.success().then_some(())
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/peers")
}

/// A place below Cargo's own folder, which is kept between runs.
fn place(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}
