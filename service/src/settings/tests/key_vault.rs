//! Keys from Azure: what goes together, what excludes each other, and as whom to ask.

use std::time::Duration;

use super::{Files, load, problems};
use crate::settings::{AzureIdentity, KeySource};

const VAULT: &[(&str, &str)] = &[
    ("SEALANE_ENCRYPTION", "required"),
    ("KEYVAULT_URL", "https://unit.vault.azure.net"),
    ("KEYVAULT_SECRET_NAME", "payload-key"),
];

/// The settings above and `more`.
fn with<'a>(more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    VAULT.iter().chain(more).copied().collect()
}

fn injected(files: &Files) -> String {
    files.write("token", "a.b.c")
}

#[test]
fn in_a_pod_the_webhooks_variables_say_who_we_are() {
    let files = Files::new();
    let token = injected(&files);

    let settings = load(&with(&[
        ("KUBERNETES_SERVICE_HOST", "10.0.0.1"),
        ("AZURE_TENANT_ID", "tenant"),
        ("AZURE_CLIENT_ID", "client"),
        ("AZURE_FEDERATED_TOKEN_FILE", &token),
    ]));

    let Some(KeySource::KeyVault(vault)) = settings.encryption.source else {
        panic!("expected a vault");
    };
    assert_eq!(vault.url.as_str(), "https://unit.vault.azure.net/");
    assert_eq!(vault.secret, "payload-key");
    assert_eq!(vault.refresh, Duration::from_mins(5));
    assert_eq!(vault.activation_delay, Duration::from_mins(15));
    let AzureIdentity::Workload {
        tenant_id,
        token_file,
        authority_host,
        ..
    } = settings.encryption.azure.unwrap().identity
    else {
        panic!("expected workload identity");
    };
    assert_eq!(tenant_id, "tenant");
    assert_eq!(token_file.to_str(), Some(token.as_str()));
    assert_eq!(
        authority_host.as_str(),
        "https://login.microsoftonline.com/"
    );
}

#[test]
fn a_pod_without_the_webhooks_variables_is_told_about_the_label_once() {
    let problems = problems(&with(&[("KUBERNETES_SERVICE_HOST", "10.0.0.1")]));

    let [problem] = problems.as_slice() else {
        panic!("expected one problem: {problems:#?}");
    };
    for part in [
        "AZURE_FEDERATED_TOKEN_FILE is not set",
        "AZURE_TENANT_ID",
        "AZURE_CLIENT_ID",
        "azure.workload.identity/use: \"true\"",
    ] {
        assert!(problem.contains(part), "no {part:?} in: {problem}");
    }
}

#[test]
fn a_pod_with_some_of_the_webhooks_variables_is_told_which_are_missing() {
    let problems = problems(&with(&[
        ("KUBERNETES_SERVICE_HOST", "10.0.0.1"),
        ("AZURE_CLIENT_ID", "client"),
    ]));

    assert_eq!(problems.len(), 2, "{problems:#?}");
    for (problem, name) in problems
        .iter()
        .zip(["AZURE_TENANT_ID", "AZURE_FEDERATED_TOKEN_FILE"])
    {
        assert!(
            problem.starts_with(&format!("{name} is not set")),
            "{problem}"
        );
    }
}

#[test]
fn on_a_laptop_the_developers_login_is_used() {
    let azure = load(VAULT).encryption.azure.unwrap();

    assert_eq!(azure.identity, AzureIdentity::Developer);
}

#[test]
fn the_choice_of_a_credential_can_be_forced() {
    let managed = [
        ("SEALANE_AZURE_CREDENTIAL", "managed"),
        ("AZURE_CLIENT_ID", "client"),
    ];

    let azure = load(&with(&managed)).encryption.azure.unwrap();

    let client_id = Some("client".to_owned());
    assert_eq!(azure.identity, AzureIdentity::Managed { client_id });
    let forced = problems(&with(&[("SEALANE_AZURE_CREDENTIAL", "workload")]));
    assert_eq!(forced.len(), 1, "{forced:?}");
}

#[test]
fn two_key_sources_are_refused() {
    let files = Files::new();
    let ring = files.write("keys.json", "{}");

    let problems = problems(&with(&[("SEALANE_KEY_FILE", &ring)]));

    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(
        problems[0].contains("SEALANE_KEY_FILE") && problems[0].contains("KEYVAULT_URL"),
        "{problems:?}"
    );
}

#[test]
fn a_vault_needs_the_name_of_its_secret() {
    let problems = problems(&VAULT[..2]);

    assert_eq!(
        problems,
        [
            "KEYVAULT_SECRET_NAME is not set, expected the name of a secret: 1 to 127 letters, digits and dashes because KEYVAULT_URL is set"
        ]
    );
}

#[test]
fn the_activation_delay_is_at_least_twice_the_refresh() {
    let delays = [
        ("SEALANE_KEY_REFRESH", "10m"),
        ("SEALANE_KEY_ACTIVATION_DELAY", "19m"),
    ];

    let refused = problems(&with(&delays));

    assert_eq!(refused.len(), 1, "{refused:?}");
    assert!(
        refused[0].contains("\"19m\"") && refused[0].contains("at least 20m"),
        "{refused:?}"
    );
    load(&with(&[delays[0], ("SEALANE_KEY_ACTIVATION_DELAY", "20m")]));
}

#[test]
fn keys_are_stale_after_two_refreshes_at_the_earliest() {
    let refresh = ("SEALANE_KEY_REFRESH", "5m");
    let seldom = [
        ("SEALANE_KEY_REFRESH", "1h"),
        ("SEALANE_KEY_ACTIVATION_DELAY", "2h"),
    ];

    let refused = problems(&with(&[refresh, ("SEALANE_KEY_STALE_AFTER", "9m")]));
    let default = problems(&with(&seldom));

    assert_eq!(refused.len(), 1, "{refused:?}");
    assert!(
        refused[0].starts_with("SEALANE_KEY_STALE_AFTER is \"9m\"")
            && refused[0].contains("at least 10m, twice SEALANE_KEY_REFRESH"),
        "{refused:?}"
    );
    assert_eq!(default.len(), 1, "{default:?}");
    assert!(default[0].contains("at least 2h"), "{default:?}");
    load(&with(&[refresh, ("SEALANE_KEY_STALE_AFTER", "10m")]));
}

#[test]
fn a_key_uri_may_name_the_algorithm_as_temporal_proxys_do() {
    let key = "azurekeyvault://a.vault.azure.net/keys/kek?algorithm=RSA-OAEP-256";

    let settings = load(&with(&[("KEYVAULT_KEY_URI", key)]));

    assert_eq!(settings.encryption.envelope.unwrap().key_uris, [key]);
}

#[test]
fn data_keys_need_a_key_that_wraps_them_and_no_other_source() {
    let envelope = [
        ("SEALANE_ENCRYPTION", "required"),
        ("SEALANE_KEY_MODE", "envelope"),
    ];
    let key = (
        "KEYVAULT_KEY_URI",
        "azurekeyvault://a.vault.azure.net/keys/new/1, https://b.vault.azure.net/keys/old",
    );

    let refused = problems(&envelope);
    let settings = load(&[envelope[0], envelope[1], key]).encryption;

    assert_eq!(refused.len(), 1, "{refused:?}");
    assert!(
        refused[0].starts_with("KEYVAULT_KEY_URI is not set"),
        "{refused:?}"
    );
    assert_eq!(settings.source, None);
    let envelope = settings.envelope.unwrap();
    assert!(envelope.encrypts);
    assert_eq!(envelope.key_uris.len(), 2);
    assert_eq!(envelope.key_uris[1], "https://b.vault.azure.net/keys/old");
    assert!(settings.azure.is_some());
}

#[test]
fn where_no_vault_is_involved_nobody_has_to_be_known_to_azure() {
    let files = Files::new();
    let ring = files.write("keys.json", "{}");

    let settings = load(&[
        ("SEALANE_ENCRYPTION", "required"),
        ("SEALANE_KEY_FILE", &ring),
        ("KUBERNETES_SERVICE_HOST", "10.0.0.1"),
    ]);

    assert_eq!(settings.encryption.azure, None);
}
