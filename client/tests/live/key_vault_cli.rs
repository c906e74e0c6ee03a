//! `sealane keys list` and `sealane keys rotate`, with keys in a vault.

mod list;
mod rotate;

use std::time::{Duration, SystemTime};

use sealane_tests::{
    VaultWorld,
    azure::{Role, SECRET, SecretVersion, token_file},
    secrets::Secrets,
};
use serde_json::Value;

use crate::terminal::{Finished, Terminal};

/// How long ago a key was made that everybody has used for long.
const DAY: Duration = Duration::from_hours(24);

/// The defaults of `SEALANE_KEY_REFRESH` and `SEALANE_KEY_ACTIVATION_DELAY`.
const REFRESH: Duration = Duration::from_mins(5);
const DELAY: Duration = Duration::from_mins(15);

/// Somebody whose keys are in a vault, and who may change them.
struct Keyboard {
    vault: VaultWorld,
    terminal: Terminal,
}

impl Keyboard {
    async fn open() -> anyhow::Result<Self> {
        let vault = VaultWorld::open(&[]).await?;
        vault.fake.grant(Role::SecretsOfficer);
        // A log of everything, for the search.
        let terminal = Terminal::of(&vault.world).with("SEALANE_LOG", "trace");
        Ok(Self { vault, terminal })
    }

    /// Types a command, and searches everything that it leaves behind for what must stay secret.
    async fn run(&self, line: &str) -> anyhow::Result<Finished> {
        let finished = self.terminal.run(line).await;
        let federated = std::fs::read_to_string(token_file(self.vault.world.folder()))?;
        let secrets = Secrets::of(&self.vault.fake).and_token("a federated token", &federated);
        secrets.assert_absent(line, &finished.to_string());
        Ok(finished)
    }

    /// Types a command that prints JSON and nothing else.
    async fn json(&self, line: &str) -> anyhow::Result<Value> {
        let finished = self.run(&format!("{line} -o json")).await?.succeeds();
        assert_eq!(finished.stderr, "", "{finished}");
        Ok(finished.json())
    }

    fn versions(&self) -> Vec<SecretVersion> {
        self.vault.fake.versions(SECRET)
    }
}

/// The names of the fields of an object, in alphabetical order.
fn fields(object: &Value) -> Vec<&str> {
    let object = object.as_object().expect("an object");
    object.keys().map(String::as_str).collect()
}

/// Reads a field that holds a time.
fn time(object: &Value, field: &str) -> SystemTime {
    let text = object[field].as_str().expect("a text");
    humantime::parse_rfc3339(text).expect("a time")
}
