//! What the manifests tell the processes is what the processes read, and enough to start with.

use std::{collections::BTreeSet, fs};

use sealane_service::settings::{ApiKey, DEFINITIONS, EncryptionMode, KeySource};

use crate::{
    process,
    programs::root,
    renderings::{self, Rendering},
};

/// Set by others: the webhook of workload identity, temporal-worker-controller.
const NOT_OURS_TO_SET: [&str; 5] = [
    "AZURE_CLIENT_ID",
    "AZURE_TENANT_ID",
    "AZURE_FEDERATED_TOKEN_FILE",
    "AZURE_AUTHORITY_HOST",
    "TEMPORAL_WORKER_BUILD_ID",
];

#[test]
fn every_process_can_start_with_what_it_is_given() -> anyhow::Result<()> {
    for rendering in renderings::of_overlays() {
        for process in process::all(rendering) {
            let settings = process.settings()?;

            let at = format!("{}: {process}", rendering.name());
            assert_eq!(settings.encryption.mode, EncryptionMode::Required, "{at}");
            assert!(process.variable("TEMPORAL_ADDRESS").is_some(), "{at}");
            assert!(process.variable("TEMPORAL_TASK_QUEUE").is_some(), "{at}");
        }
    }
    Ok(())
}

#[test]
fn every_variable_is_read_by_the_processes() {
    let known: BTreeSet<_> = DEFINITIONS.iter().map(|it| it.name).collect();
    for rendering in renderings::of_overlays() {
        for process in process::all(rendering) {
            for name in process.environment.keys() {
                let at = format!("{}: {process}: {name}", rendering.name());
                assert!(known.contains(name.as_str()), "{at} is read by nobody");
                assert!(
                    !NOT_OURS_TO_SET.contains(&name.as_str()),
                    "{at} is for others to set"
                );
            }
        }
    }
}

#[test]
fn no_variable_holds_a_secret() {
    let secret: BTreeSet<_> = DEFINITIONS
        .iter()
        .filter(|it| it.secret)
        .map(|it| it.name)
        .collect();
    assert!(secret.contains("TEMPORAL_API_KEY"));
    for rendering in renderings::of_overlays() {
        for process in process::all(rendering) {
            let told = process
                .environment
                .keys()
                .find(|it| secret.contains(it.as_str()));
            assert_eq!(told, None, "{}: {process}", rendering.name());
        }
    }
}

/// Who may call has to be settled where callers come from elsewhere: `off` is for loopback only, and both would refuse to
/// start.
#[test]
fn whoever_answers_requests_asks_who_is_calling() -> anyhow::Result<()> {
    for rendering in renderings::of_overlays() {
        for process in process::all(rendering) {
            if process.serves() {
                let auth = process.settings()?.auth;
                assert!(!auth.is_off(), "{}: {process}", rendering.name());
            }
        }
    }
    Ok(())
}

#[test]
fn keys_come_from_key_vault_on_azure_and_from_a_file_elsewhere() -> anyhow::Result<()> {
    for rendering in renderings::of_overlays() {
        let from_file = rendering.overlay == "local"
            || rendering
                .components
                .iter()
                .any(|it| it.starts_with("csi-keys"));
        for process in process::all(rendering) {
            let source = process.settings()?.encryption.source;
            let is_file = matches!(source, Some(KeySource::File(_)));
            let is_vault = matches!(source, Some(KeySource::KeyVault(_)));
            assert_eq!(
                (is_file, is_vault),
                (from_file, !from_file),
                "{}: {process}",
                rendering.name()
            );
        }
    }
    Ok(())
}

/// The codec server speaks to no Temporal server, and its identity may not read the API key.
#[test]
fn the_api_key_is_for_those_who_speak_to_temporal_cloud() -> anyhow::Result<()> {
    for rendering in renderings::of_overlays() {
        for process in process::all(rendering) {
            let expected =
                rendering.overlay == "aks-cloud" && process.container.name() != "codec-server";
            let has_key = process.settings()?.temporal.api_key != ApiKey::None;
            assert_eq!(has_key, expected, "{}: {process}", rendering.name());
        }
    }
    Ok(())
}

/// Processes that share keys have to agree on when a key becomes active.
#[test]
fn all_processes_rotate_alike() {
    for rendering in renderings::of_overlays() {
        for name in [
            "SEALANE_KEY_REFRESH",
            "SEALANE_KEY_ACTIVATION_DELAY",
            "SEALANE_KEY_MODE",
            "KEYVAULT_SECRET_NAME",
        ] {
            let values: BTreeSet<_> = process::all(rendering)
                .map(|it| it.variable(name).map(str::to_owned))
                .collect();
            assert_eq!(
                values.len(),
                1,
                "{}: {name} is {values:?}",
                rendering.name()
            );
        }
    }
}

/// The base says what is the same everywhere, in the form that `--config` takes.
#[test]
fn the_shared_settings_are_a_configuration_file() -> anyhow::Result<()> {
    let file = root().join("k8s/base/config.env");
    let known: BTreeSet<_> = DEFINITIONS.iter().map(|it| it.name).collect();
    let text = fs::read_to_string(&file)?;
    let names: Vec<_> = text
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| Some(line.split_once('=')?.0))
        .collect();
    assert!(!names.is_empty());
    for name in names {
        assert!(known.contains(name), "{name} is read by nobody");
        for rendering in renderings::of_overlays() {
            assert!(sets(rendering, name), "{}: {name}", rendering.name());
        }
    }
    Ok(())
}

fn sets(rendering: &Rendering, name: &str) -> bool {
    process::all(rendering).all(|it| it.environment.contains_key(name))
}
