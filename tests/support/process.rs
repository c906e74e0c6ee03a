//! A program of ours as a process of its own: started, listened to, signalled, waited for.

use std::{
    collections::BTreeMap,
    env,
    ffi::OsStr,
    io,
    path::PathBuf,
    process::{ExitStatus, Stdio},
    time::{Duration, SystemTime},
};

use anyhow::{Context, bail, ensure};
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, ChildStderr, Command},
    sync::watch,
};

use crate::orders::patiently;

/// What the worker logs with the address of its probes.
const SERVING: &str = "probes and metrics are served";

/// A running process. Dropping it kills it.
pub struct Process {
    child: Child,
    said: watch::Receiver<Vec<String>>,
}

/// How a process ended.
#[derive(Debug)]
pub struct Ended {
    /// Its exit code; none if a signal killed it.
    pub code: Option<i32>,
    /// Everything it wrote to standard error.
    pub said: Vec<String>,
}

impl Ended {
    /// Returns how long after the event `first` it logged the event `second`, by its own clock: whoever reads its lines may
    /// do that late.
    ///
    /// # Errors
    ///
    /// If it did not log them, in this order.
    pub fn between(&self, first: &str, second: &str) -> anyhow::Result<Duration> {
        let (first, second) = (self.logged(first)?, self.logged(second)?);
        Ok(second.duration_since(first)?)
    }

    /// When it logged the event `message`.
    fn logged(&self, message: &str) -> anyhow::Result<SystemTime> {
        let lines = self.said.iter();
        let mut events = lines.filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let event = events.find(|event| event["message"] == message);
        let event = event.with_context(|| format!("no {message:?} in {self:#?}"))?;
        let time = event["timestamp"].as_str().context("no timestamp")?;
        Ok(humantime::parse_rfc3339(time)?)
    }
}

/// The answer of a probe.
#[derive(Debug)]
pub struct Probe {
    /// HTTP status.
    pub status: u16,
    /// The answer itself.
    pub body: String,
}

impl Process {
    /// Starts `program`, which sees `variables` and nothing else of the environment.
    ///
    /// # Errors
    ///
    /// If it cannot be started.
    pub fn start(
        program: impl AsRef<OsStr>,
        arguments: &[&str],
        variables: &BTreeMap<String, String>,
    ) -> anyhow::Result<Self> {
        let program = program.as_ref();
        let mut child = Command::new(program)
            .args(arguments)
            .env_clear()
            .envs(variables)
            // A backtrace must not show even where somebody would like to see one.
            .env("RUST_BACKTRACE", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("{} cannot be started", program.display()))?;
        let stderr = child.stderr.take().context("stderr is piped")?;
        Ok(Self {
            child,
            said: listen(stderr),
        })
    }

    /// Waits until a line of standard error contains `text`, and returns the line.
    ///
    /// # Errors
    ///
    /// If the process ends without having said so.
    ///
    /// # Panics
    ///
    /// If it does neither.
    pub async fn says(&self, text: &str) -> anyhow::Result<String> {
        self.says_times(text, 1).await
    }

    /// Waits until `times` lines of standard error contain `text`, and returns the last of them.
    ///
    /// # Errors
    ///
    /// If the process ends before.
    ///
    /// # Panics
    ///
    /// If it does neither.
    pub async fn says_times(&self, text: &str, times: usize) -> anyhow::Result<String> {
        let mut said = self.said.clone();
        let find = |lines: &[String]| {
            let mut found = lines.iter().filter(|line| line.contains(text));
            found.nth(times - 1).cloned()
        };
        let waiting = said.wait_for(|lines| find(lines).is_some());
        let found = patiently(text, waiting)
            .await
            .ok()
            .and_then(|lines| find(&lines));
        found.with_context(|| {
            let said = self.lines().join("\n");
            format!("ended without {times} times {text:?}:\n{said}")
        })
    }

    /// Returns its process id, until it has ended.
    pub fn id(&self) -> Option<u32> {
        self.child.id()
    }

    /// Returns how large a core dump of it may be, in the words of the kernel: `soft hard`.
    ///
    /// # Errors
    ///
    /// If it has ended.
    pub fn core_limit(&self) -> anyhow::Result<String> {
        let pid = self.id().context("the process has ended")?;
        let limits = std::fs::read_to_string(format!("/proc/{pid}/limits"))?;
        let core = limits
            .lines()
            .find_map(|line| line.strip_prefix("Max core file size"));
        let words = core.context("no limit of core dumps")?.split_whitespace();
        Ok(words.take(2).collect::<Vec<_>>().join(" "))
    }

    /// Returns what it has written to standard error so far.
    pub fn lines(&self) -> Vec<String> {
        self.said.borrow().clone()
    }

    /// Sends a signal by its short name, such as `TERM`.
    ///
    /// # Errors
    ///
    /// If the process has ended already.
    pub async fn signal(&self, name: &str) -> anyhow::Result<()> {
        let pid = self.child.id().context("the process has ended")?;
        let script = format!("kill -s {name} {pid}");
        let sent = Command::new("sh").args(["-c", &script]).status().await?;
        if !sent.success() {
            bail!("SIG{name} did not reach process {pid}");
        }
        Ok(())
    }

    /// Returns all that it writes to standard error, as it comes.
    pub fn heard(&self) -> watch::Receiver<Vec<String>> {
        self.said.clone()
    }

    /// Waits for the end for as long as it takes. [`ends`](Self::ends) tells the rest.
    ///
    /// # Errors
    ///
    /// If the operating system does not tell.
    pub async fn exits(&mut self) -> io::Result<ExitStatus> {
        self.child.wait().await
    }

    /// Waits for the end.
    ///
    /// # Errors
    ///
    /// If the operating system does not tell how it ended.
    ///
    /// # Panics
    ///
    /// If it does not end.
    pub async fn ends(mut self) -> anyhow::Result<Ended> {
        let status = patiently("the end of the process", self.child.wait()).await?;
        // Standard error may hold more than was read so far; it is all there once the sender is gone.
        let rest = async { while self.said.changed().await.is_ok() {} };
        patiently("the end of standard error", rest).await;
        Ok(Ended {
            code: status.code(),
            said: self.said.borrow().clone(),
        })
    }

    /// Waits until the process has a port for probes, and asks for `path`.
    ///
    /// # Errors
    ///
    /// If nothing answers.
    pub async fn probe(&self, path: &str) -> anyhow::Result<Probe> {
        let event: Value = serde_json::from_str(&self.says(SERVING).await?)?;
        let address = event["http.address"]
            .as_str()
            .context("no address is logged")?;
        probe(&format!("http://{address}{path}")).await
    }
}

/// Returns what the kernel says about the memory of process `pid`, in KiB. None if it is no more.
///
/// `VmRSS` is what it has, `RssAnon` what of that is in no file, `VmHWM` the most that it had, `VmData` what `RLIMIT_DATA` counts
/// ([proc_pid_status(5)](https://man7.org/linux/man-pages/man5/proc_pid_status.5.html)).
pub fn memory(pid: u32, line: &str) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|it| it.strip_prefix(line))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// Returns where a program of ours is: beside the folder of the tests, once it is built.
///
/// # Errors
///
/// If it was not built.
pub fn program(name: &str) -> anyhow::Result<PathBuf> {
    let tests = env::current_exe()?;
    let folder = tests.parent().and_then(|deps| deps.parent());
    let path = folder.context("tests stand in a folder")?.join(name);
    ensure!(
        path.is_file(),
        "no {}: `cargo build --workspace --bins` makes it, as `cargo test --workspace` does",
        path.display()
    );
    Ok(path)
}

/// Asks `url`, whatever the status of the answer.
///
/// # Errors
///
/// If nothing answers.
///
/// # Panics
///
/// If the answer does not come.
pub async fn probe(url: &str) -> anyhow::Result<Probe> {
    let client = reqwest::Client::builder().no_proxy().build()?;
    let answer = patiently(url, client.get(url).send()).await?;
    Ok(Probe {
        status: answer.status().as_u16(),
        body: patiently(url, answer.text()).await?,
    })
}

fn listen(stderr: ChildStderr) -> watch::Receiver<Vec<String>> {
    let (sender, said) = watch::channel(Vec::new());
    tokio::spawn(async move {
        let mut lines = BufReader::new(stderr).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            sender.send_modify(|said| said.push(line));
        }
    });
    said
}
