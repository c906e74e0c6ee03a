//! Runs a script in a session of its own, and ends what is left of it.

use std::{
    fs,
    io::{Read, Write},
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

/// How long output is waited for once every process is gone. Longer only if one went to another session and holds it open.
const LAST_WORDS: Duration = Duration::from_secs(10);

/// What a run left behind.
pub(super) struct Finished {
    pub(super) status: Option<ExitStatus>,
    pub(super) stdout: String,
    pub(super) stderr: String,
    /// Command lines of processes that were still there, and are no more.
    pub(super) left: Vec<String>,
}

/// Runs `command`, whose process becomes the leader of a session, for `limit` at most. No status means that it took longer.
pub(super) fn run(command: &mut Command, stdin: &str, limit: Duration) -> anyhow::Result<Finished> {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let session = child.id();
    if let Some(pipe) = child.stdin.take() {
        feed(pipe, stdin.to_owned());
    }
    let stdout = child.stdout.take().map(read);
    let stderr = child.stderr.take().map(read);
    let status = wait(&mut child, limit)?;
    let left = end(session, status.is_some());
    child.wait()?;
    let text = |read: Option<mpsc::Receiver<String>>| {
        let come = read.map(|it| it.recv_timeout(LAST_WORDS));
        come.transpose().map(Option::unwrap_or_default)
    };
    Ok(Finished {
        status,
        stdout: text(stdout)?,
        stderr: text(stderr)?,
        left,
    })
}

fn feed(mut pipe: impl Write + Send + 'static, text: String) {
    thread::spawn(move || drop(pipe.write_all(text.as_bytes())));
}

fn read(mut pipe: impl Read + Send + 'static) -> mpsc::Receiver<String> {
    let (sender, all) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        drop(pipe.read_to_end(&mut bytes));
        drop(sender.send(String::from_utf8_lossy(&bytes).into_owned()));
    });
    all
}

fn wait(child: &mut Child, limit: Duration) -> anyhow::Result<Option<ExitStatus>> {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if Instant::now() > deadline {
            return Ok(None);
        }
        thread::sleep(Duration::from_millis(10));
    }
}

/// Ends every process of `session`. Those that go by themselves within two seconds after a script that has `ended` are not
/// told.
fn end(session: u32, ended: bool) -> Vec<String> {
    let deadline = Instant::now() + Duration::from_secs(2);
    while ended && Instant::now() < deadline && !members(session).is_empty() {
        thread::sleep(Duration::from_millis(20));
    }
    let mut told = Vec::new();
    for _ in 0..20 {
        let members = members(session);
        if members.is_empty() {
            break;
        }
        for (pid, line) in members {
            drop(
                Command::new("kill")
                    .args(["-KILL", &pid.to_string()])
                    .status(),
            );
            told.push(line);
        }
        thread::sleep(Duration::from_millis(20));
    }
    told
}

/// Process ids and command lines of those in `session` that are no zombies.
fn members(session: u32) -> Vec<(u32, String)> {
    let entries = fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .filter_map(Result::ok);
    entries
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|pid| belongs(*pid, session))
        .map(|pid| (pid, command_line(pid)))
        .collect()
}

/// After the program's name, which may hold anything, come state, parent, group and session.
fn belongs(pid: u32, session: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let Some((_, rest)) = stat.rsplit_once(") ") else {
        return false;
    };
    let fields: Vec<_> = rest.split(' ').collect();
    fields.first() != Some(&"Z") && fields.get(3).and_then(|it| it.parse().ok()) == Some(session)
}

fn command_line(pid: u32) -> String {
    fs::read_to_string(format!("/proc/{pid}/cmdline"))
        .unwrap_or_default()
        .replace('\0', " ")
}
