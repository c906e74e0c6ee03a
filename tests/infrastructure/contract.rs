//! What the scripts, the manifests and the workflows of GitHub rely on.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, ensure};
use serde_json::Value;

use crate::directory::{Directory, attributes, content, label, string};

/// Names that infra/scripts and `sealane manifests check --infrastructure` read.
const OUTPUTS: [&str; 31] = [
    "api_key_secret_name",
    "blob_container_url",
    "cluster_id",
    "cluster_name",
    "environment",
    "expires_at",
    "github_identities",
    "identities",
    "keda_enabled",
    "key_vault_id",
    "key_vault_name",
    "key_vault_url",
    "kubelet_principal_id",
    "kubernetes_version",
    "location",
    "namespace",
    "oidc_issuer_url",
    "payload_key_secret_name",
    "pod_cidr",
    "postgresql_fqdn",
    "postgresql_password_secret_name",
    "registry_id",
    "registry_login_server",
    "registry_name",
    "registry_role_mode",
    "resource_group_name",
    "subscription_id",
    "temporal_address",
    "temporal_mode",
    "temporal_namespace",
    "tenant_id",
];

#[test]
fn outputs_are_those_that_others_read() -> anyhow::Result<()> {
    let names = Directory::read("")?.names("output");
    assert_eq!(names, OUTPUTS.map(str::to_owned).into());
    Ok(())
}

#[test]
fn identities_have_the_fields_that_others_read() -> anyhow::Result<()> {
    let module = Directory::read("modules/identities")?;
    let output = module.blocks("output").next().context("no output")?;
    let value = &attributes(&output.body)["value"];

    for field in [
        "client_id",
        "principal_id",
        "service_account",
        "namespace",
        "issuer",
        "subject",
        "credential_name",
    ] {
        ensure!(
            value
                .lines()
                .any(|it| it.split('=').next().map(str::trim) == Some(field)),
            "{field} is missing in {value}"
        );
    }
    Ok(())
}

/// Behind a proxy all callers would have one address otherwise.
#[test]
fn proxies_that_are_trusted_have_the_addresses_of_pods() -> anyhow::Result<()> {
    let root = Directory::read("")?;
    let variable = root
        .blocks("variable")
        .find(|it| label(it, 0) == "pod_cidr");
    let range = string(&variable.context("no pod_cidr")?.body, "default")?;
    for component in ["gateway", "ingress"] {
        let file = format!("k8s/components/{component}/kustomization.yaml");
        let component: Value = serde_saphyr::from_str(&content(&file)?)?;
        let literals = &component["configMapGenerator"][0]["literals"];
        let expected = format!("SEALANE_TRUSTED_PROXIES={range}");
        ensure!(
            literals
                .as_array()
                .is_some_and(|it| it.contains(&Value::from(expected.as_str()))),
            "{file}: {literals}, expected {expected}"
        );
    }
    Ok(())
}

#[test]
fn workloads_are_the_four_that_are_deployed() -> anyhow::Result<()> {
    let workloads: BTreeMap<String, Value> =
        serde_json::from_str(&content("infra/terraform/workloads.json")?)?;
    let accounts: BTreeMap<_, _> = workloads
        .iter()
        .map(|(name, it)| (name.as_str(), it["service_account"].as_str()))
        .collect();

    let expected = ["api", "codec-server", "trigger", "worker"];
    assert_eq!(accounts.keys().copied().collect::<Vec<_>>(), expected);
    for (name, account) in accounts {
        assert_eq!(account, Some(format!("sealane-{name}").as_str()));
    }
    // It never speaks to Temporal, so it has no use for the key to it.
    assert_eq!(workloads["codec-server"]["api_key"], false);
    Ok(())
}

#[test]
fn nothing_reads_the_clock_at_each_plan() -> anyhow::Result<()> {
    let moving = ["bcrypt", "plantimestamp", "timestamp", "uuid"];
    for directory in Directory::all()? {
        let called = directory.functions();
        for function in moving {
            ensure!(
                !called.contains(function),
                "{}: {function}() makes every plan a change; time_offset and time_static remember",
                directory.name
            );
        }
    }
    Ok(())
}

#[test]
fn providers_are_pinned_exactly_and_alike() -> anyhow::Result<()> {
    let root = pins(&Directory::read("")?)?;
    let bootstrap = pins(&Directory::read("bootstrap")?)?;

    for (provider, version) in root.iter().chain(&bootstrap) {
        let version = version
            .as_ref()
            .with_context(|| format!("{provider} has no version"))?;
        let exact = version.split('.').filter_map(|it| it.parse::<u16>().ok());
        ensure!(
            exact.count() == 3,
            "{provider} {version} is no exact version"
        );
    }
    ensure!(
        root["azurerm"] == bootstrap["azurerm"],
        "two versions of azurerm"
    );
    Ok(())
}

#[test]
fn modules_leave_versions_to_the_root() -> anyhow::Result<()> {
    for module in &Directory::environment()?[1..] {
        let versions = pins(module)?;
        ensure!(
            versions.values().all(Option::is_none),
            "{}: {versions:?}",
            module.name
        );

        let kinds = module.names("resource");
        let used: BTreeSet<_> = kinds.iter().filter_map(|it| it.split('_').next()).collect();
        assert_eq!(
            used,
            versions.keys().map(String::as_str).collect(),
            "{}",
            module.name
        );
    }
    Ok(())
}

/// Azure's namespace of each type of resource that is used. Version 5 of azurerm registers none by itself.
const NAMESPACES: [(&str, &str); 12] = [
    ("azurerm_container_registry", "Microsoft.ContainerRegistry"),
    (
        "azurerm_federated_identity_credential",
        "Microsoft.ManagedIdentity",
    ),
    ("azurerm_key_vault", "Microsoft.KeyVault"),
    ("azurerm_kubernetes_cluster", "Microsoft.ContainerService"),
    (
        "azurerm_log_analytics_workspace",
        "Microsoft.OperationalInsights",
    ),
    ("azurerm_management_lock", "Microsoft.Authorization"),
    (
        "azurerm_monitor_alert_prometheus",
        "Microsoft.AlertsManagement",
    ),
    ("azurerm_monitor_workspace", "Microsoft.Monitor"),
    ("azurerm_postgresql", "Microsoft.DBforPostgreSQL"),
    ("azurerm_role_assignment", "Microsoft.Authorization"),
    ("azurerm_storage", "Microsoft.Storage"),
    (
        "azurerm_user_assigned_identity",
        "Microsoft.ManagedIdentity",
    ),
];

#[test]
fn what_azure_has_to_register_is_registered() -> anyhow::Result<()> {
    // Pools are virtual machines; the cluster's add-on for Azure Policy reports to the other.
    let implied = ["Microsoft.Compute", "Microsoft.PolicyInsights"];
    let mut needed: BTreeSet<_> = implied.map(str::to_owned).into();
    for directory in Directory::environment()? {
        needed.extend(
            directory
                .names("resource")
                .iter()
                .filter_map(|it| namespace(it)),
        );
    }
    assert_eq!(registered(&Directory::read("")?)?, needed);

    let bootstrap = Directory::read("bootstrap")?;
    let kinds = bootstrap.names("resource");
    let needed: BTreeSet<_> = kinds.iter().filter_map(|it| namespace(it)).collect();
    assert_eq!(registered(&bootstrap)?, needed);
    Ok(())
}

/// The namespace of a type; groups are of Azure itself.
fn namespace(kind: &str) -> Option<String> {
    if kind == "azurerm_resource_group" || !kind.starts_with("azurerm_") {
        return None;
    }
    let known = NAMESPACES
        .iter()
        .find(|(prefix, _)| kind.starts_with(prefix));
    let found = match known {
        Some((_, namespace)) => namespace,
        None if kind.starts_with("azurerm_monitor_") => "Microsoft.Insights",
        // Networks, subnets, endpoints, names.
        None => "Microsoft.Network",
    };
    Some(found.to_owned())
}

fn registered(directory: &Directory) -> anyhow::Result<BTreeSet<String>> {
    let provider = directory.blocks("provider").next().context("no provider")?;
    let list = provider
        .body
        .get_attribute("resource_providers_to_register");
    let list = list.and_then(|it| it.value.as_array()).context("no list")?;
    let names = list.iter().filter_map(|it| it.as_str());
    Ok(names.map(str::to_owned).collect())
}

/// The version of each provider that a directory requires, if it says one.
fn pins(directory: &Directory) -> anyhow::Result<BTreeMap<String, Option<String>>> {
    let terraform = directory.blocks("terraform").next();
    let terraform = terraform.with_context(|| format!("{}: no terraform block", directory.name))?;
    ensure!(
        terraform.body.has_attribute("required_version"),
        "{}: any Terraform would do",
        directory.name
    );
    let required = terraform.body.get_blocks("required_providers").next();
    let required = required.context("no required_providers")?;
    let pins = required.body.attributes().map(|it| {
        let version = it.value.as_object().and_then(|fields| {
            let (_, version) = fields
                .iter()
                .find(|(key, _)| key.as_ident().is_some_and(|it| it.as_str() == "version"))?;
            Some(version.expr().as_str()?.to_owned())
        });
        (it.key.as_str().to_owned(), version)
    });
    Ok(pins.collect())
}

#[test]
fn the_state_is_read_with_a_token_and_its_place_is_the_environments() -> anyhow::Result<()> {
    let root = Directory::read("")?;
    let terraform = root
        .blocks("terraform")
        .next()
        .context("no terraform block")?;
    let backend = terraform
        .body
        .get_blocks("backend")
        .next()
        .context("no backend")?;

    assert_eq!(label(backend, 0), "azurerm");
    let said = attributes(&backend.body);
    assert_eq!(
        said,
        [("use_azuread_auth".to_owned(), "true".to_owned())].into()
    );
    Ok(())
}
