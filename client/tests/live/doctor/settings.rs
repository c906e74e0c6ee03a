//! Settings that cannot be used, and those that need no Azure.

use super::Pod;

const AZURE: [&str; 5] = [
    "token-file",
    "token-exchange",
    "vault-reachable",
    "vault-list",
    "vault-get",
];

#[tokio::test]
async fn all_problems_of_the_settings_are_listed_and_the_rest_goes_on() -> anyhow::Result<()> {
    let pod = Pod::new().await?.with("SEALANE_KEY_MODE", "both");
    let pod = pod.with("SEALANE_DRAIN_TIMEOUT", "soon");

    let report = pod.examine().await;

    report.fails(78, &["settings"], &[]);
    let problems = report
        .findings
        .iter()
        .filter(|it| it["check"] == "settings");
    let details: Vec<_> = problems.filter_map(|it| it["detail"].as_str()).collect();
    assert_eq!(details.len(), 2, "{}", report.finished);
    for name in ["SEALANE_KEY_MODE", "SEALANE_DRAIN_TIMEOUT"] {
        assert!(
            details.iter().any(|detail| detail.starts_with(name)),
            "{details:?}"
        );
    }
    for check in ["token-exchange", "vault-get", "keys", "temporal-namespace"] {
        assert_eq!(report.status(check), "pass", "{}", report.finished);
    }
    Ok(())
}

#[tokio::test]
async fn without_an_address_only_temporal_is_skipped() -> anyhow::Result<()> {
    let pod = Pod::new().await?.with("TEMPORAL_ADDRESS", "nowhere");

    let report = pod.examine().await;

    let skipped = [
        "temporal-tcp",
        "temporal-tls",
        "temporal-auth",
        "temporal-namespace",
        "pollers-workflow",
        "pollers-activity",
    ];
    report.fails(78, &["settings"], &skipped).says(
        "temporal-tcp",
        &["before settings passes"],
        &[],
    );
    Ok(())
}

#[tokio::test]
async fn a_setting_that_temporal_can_be_reached_without_skips_nothing() -> anyhow::Result<()> {
    let pod = Pod::new().await?.with("TEMPORAL_WORKER_BUILD_ID", "1");

    let report = pod.examine().await;

    report
        .fails(78, &["settings"], &[])
        .says("settings", &["TEMPORAL_DEPLOYMENT_NAME"], &[]);
    assert_eq!(report.status("temporal-namespace"), "pass");
    Ok(())
}

#[tokio::test]
async fn of_two_sources_one_has_to_go_before_either_is_looked_at() -> anyhow::Result<()> {
    let pod = Pod::new().await?;
    let key_file = pod.world.key_file().display().to_string();
    let pod = pod.with("SEALANE_KEY_FILE", &key_file);

    let report = pod.examine().await;

    report
        .fails(
            78,
            &["settings"],
            &[&AZURE[..], &["keys", "clock"]].concat(),
        )
        .says(
            "settings",
            &["SEALANE_KEY_FILE and KEYVAULT_URL are both set"],
            &["remove one"],
        );
    assert_eq!(pod.azure.requests().len(), 0, "nobody is asked");
    Ok(())
}

#[tokio::test]
async fn an_identity_is_checked_even_where_no_vault_is_named() -> anyhow::Result<()> {
    let pod = Pod::new()
        .await?
        .without("KEYVAULT_URL")
        .without("KEYVAULT_SECRET_NAME");

    let report = pod.examine().await;

    report.fails(
        78,
        &["settings"],
        &["vault-reachable", "vault-list", "vault-get", "keys"],
    );
    assert_eq!(report.status("token-exchange"), "pass");
    Ok(())
}

#[tokio::test]
async fn keys_from_a_file_need_no_azure() -> anyhow::Result<()> {
    let pod = Pod::new().await?;
    let key_file = pod.world.key_file().display().to_string();
    let pod = pod.without("KEYVAULT_URL").without("KEYVAULT_SECRET_NAME");
    let pod = pod.with("SEALANE_KEY_FILE", &key_file);

    let report = pod.examine().await;

    assert_eq!(report.finished.code, 0, "{}", report.finished);
    for check in AZURE {
        report.says(check, &["keys come from SEALANE_KEY_FILE"], &[]);
        assert_eq!(report.status(check), "skipped");
    }
    report.says("keys", &["test-key encrypts, 1 decrypt"], &[]);
    assert_eq!(pod.azure.requests().len(), 0, "nobody is asked");
    Ok(())
}

#[tokio::test]
async fn a_key_file_that_holds_no_keys_is_named() -> anyhow::Result<()> {
    let pod = Pod::new().await?;
    let key_file = pod.world.key_file().display().to_string();
    std::fs::write(&key_file, "{}")?;
    let pod = pod.without("KEYVAULT_URL").without("KEYVAULT_SECRET_NAME");
    let pod = pod.with("SEALANE_KEY_FILE", &key_file);

    let report = pod.examine().await;

    report
        .fails(78, &["keys"], &[&AZURE[..], &["clock"]].concat())
        .says(
            "keys",
            &["SEALANE_KEY_FILE", &key_file],
            &["restore it from a copy"],
        );
    assert!(
        !report.finished.stdout.contains("keys generate"),
        "a new key would not read old payloads: {}",
        report.finished
    );
    Ok(())
}

#[tokio::test]
async fn plaintext_is_a_warning() -> anyhow::Result<()> {
    let pod = Pod::new().await?.with("SEALANE_ENCRYPTION", "off");

    let report = pod.examine().await;

    assert_eq!(report.finished.code, 0, "{}", report.finished);
    assert_eq!(report.status("keys"), "warn");
    report.says("keys", &["in plaintext"], &["remove SEALANE_ENCRYPTION"]);
    report.says("token-exchange", &["SEALANE_ENCRYPTION=off"], &[]);
    Ok(())
}

#[tokio::test]
async fn a_legacy_key_that_is_not_there_is_named() -> anyhow::Result<()> {
    let pod = Pod::new().await?.with("SEALANE_LEGACY_KEY_ID", "old");

    let report = pod.examine().await;

    report
        .fails(78, &["keys"], &[])
        .says("keys", &["SEALANE_LEGACY_KEY_ID is \"old\""], &[]);
    Ok(())
}
