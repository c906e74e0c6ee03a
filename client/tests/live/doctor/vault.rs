//! The vault, what it refuses, and what it holds.

use std::time::Duration;

use sealane_tests::azure::{CLIENT_ID, Endpoint, Fault, Outage, Role, SECRET, Side, Trouble};

use super::{Pod, add_version, base64_key};

/// What cannot be checked where the vault cannot be listed.
const NO_LIST: [&str; 2] = ["vault-get", "keys"];

/// What cannot be checked where it cannot be reached.
const NO_VAULT: [&str; 3] = ["vault-list", "vault-get", "keys"];

#[tokio::test]
async fn a_missing_role_is_told_with_the_command_that_assigns_it() -> anyhow::Result<()> {
    let pod = Pod::new().await?;
    pod.azure.revoke(Role::SecretsUser);

    let report = pod.examine().await;

    let assign = format!(
        "az role assignment create --role \"Key Vault Secrets User\" --assignee {CLIENT_ID} \
         --scope \"$(az keyvault show --name unit --query id -o tsv)/secrets/payload-key\""
    );
    report.fails(77, &["vault-list"], &NO_LIST).says(
        "vault-list",
        &["ForbiddenByRbac", "Caller: appid="],
        &[&assign],
    );
    Ok(())
}

#[tokio::test]
async fn listing_and_getting_are_permitted_apart() -> anyhow::Result<()> {
    let pod = Pod::new().await?;
    pod.azure
        .inject(Fault::at(Endpoint::GetSecret, Trouble::ForbiddenByRbac));

    let report = pod.examine().await;

    report.fails(77, &["vault-get"], &["keys"]).says(
        "vault-get",
        &["ForbiddenByRbac", &pod.version],
        &["Key Vault Secrets User"],
    );
    assert_eq!(report.status("vault-list"), "pass");
    Ok(())
}

#[tokio::test]
async fn the_firewall_is_not_taken_for_a_missing_role() -> anyhow::Result<()> {
    let pod = Pod::new().await?;
    pod.azure
        .inject(Fault::of_vault(Trouble::ForbiddenByFirewall));

    let report = pod.examine().await;

    report.fails(77, &["vault-list"], &NO_LIST).says(
        "vault-list",
        &["ForbiddenByFirewall", "203.0.113.7"],
        &["az keyvault network-rule add --name unit"],
    );
    Ok(())
}

#[tokio::test]
async fn a_secret_whose_versions_are_all_disabled_is_told_by_the_vault() -> anyhow::Result<()> {
    let pod = Pod::new().await?;
    pod.azure.set_enabled(SECRET, &pod.version, false);

    let report = pod.examine().await;

    let enable = format!(
        "az keyvault secret set-attributes --vault-name unit --name payload-key --version {} \
         --enabled true",
        pod.version
    );
    report.fails(78, &["vault-get"], &["keys"]).says(
        "vault-get",
        &["SecretDisabled"],
        &[&enable, "active last"],
    );
    assert!(
        !report.finished.stdout.contains("keys rotate"),
        "it refuses until one is enabled: {}",
        report.finished
    );
    Ok(())
}

#[tokio::test]
async fn a_secret_that_does_not_exist_is_not_a_missing_permission() -> anyhow::Result<()> {
    let pod = Pod::new()
        .await?
        .with("KEYVAULT_SECRET_NAME", "payload-kye");

    let report = pod.examine().await;

    report.fails(78, &["vault-list"], &NO_LIST).says(
        "vault-list",
        &["payload-kye"],
        &["az keyvault secret list --vault-name unit"],
    );
    Ok(())
}

#[tokio::test]
async fn a_name_that_dns_does_not_know_is_a_typing_error() -> anyhow::Result<()> {
    // Nobody may ever register .invalid (RFC 2606), and the proxy is not asked.
    let pod = Pod::new()
        .await?
        .with("KEYVAULT_URL", "https://nuit.vault.invalid");
    let pod = pod.with("NO_PROXY", "vault.invalid");

    let report = pod.examine().await;

    // Where there is no DNS at all, the resolver cannot be sure.
    let code = report.finished.code;
    assert!([69, 78].contains(&code), "{}", report.finished);
    report.says(
        "vault-reachable",
        &["DNS does not resolve nuit.vault.invalid"],
        &["az keyvault list", "nslookup nuit.vault.invalid"],
    );
    assert_eq!(report.status("vault-list"), "skipped");
    assert_eq!(report.status("temporal-namespace"), "pass");
    Ok(())
}

#[tokio::test]
async fn a_name_that_the_proxy_does_not_reach_is_the_proxys_to_explain() -> anyhow::Result<()> {
    let pod = Pod::new()
        .await?
        .with("KEYVAULT_URL", "https://nuit.vault.azure.net");

    let report = pod.examine().await;

    report.fails(69, &["vault-reachable"], &NO_VAULT).says(
        "vault-reachable",
        &["the proxy opens no tunnel to nuit.vault.azure.net"],
        &["KEYVAULT_URL", "HTTPS_PROXY"],
    );
    assert_eq!(report.status("token-exchange"), "pass");
    Ok(())
}

#[tokio::test]
async fn no_connection_and_no_trust_are_told_apart() -> anyhow::Result<()> {
    let pod = Pod::new()
        .await?
        .with("KEYVAULT_URL", "https://127.0.0.1:9");
    let report = pod.examine().await;
    report.fails(69, &["vault-reachable"], &NO_VAULT).says(
        "vault-reachable",
        &["no TCP connection to 127.0.0.1:9", "refused"],
        &["egress to 127.0.0.1:9", "kubectl get networkpolicy"],
    );

    let plain = pod.world.settings().temporal.address;
    let pod = pod.with("KEYVAULT_URL", &format!("https://{plain}"));
    let report = pod.examine().await;
    report.fails(69, &["vault-reachable"], &NO_VAULT).says(
        "vault-reachable",
        &[&format!("{plain} accepts TCP, but does not agree on TLS")],
        &["host and port in KEYVAULT_URL"],
    );

    let pod = Pod::new().await?.without("KEYVAULT_CA_FILE");
    let report = pod.examine().await;
    report.says(
        "vault-reachable",
        &["TLS with unit.vault.azure.net fails"],
        &["KEYVAULT_CA_FILE"],
    );
    assert_eq!(report.finished.code, 78, "{}", report.finished);
    assert_eq!(report.all("fail"), ["token-exchange", "vault-reachable"]);
    Ok(())
}

#[tokio::test]
async fn a_vault_that_never_answers_does_not_hold_up_the_rest() -> anyhow::Result<()> {
    let pod = Pod::new().await?;
    pod.azure.outage(Side::Vault, Outage::Silent);

    let report = pod.examine().await;

    report.fails(69, &["vault-reachable"], &NO_VAULT);
    assert_eq!(report.status("token-exchange"), "pass");
    Ok(())
}

#[tokio::test]
async fn a_web_page_is_not_taken_for_a_vault() -> anyhow::Result<()> {
    let pod = Pod::new().await?.with("KEYVAULT_URL", "https://login.test");

    let report = pod.examine().await;

    report.says(
        "vault-reachable",
        &["login.test answers"],
        &["KEYVAULT_URL"],
    );
    assert_eq!(report.status("vault-reachable"), "warn");
    Ok(())
}

#[tokio::test]
async fn a_tenant_that_is_not_the_vaults_is_noticed() -> anyhow::Result<()> {
    let other = "3c9a6d0e-0000-4000-8000-5ea1a4e00009";
    let pod = Pod::new().await?.with("AZURE_TENANT_ID", other);

    let report = pod.examine().await;

    report
        .fails(77, &["token-exchange"], &NO_VAULT)
        .says("token-exchange", &["AADSTS90002"], &["AZURE_TENANT_ID"])
        .says(
            "vault-reachable",
            &["it belongs to tenant", other],
            &["properties.tenantId"],
        );
    Ok(())
}

#[tokio::test]
async fn a_value_that_is_no_key_is_named_by_its_version() -> anyhow::Result<()> {
    let pod = Pod::new().await?;
    // Old enough to encrypt, and newer than the other.
    add_version(&pod.azure, "hunter2", Duration::from_mins(30));

    let report = pod.examine().await;

    report.fails(78, &["keys"], &[]).says(
        "keys",
        &["holds no key", "payload-key"],
        &["sealane keys rotate"],
    );
    assert!(
        !report.finished.to_string().contains("hunter2"),
        "{}",
        report.finished
    );
    Ok(())
}

#[tokio::test]
async fn a_bad_value_that_only_decrypts_is_a_warning() -> anyhow::Result<()> {
    let pod = Pod::new().await?;
    let bad = pod.azure.add_version(SECRET, "hunter2");

    let report = pod.examine().await;

    assert_eq!(report.finished.code, 0, "{}", report.finished);
    assert_eq!(report.status("keys"), "warn");
    let active = format!("payload-key/{} encrypts, 1 decrypt", pod.version);
    report.says(
        "keys",
        &[&active, &bad, "holds no key"],
        &["disable the bad one"],
    );
    Ok(())
}

#[tokio::test]
async fn a_rotation_under_way_is_shown_with_its_time() -> anyhow::Result<()> {
    let pod = Pod::new().await?;
    let next = pod.azure.add_version(SECRET, &base64_key());

    let report = pod.examine().await;

    let pending = format!("payload-key/{next} encrypts from 20");
    report.says("keys", &["2 decrypt", &pending], &[]);
    assert_eq!(report.status("keys"), "pass");
    Ok(())
}

#[tokio::test]
async fn where_data_keys_encrypt_no_version_is_said_to() -> anyhow::Result<()> {
    let pod = Pod::new().await?;
    pod.azure.add_key("payload-kek");
    pod.azure.add_version(SECRET, &base64_key());
    let kek = "https://unit.vault.azure.net/keys/payload-kek";
    let pod = pod.with("KEYVAULT_KEY_URI", kek);
    let pod = pod.with("SEALANE_KEY_MODE", "envelope");

    let report = pod.examine().await;

    report.says("keys", &["data keys encrypt, 2 others decrypt"], &[]);
    assert!(
        !report.finished.stdout.contains("encrypts"),
        "{}",
        report.finished
    );
    assert_eq!(report.status("keys"), "pass");
    Ok(())
}

#[tokio::test]
async fn data_keys_need_a_role_of_their_own() -> anyhow::Result<()> {
    let pod = Pod::new().await?;
    pod.azure.add_key("payload-kek");
    pod.azure.revoke(Role::CryptoServiceEncryptionUser);
    let kek = "https://unit.vault.azure.net/keys/payload-kek";
    let pod = pod.with("KEYVAULT_KEY_URI", kek);

    let reading = pod.examine().await;
    let pod = pod.with("SEALANE_KEY_MODE", "envelope");
    let writing = pod.examine().await;

    let assign = "az role assignment create --role \"Key Vault Crypto Service Encryption User\"";
    let scope = "--name unit --query id -o tsv)/keys/payload-kek";
    reading.says("data-keys", &["ForbiddenByRbac"], &[assign, scope]);
    assert_eq!(reading.status("data-keys"), "warn");
    assert_eq!(reading.finished.code, 0, "{}", reading.finished);
    writing.fails(77, &["data-keys"], &[]).says(
        "data-keys",
        &["ForbiddenByRbac"],
        &[assign, scope],
    );
    Ok(())
}

#[tokio::test]
async fn a_clock_that_is_wrong_is_noticed_before_it_hurts() -> anyhow::Result<()> {
    let pod = Pod::new().await?;

    pod.azure.set_clock_ahead(Duration::from_secs(90));
    let noticeable = pod.examine().await;
    pod.azure.set_clock_ahead(Duration::from_mins(11));
    let hurting = pod.examine().await;

    assert_eq!(noticeable.finished.code, 0, "{}", noticeable.finished);
    assert_eq!(noticeable.status("clock"), "warn");
    let room = "rotation bears less than 10m";
    noticeable.says(
        "clock",
        &["behind unit.vault.azure.net", room],
        &["timedatectl"],
    );
    hurting.fails(78, &["clock"], &[]).says(
        "clock",
        &["behind login.microsoftonline.com"],
        &["chronyc"],
    );
    Ok(())
}
