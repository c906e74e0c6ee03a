//! Somebody at a keyboard, the processes they look after, and the vault behind both.

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Context, bail, ensure};
use sealane_dev::gateway::Gateway;
use sealane_tests::{
    VaultWorld,
    azure::{Role, SECRET},
    process::{Process, probe},
};
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::{
    DAY, azure_cli,
    document::{Command, Step, steps},
    key_file, namespace,
    pattern::Names,
    shell::{self, Printed, hurry, line, translate, words},
};
use crate::terminal::Terminal;

/// How long a command that looks is repeated.
const PATIENCE: Duration = Duration::from_secs(60);

/// How often.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Commands that change something; all others only look.
const CHANGES: [&str; 8] = [
    "sealane keys generate",
    "sealane keys rotate",
    "sealane keys reencrypt-schedules",
    "sealane workflow terminate",
    "az ",
    "kubectl create",
    "kubectl rollout restart",
    "kubectl set",
];

/// What there is when a section begins.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Start {
    /// A vault without the secret.
    EmptyVault,
    /// `OLD`, in the vault for a day.
    OneKey,
    /// `key-2026-01` and `key-2026-06` in a file, and a vault without the secret.
    KeyFile,
}

pub(super) struct Scene {
    pub(super) vault: VaultWorld,
    pub(super) gateway: Gateway,
    pub(super) laptop: Terminal,
    /// What the pods see, and what those of the worker see besides.
    pub(super) pods: BTreeMap<String, String>,
    pub(super) worker_pods: BTreeMap<String, String>,
    pub(super) worker: Option<Process>,
    pub(super) trigger: Option<Process>,
    names: Names,
    /// All that was printed or logged, to be searched for keys.
    pub(super) shown: Vec<String>,
}

impl Scene {
    /// Opens a scene in which no process runs yet.
    pub(super) async fn open(start: Start) -> anyhow::Result<Self> {
        let settings = [
            ("SEALANE_KEY_REFRESH", "1s"),
            ("SEALANE_KEY_ACTIVATION_DELAY", "5s"),
        ];
        let mut vault = VaultWorld::open(&settings).await?;
        namespace::open(&mut vault.world).await?;
        let gateway = Gateway::start_local().await?;
        vault.world.set("ORDERS_GATEWAY_URL", gateway.url());
        vault.fake.revoke(Role::CryptoServiceEncryptionUser);
        let mut pods = Vec::new();
        if start == Start::KeyFile {
            let (keys, mounted) = key_file::write(vault.world.folder())?;
            vault.world.set("SEALANE_KEY_FILE", keys);
            pods.push(("SEALANE_KEY_FILE".to_owned(), mounted));
            vault.world.set("KEYVAULT_URL", "");
            vault.world.set("KEYVAULT_SECRET_NAME", "");
        }
        let mut scene = Self {
            laptop: Terminal::of(&vault.world),
            pods: vault.world.variables().clone(),
            worker_pods: BTreeMap::new(),
            gateway,
            vault,
            worker: None,
            trigger: None,
            names: Names::default(),
            shown: Vec::new(),
        };
        scene.pods.extend(pods);
        if start == Start::OneKey {
            scene.add_key("OLD", DAY);
        }
        if start != Start::EmptyVault {
            scene.vault.fake.grant(Role::SecretsOfficer);
        }
        Ok(scene)
    }

    /// Adds a key that was made `age` ago, and is called `placeholder` in the document.
    pub(super) fn add_key(&mut self, placeholder: &'static str, age: Duration) {
        let id = self.vault.add_key(age);
        let version = id.rsplit('/').next().unwrap_or_default();
        self.names.learn(placeholder, version.to_owned());
    }

    /// Disables the version called `placeholder`.
    pub(super) fn disable(&self, placeholder: &str) {
        let version = self.names.of(placeholder);
        self.vault.fake.set_enabled(SECRET, version, false);
    }

    /// Waits until the worker encrypts under the version called `placeholder`.
    pub(super) async fn until_active(&mut self, placeholder: &str) -> anyhow::Result<()> {
        let version = self.names.of(placeholder);
        let active = format!("sealane_key_active{{key_id=\"{SECRET}/{version}\"}} 1");
        let prints = vec!["…".to_owned(), active];
        self.type_in("curl -s http://POD:8080/metrics", &prints, 0)
            .await
    }

    /// Does everything that a section says.
    pub(super) async fn follow(&mut self, section: &str) -> anyhow::Result<()> {
        let mut steps = steps(section).into_iter().peekable();
        while let Some(step) = steps.next() {
            let command = match step {
                Step::Event(event) => {
                    self.happens(event).await?;
                    continue;
                }
                Step::Command(command) => command,
            };
            // `echo $?` is about the command before it.
            let asked = steps.next_if(|next| matches!(next, Step::Command(next) if next.is_echo()));
            let code = match &asked {
                Some(Step::Command(echo)) => echo.prints.concat().parse()?,
                _ => 0,
            };
            let prints: Vec<_> = command.prints.iter().map(|it| translate(it)).collect();
            let typed = self.type_in(command.line, &prints, code).await;
            typed.with_context(|| format!("docs/key-rotation.md, {section:?}"))?;
        }
        Ok(())
    }

    /// Types a command, again and again if it only looks, until it prints what it should.
    async fn type_in(&mut self, typed: &str, prints: &[String], code: i32) -> anyhow::Result<()> {
        let typed = translate(&self.names.fill(typed));
        let looks =
            !CHANGES.iter().any(|change| typed.starts_with(change)) || typed.ends_with("--dry-run");
        let mut printed = Printed::default();
        let typing = async {
            let mut pace = interval(LOOK_EVERY);
            pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                pace.tick().await;
                printed = self.run(&typed).await?;
                self.shown.push(printed.lines.join("\n"));
                let names = self.names.fit(prints, &printed.lines);
                match names.filter(|_| printed.code == code) {
                    Some(names) => return anyhow::Ok(Some(names)),
                    None if !looks => return Ok(None),
                    None => {}
                }
            }
        };
        let Some(names) = timeout(PATIENCE, typing).await.unwrap_or(Ok(None))? else {
            let (prints, lines) = (prints.join("\n"), printed.lines.join("\n"));
            bail!(
                "`{typed}` should end with {code} and print\n{prints}\n-- but {}\n{lines}",
                printed.code
            );
        };
        self.names = names;
        Ok(())
    }

    async fn run(&mut self, typed: &str) -> anyhow::Result<Printed> {
        let typed = match typed.contains("http://POD:8080") {
            true => typed.replace("http://POD:8080", &self.worker_url().await?),
            false => typed.to_owned(),
        };
        let mut printed = Printed::default();
        for words in words(&typed).split(|word| word == "&&") {
            ensure!(printed.code == 0, "{typed}: the rest is not done");
            printed = self.run_words(words).await?;
        }
        Ok(printed)
    }

    async fn run_words(&mut self, words: &[String]) -> anyhow::Result<Printed> {
        let (program, arguments) = words.split_first().context("nothing is typed")?;
        let folder = self.vault.world.folder();
        match program.as_str() {
            "sealane" => {
                let finished = self.laptop.run(&line(&hurry(arguments))).await;
                let mut printed = Printed::of(&format!("{}{}", finished.stdout, finished.stderr));
                printed.code = finished.code;
                return Ok(printed);
            }
            "kubectl" => return self.kubectl(arguments).await,
            "curl" => {
                let url = arguments.last().context("no address")?;
                return Ok(Printed::of(&probe(url).await?.body));
            }
            "az" => azure_cli::run(&self.vault.fake, folder, arguments),
            "cp" | "jq" | "mv" | "rm" => key_file::run(folder, program, arguments)?,
            "umask" => {}
            "export" => {
                let (name, value) = arguments[0].split_once('=').context("no value")?;
                self.laptop = self.laptop.clone().with(name, value);
            }
            "unset" => self.laptop = self.laptop.clone().without(&arguments[0]),
            other => bail!("nobody taught us {other:?}"),
        }
        Ok(Printed::default())
    }

    async fn happens(&mut self, event: &str) -> anyhow::Result<()> {
        let fake = &self.vault.fake;
        match event {
            "the vault goes down" => fake.vault_down(),
            "the vault comes back" => fake.vault_up(),
            "the open workflows end" => self.gateway.turn(|knobs| knobs.pause_at_parcel = None),
            _ => {
                let setting = event.strip_suffix(" for the worker");
                let setting = setting.and_then(|setting| setting.split_once('='));
                let (name, value) = setting.with_context(|| format!("what is {event:?}?"))?;
                self.worker_pods.insert(name.to_owned(), value.to_owned());
                self.begin_traffic().await?;
            }
        }
        Ok(())
    }
}

impl Command {
    fn is_echo(&self) -> bool {
        self.line == "echo $?"
    }
}

#[cfg(test)]
mod tests {
    use super::{hurry, shell};

    #[test]
    fn a_second_stands_for_three_minutes() {
        let words = shell::words("keys rotate --activate-in 30m");

        assert_eq!(hurry(&words).join(" "), "keys rotate --activate-in 10s");
    }
}
