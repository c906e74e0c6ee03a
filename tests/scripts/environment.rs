//! The environment `demo`, as somebody wrote it down and as Terraform made it.

use serde_json::{Value, json};

use crate::harness::World;

pub(crate) const TENANT: &str = "11111111-1111-4111-8111-111111111111";
pub(crate) const SUBSCRIPTION: &str = "22222222-2222-4222-8222-222222222222";
pub(crate) const GROUP: &str = "sealane-demo";
pub(crate) const NODE_GROUP: &str = "sealane-demo-nodes";
pub(crate) const CLUSTER: &str = "sealane-demo";
pub(crate) const API_SERVER: &str = "sealane-demo-abc123.hcp.westeurope.azmk8s.io";
pub(crate) const ISSUER: &str = "https://westeurope.oic.prod-aks.azure.com/11111111/33333333/";
pub(crate) const VAULT: &str = "sealane-demo-a1b2c3";

/// Writes infra/environments/demo.
pub(crate) fn write(world: &World) {
    world.write(
        "infra/environments/demo/terraform.tfvars",
        &variables(SUBSCRIPTION),
    );
    world.write(
        "infra/environments/demo/backend.hcl",
        "key = \"demo.tfstate\"\n",
    );
}

/// terraform.tfvars, for another subscription too.
pub(crate) fn variables(subscription: &str) -> String {
    format!(
        r#"environment     = "demo"
subscription_id = "{subscription}"
tenant_id       = "{TENANT}"
location        = "westeurope"
ttl_hours       = 24
temporal_mode   = "self-hosted"
authorized_ip_ranges = ["203.0.113.7/32"]
"#
    )
}

/// What `terraform output -json` prints.
pub(crate) fn outputs() -> Value {
    let id = |kind: &str, name: &str| {
        format!(
            "/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}/providers/Microsoft.{kind}/{name}"
        )
    };
    let values = json!({
        "environment": "demo", "location": "westeurope", "subscription_id": SUBSCRIPTION, "tenant_id": TENANT,
        "resource_group_name": GROUP, "expires_at": "2099-11-22T18:00:00Z",
        "cluster_name": CLUSTER, "cluster_id": id("ContainerService/managedClusters", CLUSTER), "kubernetes_version": "1.36",
        "oidc_issuer_url": ISSUER, "kubelet_principal_id": "44444444-4444-4444-8444-444444444444",
        "registry_name": "sealanedemoa1b2c3", "registry_id": id("ContainerRegistry/registries", "sealanedemoa1b2c3"),
        "registry_login_server": "sealanedemoa1b2c3.azurecr.io", "registry_role_mode": "rbac",
        "key_vault_name": VAULT, "key_vault_id": id("KeyVault/vaults", VAULT), "key_vault_url": format!("https://{VAULT}.vault.azure.net/"),
        "payload_key_secret_name": "payload-key", "api_key_secret_name": null, "blob_container_url": null,
        "identities": identities(),
        "pod_cidr": "10.244.0.0/16", "namespace": "sealane", "temporal_mode": "self-hosted", "temporal_address": "temporal-frontend.temporal.svc.cluster.local:7233",
        "temporal_namespace": "default", "postgresql_fqdn": "sealane-demo.postgres.database.azure.com", "github_identities": {}, "keda_enabled": true,
    });
    let values = values.as_object().unwrap().iter();
    values
        .map(|(name, value)| (name.clone(), json!({"value": value, "sensitive": false})))
        .collect()
}

/// One identity for each workload.
pub(crate) fn identities() -> Value {
    ["worker", "api", "trigger", "codec-server"]
        .iter()
        .enumerate()
        .map(|(index, workload)| {
            let account = format!("sealane-{workload}");
            let identity = json!({
                "client_id": format!("5555555{index}-5555-4555-8555-555555555555"),
                "principal_id": format!("6666666{index}-6666-4666-8666-666666666666"),
                "service_account": account, "namespace": "sealane", "issuer": ISSUER, "subject": format!("system:serviceaccount:sealane:{account}"),
                "credential_name": account,
            });
            ((*workload).to_owned(), identity)
        })
        .collect()
}

/// Answers of a signed-in az about the account, and of every program about its version.
pub(crate) fn answer_versions_and_login(world: &World) {
    world
        .answer("az version", "2.86.0")
        .answer("terraform version", "Terraform v1.13.3")
        .answer("kubectl version", "Client Version: v1.36.2")
        .answer(
            "kubelogin --version",
            "kubelogin version\ngit hash: v0.2.10/abc",
        )
        .answer(
            "az account show",
            format!("{SUBSCRIPTION}\n{TENANT}\nEnabled\nada").as_str(),
        )
        .answer(
            "az account get-access-token --query expiresOn",
            "2026-11-22 20:00:00.000000",
        );
}
