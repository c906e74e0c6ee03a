//! What the processes ask of Key Vault, and what the roles of Terraform allow.

use std::{collections::BTreeSet, fs, path::Path};

use crate::programs::root;

/// What the clients of the Azure SDK can do, and the data action that it takes.
const OPERATIONS: [(&str, &str); 11] = [
    ("get_secret", "secrets/getSecret"),
    ("list_secret_properties_versions", "secrets/readMetadata"),
    ("list_secret_properties", "secrets/readMetadata"),
    ("set_secret", "secrets/setSecret"),
    ("update_secret_properties", "secrets/update"),
    ("delete_secret", "secrets/delete"),
    ("purge_deleted_secret", "secrets/purge"),
    ("wrap_key", "keys/wrap"),
    ("unwrap_key", "keys/unwrap"),
    ("get_key", "keys/read"),
    ("sign", "keys/sign"),
];

/// The built-in roles in use, and their data actions (below Microsoft.KeyVault/vaults/), as Azure's documentation has them.
const ROLES: [(&str, &[&str]); 3] = [
    (
        "Key Vault Secrets User",
        &["secrets/getSecret", "secrets/readMetadata"],
    ),
    (
        "Key Vault Crypto Service Encryption User",
        &["keys/read", "keys/wrap", "keys/unwrap"],
    ),
    (
        "Key Vault Secrets Officer",
        &[
            "secrets/getSecret",
            "secrets/readMetadata",
            "secrets/setSecret",
            "secrets/update",
            "secrets/delete",
        ],
    ),
];

/// Which of the calls are made by a process that runs in a pod, rather than by `sealane keys rotate`.
const BY_PROCESSES: [&str; 2] = ["get_secret", "list_secret_properties_versions"];
const BY_ENVELOPES: [&str; 2] = ["unwrap_key", "wrap_key"];
const BY_OPERATORS: [&str; 1] = ["set_secret"];

/// A call that nobody thought of would be refused in production only.
#[test]
fn every_call_to_key_vault_is_accounted_for() -> anyhow::Result<()> {
    let mut expected = BTreeSet::from(BY_PROCESSES);
    expected.extend(BY_ENVELOPES);
    expected.extend(BY_OPERATORS);
    assert_eq!(calls()?, expected);
    Ok(())
}

#[test]
fn workloads_may_do_what_they_do_and_nothing_else() -> anyhow::Result<()> {
    let identities = terraform("modules/identities/main.tf")?;
    let given = roles(&identities);
    assert_eq!(given, ["Key Vault Secrets User"]);

    assert_eq!(needed(&BY_PROCESSES), allowed(given[0]));
    // Nobody who runs all day may write a key.
    assert!(allowed(given[0]).is_disjoint(&needed(&BY_OPERATORS)));
    let scope =
        r#"scope                            = "${var.key_vault_id}/secrets/${each.value.secret}""#;
    assert!(identities.contains(scope), "the scope is not the secret");
    Ok(())
}

#[test]
fn operators_may_rotate() -> anyhow::Result<()> {
    let vault = terraform("modules/key-vault/main.tf")?;
    let given = roles(&vault);
    assert_eq!(given, ["Key Vault Secrets Officer"]);
    let mut needs = needed(&BY_OPERATORS);
    needs.extend(needed(&BY_PROCESSES));
    assert!(allowed(given[0]).is_superset(&needs));
    Ok(())
}

/// Envelope keys are made by hand; the page that says which role they need has to be right.
#[test]
fn the_role_for_envelopes_is_the_one_in_the_docs() -> anyhow::Result<()> {
    let role = "Key Vault Crypto Service Encryption User";
    let page = fs::read_to_string(root().join("docs/envelope.md"))?;
    assert!(page.contains(role), "docs/envelope.md names another role");
    assert!(allowed(role).is_superset(&needed(&BY_ENVELOPES)));
    Ok(())
}

/// A cluster whose nodes may push could replace its own images.
#[test]
fn nodes_may_pull_and_not_push() -> anyhow::Result<()> {
    let registry = terraform("modules/registry/main.tf")?;
    let pull = block(&registry, r#"resource "azurerm_role_assignment" "pull""#);
    assert!(pull.contains("local.roles.pull") && pull.contains("var.kubelet_principal_id"));
    let push = block(&registry, r#"resource "azurerm_role_assignment" "push""#);
    assert!(push.contains("local.roles.push") && !push.contains("kubelet"));
    Ok(())
}

/// No process speaks to the API of Kubernetes, so none gets a role there.
#[test]
fn no_manifest_gives_a_role_in_the_cluster() {
    for rendering in crate::renderings::all() {
        for kind in ["Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"] {
            let found = rendering.of_kind(kind).next().map(ToString::to_string);
            assert_eq!(found, None, "{}", rendering.name());
        }
    }
}

/// The operations that are called somewhere in the sources that are shipped.
fn calls() -> anyhow::Result<BTreeSet<&'static str>> {
    let mut found = BTreeSet::new();
    for member in ["codec", "service", "client", "worker", "codec-server"] {
        collect(&root().join(member).join("src"), &mut found)?;
    }
    Ok(found)
}

fn collect(folder: &Path, found: &mut BTreeSet<&'static str>) -> anyhow::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, found)?;
            continue;
        }
        let source = fs::read_to_string(&path)?;
        // Only what goes through the SDK: elsewhere the same words mean other things.
        if source.contains("azure_security_keyvault") {
            let called = OPERATIONS.iter().map(|(name, _)| *name);
            found.extend(called.filter(|name| source.contains(&format!(".{name}("))));
        }
    }
    Ok(())
}

fn needed(calls: &[&str]) -> BTreeSet<&'static str> {
    let operations = OPERATIONS.iter().filter(|(name, _)| calls.contains(name));
    operations.map(|(_, action)| *action).collect()
}

fn allowed(role: &str) -> BTreeSet<&'static str> {
    let found = ROLES.iter().find(|(name, _)| *name == role);
    let (_, actions) = found.unwrap_or_else(|| panic!("{role} is not in the table"));
    actions.iter().copied().collect()
}

fn terraform(file: &str) -> anyhow::Result<String> {
    Ok(fs::read_to_string(
        root().join("infra/terraform").join(file),
    )?)
}

/// The roles for Key Vault that a file of Terraform gives.
fn roles(text: &str) -> Vec<&str> {
    let lines = text.lines().map(str::trim);
    let given = lines.filter(|it| it.starts_with("role_definition_name"));
    given.filter_map(|it| it.split('"').nth(1)).collect()
}

fn block<'a>(text: &'a str, start: &str) -> &'a str {
    let (_, rest) = text.split_once(start).unwrap_or_default();
    rest.split_once("\n}").unwrap_or_default().0
}
