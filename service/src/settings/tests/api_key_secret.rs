//! The API key from a vault: what goes together, and what excludes each other.

use std::time::Duration;

use super::{Files, load, problems};
use crate::settings::{ApiKey, AzureIdentity, KeySource};

const URL: (&str, &str) = ("KEYVAULT_URL", "https://unit.vault.azure.net");
const API_KEY: (&str, &str) = ("KEYVAULT_API_KEY_SECRET_NAME", "temporal-api-key");
const KEYS: (&str, &str) = ("KEYVAULT_SECRET_NAME", "payload-key");
const REQUIRED: (&str, &str) = ("SEALANE_ENCRYPTION", "required");
const OFF: (&str, &str) = ("SEALANE_ENCRYPTION", "off");

#[test]
fn the_api_key_comes_from_the_vault_of_the_keys_and_turns_tls_on() {
    let refresh = ("SEALANE_KEY_REFRESH", "30s");

    let settings = load(&[REQUIRED, URL, KEYS, API_KEY, refresh]);

    let ApiKey::KeyVault(secret) = settings.temporal.api_key else {
        panic!("expected a vault");
    };
    assert_eq!(secret.url.as_str(), "https://unit.vault.azure.net/");
    assert_eq!(secret.secret, "temporal-api-key");
    assert_eq!(secret.refresh, Duration::from_secs(30));
    assert_eq!(secret.azure.identity, AzureIdentity::Developer);
    assert!(settings.temporal.tls.is_some());
    let source = settings.encryption.source;
    assert!(matches!(source, Some(KeySource::KeyVault(keys)) if keys.secret == "payload-key"));
}

#[test]
fn keys_may_come_from_a_file_or_from_nowhere() {
    let files = Files::new();
    let ring = files.write("keys.json", "{}");

    let from_file = load(&[REQUIRED, URL, API_KEY, ("SEALANE_KEY_FILE", &ring)]);
    let off = load(&[OFF, URL, API_KEY]);

    for settings in [&from_file, &off] {
        assert!(matches!(settings.temporal.api_key, ApiKey::KeyVault(_)));
        assert_eq!(settings.encryption.azure, None, "no key is in Azure");
    }
    let source = from_file.encryption.source;
    assert!(matches!(source, Some(KeySource::File(_))), "{source:?}");
    assert_eq!(off.encryption.source, None);
}

#[test]
fn a_vault_that_is_there_for_the_api_key_brings_no_keys() {
    let problems = problems(&[REQUIRED, URL, API_KEY]);

    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(
        problems[0].starts_with("SEALANE_KEY_FILE is not set"),
        "{problems:?}"
    );
}

#[test]
fn keys_from_a_file_and_from_the_vault_exclude_each_other_beside_an_api_key_too() {
    let files = Files::new();
    let ring = files.write("keys.json", "{}");

    let problems = problems(&[REQUIRED, URL, KEYS, API_KEY, ("SEALANE_KEY_FILE", &ring)]);

    assert_eq!(
        problems,
        ["SEALANE_KEY_FILE and KEYVAULT_SECRET_NAME are both set, expected one of them"]
    );
}

#[test]
fn it_needs_the_address_of_its_vault_and_says_so_once() {
    let alone = problems(&[OFF, API_KEY]);
    let beside = problems(&[OFF, API_KEY, KEYS]);

    assert_eq!(
        alone,
        [
            "KEYVAULT_URL is not set, expected the https URL of a vault, such as https://my-vault.vault.azure.net because KEYVAULT_API_KEY_SECRET_NAME is set"
        ]
    );
    assert_eq!(beside.len(), 1, "{beside:?}");
    assert!(
        beside[0].starts_with("KEYVAULT_URL is not set"),
        "{beside:?}"
    );
}

#[test]
fn api_keys_from_two_places_are_refused_and_not_shown() {
    let files = Files::new();
    let file = files.write("api-key", "s3cret-in-file");
    let others = [
        ("TEMPORAL_API_KEY", "s3cret"),
        ("TEMPORAL_API_KEY_FILE", file.as_str()),
    ];

    for other in others {
        let problems = problems(&[OFF, URL, API_KEY, other]);

        let expected = format!(
            "{} and KEYVAULT_API_KEY_SECRET_NAME are both set, expected one of them",
            other.0
        );
        assert_eq!(problems, [expected]);
    }
}

#[test]
fn a_pod_without_the_webhooks_variables_is_told_once_for_both_secrets() {
    let pod = ("KUBERNETES_SERVICE_HOST", "10.0.0.1");

    let both = problems(&[REQUIRED, URL, KEYS, API_KEY, pod]);
    let alone = problems(&[OFF, URL, API_KEY, pod]);

    for problems in [both, alone] {
        assert_eq!(problems.len(), 1, "{problems:#?}");
        assert!(
            problems[0].starts_with("AZURE_FEDERATED_TOKEN_FILE is not set"),
            "{problems:?}"
        );
    }
}

#[test]
fn plaintext_to_the_server_has_to_be_asked_for() {
    let http = ("TEMPORAL_ADDRESS", "http://localhost:7233");

    let refused = problems(&[OFF, URL, API_KEY, http]);
    let off = load(&[OFF, URL, API_KEY, ("TEMPORAL_TLS", "false")]);

    assert!(
        refused[0].contains("KEYVAULT_API_KEY_SECRET_NAME turns TLS on"),
        "{refused:?}"
    );
    assert_eq!(off.temporal.tls, None);
}
