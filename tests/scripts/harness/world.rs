//! Where one test runs its scripts.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use serde_json::Value;
use tempfile::TempDir;

use super::{
    Call, Outcome, Record, Reply, patience,
    server::Server,
    snapshot::{self, Snapshot},
    tools,
};

/// Longer than any script takes whose waiting is done by a stand-in.
const LIMIT: Duration = Duration::from_secs(60);

/// A folder with a copy of the scripts, the environment `demo`, and stand-ins.
pub(crate) struct World {
    folder: TempDir,
    server: Server,
    env: BTreeMap<String, String>,
    stdin: String,
    secrets: Vec<String>,
}

impl World {
    /// A world in which `jq`, `openssl` and `curl` are real, `sleep` takes no time, and everything else has no answer yet.
    ///
    /// # Panics
    ///
    /// If the disk is full, and the like.
    pub(crate) fn new() -> Self {
        Self::build().expect("a world in a temporary folder")
    }

    fn build() -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("scripts-").tempdir()?;
        let server = Server::default();
        server.listen(&folder.path().join("socket"))?;
        tools::install(&folder.path().join("bin"))?;
        fs::create_dir_all(folder.path().join("home"))?;
        fs::create_dir_all(folder.path().join("tmp"))?;
        let world = Self {
            folder,
            server,
            env: BTreeMap::new(),
            stdin: String::new(),
            secrets: Vec::new(),
        };
        world.lay_out()?;
        for program in tools::REAL_BY_DEFAULT {
            world.real(program);
        }
        world.answer("sleep", Reply::ok(""));
        Ok(world)
    }

    /// The scripts are copied, since they find their repository by their own place; what they only read is linked.
    fn lay_out(&self) -> anyhow::Result<()> {
        let repository = tools::repository().canonicalize()?;
        tools::copy(
            &repository.join("infra/scripts"),
            &self.root().join("infra/scripts"),
        )?;
        for linked in ["k8s", "infra/terraform"] {
            symlink(repository.join(linked), self.root().join(linked))?;
        }
        fs::create_dir_all(self.root().join("infra/environments/demo"))?;
        Ok(())
    }

    /// The repository that the scripts see.
    pub(crate) fn root(&self) -> PathBuf {
        self.folder.path().join("repository")
    }

    /// A file in the repository that the scripts see.
    pub(crate) fn write(&self, path: &str, content: &str) -> &Self {
        let path = self.root().join(path);
        fs::create_dir_all(path.parent().expect("a path below the root")).expect("a folder");
        fs::write(&path, content).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        self
    }

    /// What is in a file of the repository that the scripts see, if it is there.
    pub(crate) fn read(&self, path: &str) -> Option<String> {
        fs::read_to_string(self.root().join(path)).ok()
    }

    /// Sets a variable for the scripts; there are no others but `PATH`, `HOME`, `TMPDIR`, `LANG`.
    pub(crate) fn env(&mut self, key: &str, value: &str) -> &mut Self {
        self.env.insert(key.to_owned(), value.to_owned());
        self
    }

    /// What the scripts read from standard input, which is never a terminal.
    pub(crate) fn stdin(&mut self, text: &str) -> &mut Self {
        text.clone_into(&mut self.stdin);
        self
    }

    /// From now on every run proves that `text` is in no call, no output and no file.
    pub(crate) fn secret(&mut self, text: &str) -> &mut Self {
        self.secrets.push(text.to_owned());
        self
    }

    /// Answers calls; `None` leaves the call to those that were there before.
    pub(crate) fn on(
        &self,
        answer: impl FnMut(&mut Call) -> Option<Reply> + Send + 'static,
    ) -> &Self {
        self.server.add(Box::new(answer));
        self
    }

    /// Answers calls that fit `pattern` (see [`Record::is`]) always the same.
    pub(crate) fn answer(&self, pattern: &str, reply: impl Into<Reply>) -> &Self {
        let (pattern, reply) = (pattern.to_owned(), reply.into());
        self.on(move |call| call.is(&pattern).then(|| reply.clone()))
    }

    /// Calls of `program` reach the installed one, and are recorded.
    pub(crate) fn real(&self, program: &str) -> &Self {
        let (name, path) = (program.to_owned(), tools::real(program));
        self.on(move |call| {
            (call.program == name).then(|| Reply::exec(&path, call.args.iter().map(String::as_str)))
        })
    }

    /// Takes `program` from the `PATH`.
    pub(crate) fn without(&self, program: &str) -> &Self {
        fs::remove_file(self.folder.path().join("bin").join(program)).expect("it was there");
        self
    }

    /// Every time limit of the scripts is a second.
    pub(crate) fn hurried(&mut self) -> &mut Self {
        self.env("SEALANE_TIME_LIMIT", "1")
    }

    /// Runs `infra/scripts/SCRIPT ARGS`, and proves what every run has to keep to.
    pub(crate) fn run(&self, script: &str, args: &[&str]) -> Outcome {
        let before = snapshot::outside_sealane(self.folder.path());
        let finished = patience::run(&mut self.command(script, args), &self.stdin, LIMIT)
            .expect("bash starts");
        let outcome = Outcome {
            code: finished
                .status
                .and_then(|status| status.code())
                .unwrap_or(-1),
            stdout: finished.stdout,
            stderr: finished.stderr,
            calls: self.server.take_records(),
            summary: self.read(&summary_of(script)),
        };
        let left = finished.left;
        assert!(
            finished.status.is_some(),
            "took longer than {LIMIT:?}; {outcome}"
        );
        assert!(left.is_empty(), "left running: {left:?}\n{outcome}");
        self.assert_only_sealane_was_written(&before, &outcome);
        assert_all_answered(&outcome);
        self.assert_secrecy(&outcome);
        outcome
    }

    fn assert_only_sealane_was_written(&self, before: &Snapshot, outcome: &Outcome) {
        let after = snapshot::outside_sealane(self.folder.path());
        let names = |snapshot: &Snapshot| snapshot.keys().cloned().collect::<Vec<_>>();
        assert_eq!(
            names(before),
            names(&after),
            "files come and go below .sealane only\n{outcome}"
        );
        assert!(
            *before == after,
            "a file outside .sealane was changed\n{outcome}"
        );
    }

    fn command(&self, script: &str, args: &[&str]) -> Command {
        let at = |name: &str| self.folder.path().join(name);
        let mut command = Command::new(tools::real("setsid"));
        command
            // Whoever starts the tests in the background has signals ignored, which no shell can undo.
            .arg(tools::real("env"))
            .arg("--default-signal=INT,HUP,QUIT")
            .arg(self.root().join("infra/scripts").join(script))
            .args(args)
            .current_dir(at("home"))
            .env_clear()
            .env("PATH", at("bin"))
            .env("HOME", at("home"))
            .env("TMPDIR", at("tmp"))
            .env("LANG", "C.UTF-8")
            .env("STAND_IN_SOCKET", at("socket"))
            .envs(&self.env);
        command
    }

    fn assert_secrecy(&self, outcome: &Outcome) {
        let files = snapshot::everything(self.folder.path());
        for secret in &self.secrets {
            assert!(
                !outcome.stdout.contains(secret) && !outcome.stderr.contains(secret),
                "a secret was printed\n{outcome}"
            );
            for call in &outcome.calls {
                assert!(
                    !call.line().contains(secret),
                    "a secret is an argument of {}",
                    call.line()
                );
                let leak = call
                    .env
                    .iter()
                    .find(|(key, value)| value.contains(secret) && !self.env.contains_key(*key));
                assert!(
                    leak.is_none(),
                    "a secret is in the environment of {}: {leak:?}",
                    call.line()
                );
            }
            let leak = files
                .iter()
                .find(|(_, content)| contains(content, secret.as_bytes()));
            assert!(
                leak.is_none(),
                "a secret is in the file {:?}",
                leak.map(|it| it.0)
            );
        }
    }

    /// The JSON document in `path`.
    pub(crate) fn document(&self, path: &str) -> Value {
        let text = self.read(path).unwrap_or_else(|| panic!("{path} is there"));
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}\n{text}"))
    }

    /// Where the world is, for files beside the repository.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }
}

fn summary_of(script: &str) -> String {
    let of = if script == "reap" { script } else { "demo" };
    format!(".sealane/{of}/{script}.json")
}

fn assert_all_answered(outcome: &Outcome) {
    let unanswered = outcome.calls.iter().filter(|call| call.unanswered);
    let lines: Vec<_> = unanswered.map(Record::line).collect();
    assert!(lines.is_empty(), "no answer for {lines:#?}\n{outcome}");
}

fn contains(content: &[u8], text: &[u8]) -> bool {
    content.windows(text.len()).any(|window| window == text)
}
