//! `sealane keys list`.

use std::collections::BTreeMap;

use clap::Args;
use sealane_codec::rotation::{Plan, Stage, Version};
use sealane_service::{encryption, exit, settings::EncryptionMode};
use serde::Serialize;

use super::{
    scrape::{self, Seals},
    vault::{Vault, moment, word},
};
use crate::cli::{CliError, Globals, output, session};

/// Lists the keys: which one encrypts, which ones only decrypt, which one comes next and when.
/// Never shows a key. With a vault, this is what a process would do that listed the versions now.
#[derive(Debug, Args)]
pub(in crate::cli) struct List {
    /// Metrics of a running process, to count what it encrypted: `http://POD:8080/metrics`. Repeat
    /// for all pods, since each counts for itself from its start
    #[arg(long, value_name = "URL")]
    metrics: Vec<String>,
}

/// One key.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    key_id: String,
    stage: &'static str,
    /// When a pending version begins to encrypt, unless something newer comes.
    #[serde(skip_serializing_if = "Option::is_none")]
    activates: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    created: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires: Option<String>,
    /// Payloads encrypted, as far as the metrics asked for tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    seals: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<&'static str>,
}

impl List {
    pub(super) async fn run(self, globals: &Globals) -> Result<(), CliError> {
        let settings = session::settings(globals.config.as_deref())?;
        let seals = scrape::seals(&self.metrics).await?;
        let rows = match Vault::of(&settings)? {
            Some(vault) => of_vault(vault.plan().await?, seals.as_ref()),
            None => of_ring(
                encryption::codec(&settings.encryption).await?,
                seals.as_ref(),
            ),
        };
        if rows.is_empty() {
            return Err(CliError::new(
                exit::SETTINGS,
                no_keys(settings.encryption.mode),
            ));
        }
        output::many(globals.output, &rows)
    }
}

fn no_keys(mode: EncryptionMode) -> &'static str {
    if mode == EncryptionMode::Off {
        "SEALANE_ENCRYPTION=off has no keys to list, expected required"
    } else {
        "there are no keys, expected versions of the secret (`sealane keys rotate` makes one) or a SEALANE_KEY_FILE"
    }
}

fn of_vault(plan: Plan, seals: Option<&Seals>) -> Vec<Row> {
    let stages = plan.stages.into_iter();
    stages
        .map(|(version, stage)| row(&version, stage, seals))
        .collect()
}

fn row(version: &Version, stage: Stage, seals: Option<&Seals>) -> Row {
    let key_id = version.id.to_string();
    Row {
        stage: word(stage),
        activates: match stage {
            Stage::Pending { activates } => Some(moment(activates)),
            _ => None,
        },
        created: Some(moment(version.created)),
        expires: version.expires.map(moment),
        seals: counted(&key_id, seals),
        note: note(stage),
        key_id,
    }
}

/// What is unusual about a stage.
fn note(stage: Stage) -> Option<&'static str> {
    match stage {
        Stage::Active { expired: true, .. } => Some("expired, and nothing can take over: rotate"),
        Stage::Active { early: true, .. } => Some("active early: no older version is usable"),
        Stage::Retained { .. } => {
            Some("disabled; kept by processes that hold it until all noticed")
        }
        _ => None,
    }
}

fn of_ring(codec: Option<sealane_codec::EncryptionCodec>, seals: Option<&Seals>) -> Vec<Row> {
    let ring = codec.and_then(|codec| codec.ring().map(|ring| ring.current()));
    let Some(ring) = ring else {
        return Vec::new();
    };
    let rows = ring.ids().map(|id| Row {
        stage: if id == ring.active() {
            "active"
        } else {
            "decrypts"
        },
        activates: None,
        created: None,
        expires: None,
        seals: counted(id.as_str(), seals),
        note: None,
        key_id: id.to_string(),
    });
    rows.collect()
}

/// A key that no process mentions has sealed nothing that is counted.
fn counted(id: &str, seals: Option<&BTreeMap<String, u64>>) -> Option<u64> {
    seals.map(|seals| seals.get(id).copied().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use sealane_codec::rotation::{Policy, Version, plan};

    use super::of_vault;

    fn version(name: &str, created: u64) -> Version {
        let created = UNIX_EPOCH + Duration::from_secs(created);
        Version {
            version: name.to_owned(),
            id: format!("payload-key/{name}").parse().unwrap(),
            created,
            updated: created,
            not_before: None,
            expires: None,
            enabled: true,
        }
    }

    #[test]
    fn a_new_version_is_listed_with_the_moment_it_takes_over() {
        let versions = [version("old", 0), version("new", 1000)];
        let now = UNIX_EPOCH + Duration::from_secs(1100);
        let policy = Policy {
            activation_delay: Duration::from_secs(900),
        };

        let rows = of_vault(plan(&versions, now, policy), None);

        let shown: Vec<_> = rows
            .iter()
            .map(|row| (row.key_id.as_str(), row.stage))
            .collect();
        assert_eq!(
            shown,
            [
                ("payload-key/new", "pending"),
                ("payload-key/old", "active")
            ]
        );
        assert_eq!(rows[0].activates.as_deref(), Some("1970-01-01T00:31:40Z"));
        assert_eq!(rows[0].seals, None);
    }

    #[test]
    fn a_key_that_no_metrics_mention_has_sealed_nothing() {
        let seals = [("payload-key/old".to_owned(), 7)].into();
        let versions = [version("old", 0), version("new", 1000)];
        let policy = Policy {
            activation_delay: Duration::from_secs(900),
        };

        let rows = of_vault(plan(&versions, UNIX_EPOCH, policy), Some(&seals));

        let counts: Vec<_> = rows.iter().map(|row| row.seals).collect();
        assert_eq!(counts, [Some(0), Some(7)]);
    }
}
