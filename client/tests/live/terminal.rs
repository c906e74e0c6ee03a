//! Runs `sealane` and keeps what it said.

use std::{
    collections::BTreeMap,
    fmt,
    path::PathBuf,
    process::Stdio,
    time::{Duration, Instant},
};

use sealane_tests::{World, orders::patiently, process::Process};
use serde_json::Value;
use tokio::{io::AsyncWriteExt, process::Command};

const SEALANE: &str = env!("CARGO_BIN_EXE_sealane");

/// Longest wait for an answer to catch up. Once, beside other load, a server took more than a minute for the two runs of a
/// schedule, and nobody knows why; so what it says last is shown.
const LAG: Duration = Duration::from_mins(3);

/// Begins every line that `sealane` writes to standard error, its log aside.
const NAME: &str = "sealane: ";

/// A folder and an environment to run `sealane` in.
#[derive(Clone)]
pub(crate) struct Terminal {
    folder: PathBuf,
    variables: BTreeMap<String, String>,
}

/// A command that has ended.
pub(crate) struct Finished {
    line: String,
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Terminal {
    /// Sees the variables of `world` and nothing else of the environment.
    pub(crate) fn of(world: &World) -> Self {
        let mut variables = world.variables().clone();
        // A backtrace must not show even where somebody would like to see one.
        variables.insert("RUST_BACKTRACE".to_owned(), "1".to_owned());
        Self {
            folder: world.folder().to_owned(),
            variables,
        }
    }

    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.variables.insert(name.to_owned(), value.to_owned());
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.variables.remove(name);
        self
    }

    /// Runs one command to its end. The line is written as for a shell, without the program's name.
    pub(crate) async fn run(&self, line: &str) -> Finished {
        self.run_fed(line, "").await
    }

    /// Runs one command to its end, with `input` on its standard input.
    pub(crate) async fn run_fed(&self, line: &str, input: &str) -> Finished {
        let mut child = self.command(line).spawn().expect("the binary was built");
        let mut stdin = child.stdin.take().expect("standard input is piped");
        // A command that does not read its input may have ended already.
        let _ = stdin.write_all(input.as_bytes()).await;
        drop(stdin);
        let output = patiently(line, child.wait_with_output()).await;
        let output = output.expect("its output can be read");
        Finished {
            line: line.to_owned(),
            code: output.status.code().expect("no signal ended it"),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Repeats a command whose answer lags behind the server's state, until `arrived` is true of it.
    pub(crate) async fn until(&self, line: &str, arrived: impl Fn(&Finished) -> bool) -> Finished {
        let deadline = Instant::now() + LAG;
        loop {
            let finished = self.run(line).await;
            if arrived(&finished) {
                return finished;
            }
            assert!(Instant::now() < deadline, "after {LAG:?}, {finished}");
        }
    }

    /// Starts a command that runs until it is told to stop. Its log is JSON.
    pub(crate) fn start(&self, line: &str) -> anyhow::Result<Process> {
        Process::start(SEALANE, &words(line), &self.variables)
    }

    fn command(&self, line: &str) -> Command {
        let mut command = Command::new(SEALANE);
        command
            .args(words(line))
            .current_dir(&self.folder)
            .env_clear()
            .envs(&self.variables)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }
}

/// Splits a line at white space. What is in single quotes is one word as it is.
fn words(line: &str) -> Vec<&str> {
    let parts = line.split('\'').enumerate();
    parts
        .flat_map(|(number, part)| match number % 2 {
            0 => part.split_whitespace().collect(),
            _ => vec![part],
        })
        .collect()
}

impl Finished {
    pub(crate) fn succeeds(self) -> Self {
        assert_eq!(self.code, 0, "{self}");
        self
    }

    /// Returns the one line that says what went wrong, without the program's name.
    pub(crate) fn fails(&self, code: i32) -> &str {
        match self.lines_of_failure(code)[..] {
            [line] => line,
            _ => panic!("not one line: {self}"),
        }
    }

    /// Returns everything that was said on standard error, without the program's name, which every
    /// line begins with.
    pub(crate) fn lines_of_failure(&self, code: i32) -> Vec<&str> {
        assert_eq!(self.code, code, "{self}");
        let lines = self.stderr.lines().map(|line| line.strip_prefix(NAME));
        let lines: Option<Vec<&str>> = lines.collect();
        lines.unwrap_or_else(|| panic!("a line of somebody else's: {self}"))
    }

    /// Reads standard output as one JSON document.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self}"))
    }

    /// Whether a line of standard output is the field `name` with this value.
    pub(crate) fn shows(&self, name: &str, value: &str) -> bool {
        let mut lines = self.stdout.lines();
        lines.any(|line| {
            line.split_once("  ")
                .is_some_and(|(key, rest)| key == name && rest.trim_start() == value)
        })
    }
}

impl fmt::Display for Finished {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            line,
            code,
            stdout,
            stderr,
        } = self;
        write!(
            f,
            "`sealane {line}` ended with {code}\n{stdout}\n-- standard error\n{stderr}"
        )
    }
}
