//! checkov's opinion of the infrastructure: every finding is answered here, and every answer has a finding.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    time::Duration,
};

use anyhow::{Context, ensure};
use sealane_tests::python::Python;
use serde_json::Value;
use tokio::{sync::OnceCell, time::timeout};

use crate::directory::repository;

/// Bounds a run, which takes half a minute on an idle machine.
const LIMIT: Duration = Duration::from_secs(600);

/// Check, resource, and why it is as it is.
const ANSWERED: [[&str; 3]; 28] = [
    [
        "CKV2_AZURE_1",
        "azurerm_storage_account.this",
        "a key of one's own for states would need a vault before there is any",
    ],
    [
        "CKV2_AZURE_1",
        "module.storage.azurerm_storage_account.this",
        "what is in it is encrypted already, under keys that Azure does not have",
    ],
    [
        "CKV2_AZURE_21",
        "azurerm_storage_container.states",
        "there is no workspace to log to before there is an environment; versions say who wrote",
    ],
    [
        "CKV2_AZURE_21",
        "module.storage.azurerm_storage_container.payloads",
        "reads would be logged at the price of a read each; who may read is one role on one container",
    ],
    [
        "CKV2_AZURE_31",
        "module.network.azurerm_subnet.nodes",
        "AKS guards nodes with a group of its own, and opens it for each Service",
    ],
    [
        "CKV2_AZURE_33",
        "azurerm_storage_account.this",
        "whoever bootstraps has no network yet; tokens of Entra are the only way in",
    ],
    [
        "CKV2_AZURE_57",
        "module.postgresql.azurerm_postgresql_flexible_server.this",
        "the server is inside the network, in a subnet of its own: better than an endpoint to it",
    ],
    [
        "CKV_AZURE_117",
        "module.cluster.azurerm_kubernetes_cluster.this",
        "disks are encrypted with Azure's keys and hold nothing: images, logs of containers",
    ],
    [
        "CKV_AZURE_136",
        "module.postgresql.azurerm_postgresql_flexible_server.this",
        "backups in another region cannot be added later and cost twice: docs/infrastructure.md says how",
    ],
    [
        "CKV_AZURE_139",
        "module.registry.azurerm_container_registry.this",
        "builds push from outside; every request carries a token of Entra",
    ],
    [
        "CKV_AZURE_163",
        "module.registry.azurerm_container_registry.this",
        "wants an argument that azurerm has no more; images are scanned before they are pushed",
    ],
    [
        "CKV_AZURE_164",
        "module.registry.azurerm_container_registry.this",
        "azurerm 5 has no trust_policy; images are signed with cosign and pinned by digest",
    ],
    [
        "CKV_AZURE_165",
        "module.registry.azurerm_container_registry.this",
        "one region",
    ],
    [
        "CKV_AZURE_166",
        "module.registry.azurerm_container_registry.this",
        "Premium only; images are scanned before they are pushed",
    ],
    [
        "CKV_AZURE_167",
        "module.registry.azurerm_container_registry.this",
        "Premium only, and what is pinned by digest has no tag: it would be deleted",
    ],
    [
        "CKV_AZURE_206",
        "azurerm_storage_account.this",
        "three zones; in another region there would be nothing left to manage with it",
    ],
    [
        "CKV_AZURE_206",
        "module.storage.azurerm_storage_account.this",
        "three zones; in another region there would be no cluster to read it",
    ],
    [
        "CKV_AZURE_226",
        "module.cluster.azurerm_kubernetes_cluster.this",
        "D2s_v5 has no local disk; set a size that has one and the argument together",
    ],
    [
        "CKV_AZURE_227",
        "module.cluster.azurerm_kubernetes_cluster.this",
        "needs a feature that subscriptions have to ask for",
    ],
    [
        "CKV_AZURE_227",
        "module.cluster.azurerm_kubernetes_cluster_node_pool.workers",
        "needs a feature that subscriptions have to ask for",
    ],
    [
        "CKV_AZURE_233",
        "module.registry.azurerm_container_registry.this",
        "Premium only: Azure replicates every tier over zones where it can",
    ],
    [
        "CKV_AZURE_237",
        "module.registry.azurerm_container_registry.this",
        "Premium only",
    ],
    [
        "CKV_AZURE_33",
        "azurerm_storage_account.this",
        "there are no queues in it",
    ],
    [
        "CKV_AZURE_33",
        "module.storage.azurerm_storage_account.this",
        "there are no queues in it",
    ],
    [
        "CKV_AZURE_36",
        "module.storage.azurerm_storage_account.this",
        "no service of Azure has business in it: the private endpoint is the only way in",
    ],
    [
        "CKV_AZURE_4",
        "module.cluster.azurerm_kubernetes_cluster.this",
        "looks for the agent of Container Insights; control plane logs are in modules/monitoring",
    ],
    [
        "CKV_AZURE_41",
        "module.postgresql.azurerm_key_vault_secret.password",
        "Key Vault does not enforce it, and the database would still want the password",
    ],
    [
        "CKV_AZURE_59",
        "azurerm_storage_account.this",
        "whoever bootstraps has no network yet; keys and anonymous reads are off",
    ],
];

/// The one file it cannot read: an argument there is called `for`.
const UNREAD: u64 = 1;

#[tokio::test]
async fn every_finding_is_answered_and_every_answer_has_a_finding() -> anyhow::Result<()> {
    let report = report(&repository().join("infra/terraform")).await?;

    let answered: BTreeMap<_, _> = ANSWERED
        .iter()
        .map(|[check, resource, why]| ((*check, *resource), *why))
        .collect();
    let found = findings(&report)?;
    let found: BTreeSet<_> = found
        .iter()
        .map(|(check, it)| (check.as_str(), it.as_str()))
        .collect();
    assert_eq!(found, answered.keys().copied().collect::<BTreeSet<_>>());
    assert_eq!(report["summary"]["parsing_errors"], UNREAD);
    // Fewer would mean that it has not looked.
    let passed = report["summary"]["passed"].as_u64().context("no summary")?;
    ensure!(passed > 30, "only {passed} checks passed");
    Ok(())
}

#[tokio::test]
async fn a_registry_with_a_password_would_be_found() -> anyhow::Result<()> {
    let place = tempfile::tempdir()?;
    let file = repository().join("infra/terraform/modules/registry/main.tf");
    let weakened = std::fs::read_to_string(file)?
        .replace("admin_enabled          = false", "admin_enabled = true");
    std::fs::write(place.path().join("main.tf"), weakened)?;

    let found = findings(&report(place.path()).await?)?;
    let expected = (
        "CKV_AZURE_137".to_owned(),
        "azurerm_container_registry.this".to_owned(),
    );
    ensure!(found.contains(&expected), "{found:?}");
    Ok(())
}

/// Checks that failed, and of what.
fn findings(report: &Value) -> anyhow::Result<BTreeSet<(String, String)>> {
    let failed = report["results"]["failed_checks"]
        .as_array()
        .context("no results")?;
    let text = |it: &Value| it.as_str().unwrap_or_default().to_owned();
    Ok(failed
        .iter()
        .map(|it| (text(&it["check_id"]), text(&it["resource"])))
        .collect())
}

/// Python with checkov, which is installed once for all tests.
async fn python() -> anyhow::Result<&'static Python> {
    static PYTHON: OnceCell<Python> = OnceCell::const_new();
    let requirements = repository().join("tests/infrastructure/requirements.txt");
    PYTHON
        .get_or_try_init(async || Python::with(&requirements).await)
        .await
}

async fn report(directory: &Path) -> anyhow::Result<Value> {
    let python = python().await?;
    let home = tempfile::tempdir()?;
    let checking = python
        .command()
        .env("HOME", home.path())
        // Downloads nothing, asks nobody.
        .args([
            "-m",
            "checkov.main",
            "--skip-download",
            "--compact",
            "--soft-fail",
        ])
        .args([
            "--framework",
            "terraform",
            "--output",
            "json",
            "--directory",
        ])
        .arg(directory)
        .kill_on_drop(true)
        .output();
    let output = timeout(LIMIT, checking)
        .await
        .context("checkov does not end")??;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "checkov failed: {}", said.trim());
    serde_json::from_slice(&output.stdout)
        .with_context(|| format!("checkov printed no JSON: {}", said.trim()))
}
