//! The kustomization of an environment, as `infra/scripts/deploy` writes it.

use std::{fs, path::Path};

use serde_json::{Value, json};

/// Where the image is, and which one, as the registry names it.
const IMAGE: &str = "sealaneunit7f3a.azurecr.io/sealane";
const DIGEST: &str = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

/// What Terraform says of its identities: the client id of each account, and KEDA's.
pub(crate) const CLIENTS: [(&str, &str); 4] = [
    ("sealane-worker", "5f0d6d1c-1a3e-4b1f-9a52-7c6d5e4f3a01"),
    ("sealane-api", "5f0d6d1c-1a3e-4b1f-9a52-7c6d5e4f3a02"),
    ("sealane-trigger", "5f0d6d1c-1a3e-4b1f-9a52-7c6d5e4f3a03"),
    (
        "sealane-codec-server",
        "5f0d6d1c-1a3e-4b1f-9a52-7c6d5e4f3a04",
    ),
];
const KEY_VAULT: &str = "https://sealane-unit-7f3a.vault.azure.net";
const KEDA: &str = "5f0d6d1c-1a3e-4b1f-9a52-7c6d5e4f3a05";
pub(crate) const TENANT: &str = "0c2a3a55-6f2b-4a0e-8f43-1b2c3d4e5f60";
const ISSUER: &str = "https://westeurope.oic.prod-aks.azure.com/0c2a3a55/7f3a/";

/// Writes an overlay with components into `place`, its image pinned, and what only the infrastructure knows filled in.
///
/// # Errors
///
/// If it cannot be written.
pub(crate) fn write(
    place: &Path,
    k8s: &Path,
    overlay: &str,
    components: &[&str],
    settings: &[&str],
) -> anyhow::Result<()> {
    let k8s = k8s.display();
    // First of all, since components copy its values to where kustomize would not put them.
    let mut used = vec!["infrastructure".to_owned()];
    used.extend(components.iter().map(|it| format!("{k8s}/components/{it}")));
    let replace =
        |path: &str, value: &str| json!([{"op": "replace", "path": path, "value": value}]);
    let mut patches = vec![patch(
        &json!({"group": "keda.sh", "kind": "TriggerAuthentication"}),
        &replace("/spec/azureKeyVault/podIdentity/identityId", KEDA),
    )];
    // What the environment's own kustomization has to say.
    if components.iter().any(|it| it.starts_with("csi-keys")) {
        let tenant = replace("/spec/parameters/tenantId", TENANT);
        patches.push(patch(&json!({"kind": "SecretProviderClass"}), &tenant));
    }
    let instance = json!({
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        // Said again, for what components add: the overlay gives it to its own objects only.
        "namespace": namespace(overlay),
        "resources": [format!("{k8s}/overlays/{overlay}")],
        "components": used,
        "images": [{"name": "sealane", "newName": IMAGE, "digest": DIGEST}],
        "patches": patches,
    });
    fs::write(place.join("kustomization.yaml"), instance.to_string())?;
    fs::create_dir(place.join("infrastructure"))?;
    let infrastructure = infrastructure(overlay, settings).to_string();
    fs::write(
        place.join("infrastructure/kustomization.yaml"),
        infrastructure,
    )?;
    Ok(())
}

/// Returns what `terraform output -json` prints for the environment of the renderings with Temporal in the cluster.
pub(crate) fn outputs() -> Value {
    let identity = |(account, client): &(&str, &str)| {
        let workload = account.trim_start_matches("sealane-");
        let identity = json!({
            "client_id": client,
            "principal_id": client,
            "service_account": account,
            "namespace": "sealane",
            "issuer": ISSUER,
            "subject": format!("system:serviceaccount:sealane:{account}"),
            "credential_name": account,
        });
        (workload.to_owned(), identity)
    };
    let identities: serde_json::Map<_, _> = CLIENTS.iter().map(identity).collect();
    let values = json!({
        "tenant_id": TENANT,
        "registry_login_server": IMAGE.trim_end_matches("/sealane"),
        "key_vault_name": "sealane-unit-7f3a",
        "key_vault_url": KEY_VAULT,
        "kubernetes_version": "1.36",
        "payload_key_secret_name": "payload-key",
        "api_key_secret_name": null,
        "identities": identities,
        "namespace": "sealane",
        "oidc_issuer_url": ISSUER,
        "temporal_mode": "self-hosted",
        "temporal_address": "temporal-frontend.temporal.svc.cluster.local:7233",
        "temporal_namespace": "default",
        "keda_enabled": true,
    });
    let values = values.as_object().cloned().unwrap_or_default();
    let wrapped = values
        .into_iter()
        .map(|(name, value)| (name, json!({"value": value})));
    Value::Object(wrapped.collect())
}

fn infrastructure(overlay: &str, settings: &[&str]) -> Value {
    let mut literals = settings.to_vec();
    let vault = format!("KEYVAULT_URL={KEY_VAULT}");
    if overlay != "local" {
        literals.push(&vault);
        literals.push("SEALANE_AUTH_AUDIENCE=4b1f9a52-7c6d-4a0e-8f43-1b2c3d4e5f60");
    }
    if overlay == "aks-cloud" {
        literals.push("TEMPORAL_ADDRESS=unit.f3a9c.tmprl.cloud:7233");
        literals.push("TEMPORAL_NAMESPACE=unit.f3a9c");
    }
    let accounts = CLIENTS.iter().filter(|_| overlay != "local");
    let patches: Vec<Value> = accounts
        .map(|(name, client)| account(name, client))
        .collect();
    json!({
        "apiVersion": "kustomize.config.k8s.io/v1alpha1",
        "kind": "Component",
        "configMapGenerator": [{"name": "sealane-config", "behavior": "merge", "literals": literals}],
        "patches": patches,
    })
}

fn account(name: &str, client: &str) -> Value {
    let annotations = json!({
        "azure.workload.identity/client-id": client,
        "azure.workload.identity/tenant-id": TENANT,
    });
    let metadata = json!({"name": name, "annotations": annotations});
    let account = json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata});
    patch(&json!({"kind": "ServiceAccount", "name": name}), &account)
}

fn patch(target: &Value, change: &Value) -> Value {
    json!({"target": target, "patch": change.to_string()})
}

/// Returns the namespace of an overlay.
pub(crate) fn namespace(overlay: &str) -> String {
    match overlay.strip_prefix("tenant-") {
        Some(tenant) => format!("sealane-tenant-{tenant}"),
        None => "sealane".to_owned(),
    }
}
