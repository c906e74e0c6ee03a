//! The API key, where a secret holds it.

use sealane_tests::azure::{CLIENT_ID, Endpoint, Fault, Trouble};

use super::{API_KEY, Pod};

/// What needs the API key.
const SERVER: [&str; 4] = [
    "temporal-auth",
    "temporal-namespace",
    "pollers-workflow",
    "pollers-activity",
];

#[tokio::test]
async fn a_role_that_is_missing_at_this_secret_alone_is_told() -> anyhow::Result<()> {
    let pod = Pod::new().await?.with_api_key("eyJ-key");
    let refused = Fault::at(Endpoint::GetSecret, Trouble::ForbiddenByRbac);
    pod.azure.inject(refused.on(API_KEY));

    let report = pod.examine().await;

    let assign = format!(
        "az role assignment create --role \"Key Vault Secrets User\" --assignee {CLIENT_ID} \
         --scope \"$(az keyvault show --name unit --query id -o tsv)/secrets/temporal-api-key\""
    );
    report.fails(77, &["api-key"], &SERVER).says(
        "api-key",
        &["ForbiddenByRbac", API_KEY],
        &[&assign],
    );
    Ok(())
}

#[tokio::test]
async fn a_secret_that_is_not_there_is_told_and_how_to_make_it() -> anyhow::Result<()> {
    let pod = Pod::new().await?.with_api_key("eyJ-key");
    let pod = pod.with("KEYVAULT_API_KEY_SECRET_NAME", "temporal-apikey");

    let report = pod.examine().await;

    report.fails(78, &["api-key"], &SERVER).says(
        "api-key",
        &["secret temporal-apikey in https://unit.vault.azure.net/ does not exist"],
        &[
            "KEYVAULT_API_KEY_SECRET_NAME",
            "az keyvault secret set --vault-name unit",
        ],
    );
    Ok(())
}

#[tokio::test]
async fn a_value_that_cannot_be_sent_is_told_and_not_shown() -> anyhow::Result<()> {
    let pod = Pod::new().await?.with_api_key("two words");

    let report = pod.examine().await;

    report.fails(78, &["api-key"], &SERVER).says(
        "api-key",
        &["white space"],
        &["az keyvault secret set"],
    );
    assert!(!report.finished.to_string().contains("two words"));
    Ok(())
}

#[tokio::test]
async fn it_is_asked_for_where_keys_come_from_elsewhere() -> anyhow::Result<()> {
    let pod = Pod::new().await?.with_api_key("eyJ-key");
    let keys = pod.world.key_file().display().to_string();
    let from_file = pod
        .without("KEYVAULT_SECRET_NAME")
        .with("SEALANE_KEY_FILE", &keys);

    let report = from_file.examine().await;

    assert_eq!(report.finished.code, 0, "{}", report.finished);
    assert_eq!(report.status("keys"), "pass");
    assert_eq!(report.status("api-key"), "pass");
    assert_eq!(
        report.all("skipped"),
        [
            "vault-list",
            "vault-get",
            "data-keys",
            "blob-container",
            "temporal-tls"
        ],
        "{}",
        report.finished
    );
    Ok(())
}
