//! Who may do what. Every role assignment there is, with its scope: a new one, or a wider one, has to be written here.

use std::collections::BTreeMap;

use anyhow::ensure;

use crate::directory::{Directory, address, attributes};

/// Directory, name, role, scope, principal; as written.
const ASSIGNMENTS: [[&str; 5]; 10] = [
    [
        "bootstrap",
        "operators",
        "\"Storage Blob Data Contributor\"",
        "azurerm_storage_account.this.id",
        "each.value.object_id",
    ],
    [
        "modules/cluster",
        "itself",
        "each.value.role",
        "each.value.scope",
        "azurerm_user_assigned_identity.this[\"control-plane\"].principal_id",
    ],
    [
        "modules/cluster",
        "operators",
        "each.value.role",
        "azurerm_kubernetes_cluster.this.id",
        "each.value.operator.object_id",
    ],
    [
        "modules/github-identity",
        "this",
        "each.value.role",
        "each.value.scope",
        "azurerm_user_assigned_identity.this[each.value.identity].principal_id",
    ],
    [
        "modules/identities",
        "secrets",
        "\"Key Vault Secrets User\"",
        "\"${var.key_vault_id}/secrets/${each.value.secret}\"",
        "azurerm_user_assigned_identity.this[each.value.account].principal_id",
    ],
    [
        "modules/key-vault",
        "officers",
        "\"Key Vault Secrets Officer\"",
        "azurerm_key_vault.this.id",
        "each.value.object_id",
    ],
    [
        "modules/registry",
        "pull",
        "local.roles.pull",
        "azurerm_container_registry.this.id",
        "var.kubelet_principal_id",
    ],
    [
        "modules/registry",
        "push",
        "local.roles.push",
        "azurerm_container_registry.this.id",
        "each.value.object_id",
    ],
    [
        "modules/storage",
        "readers",
        "\"Storage Blob Data Reader\"",
        "azurerm_storage_container.payloads.id",
        "each.value",
    ],
    [
        "modules/storage",
        "writers",
        "\"Storage Blob Data Contributor\"",
        "azurerm_storage_container.payloads.id",
        "each.value",
    ],
];

#[test]
fn roles_are_these_at_these_scopes() -> anyhow::Result<()> {
    let mut found = Vec::new();
    for directory in Directory::all()? {
        for resource in directory.blocks("resource") {
            let Some(name) = address(resource)
                .strip_prefix("azurerm_role_assignment.")
                .map(str::to_owned)
            else {
                continue;
            };
            let mut said = attributes(&resource.body);
            let mut take = |key: &str| said.remove(key).unwrap_or_default();
            found.push([
                directory.name.clone(),
                name,
                take("role_definition_name"),
                take("scope"),
                take("principal_id"),
            ]);
        }
    }
    found.sort();
    assert_eq!(found, ASSIGNMENTS.map(|it| it.map(str::to_owned)));
    Ok(())
}

#[test]
fn no_identity_of_a_process_may_manage_anything() -> anyhow::Result<()> {
    let far_reaching = [
        "Owner",
        "Contributor",
        "User Access Administrator",
        "Key Vault Administrator",
        "AcrDelete",
    ];
    for directory in Directory::all()? {
        for (place, words) in written(&directory) {
            let bad = far_reaching
                .iter()
                .find(|it| words.contains(&format!("\"{it}\"")));
            ensure!(bad.is_none(), "{} {place}: {bad:?}", directory.name);
        }
    }
    Ok(())
}

#[test]
fn the_vault_knows_no_access_policies() -> anyhow::Result<()> {
    for directory in Directory::all()? {
        let kinds = directory.names("resource");
        ensure!(
            !kinds.contains("azurerm_key_vault_access_policy"),
            "{}",
            directory.name
        );
    }
    Ok(())
}

/// A role that reaches far would be a word in a local or in an argument.
fn written(directory: &Directory) -> BTreeMap<String, String> {
    let locals = directory
        .blocks("locals")
        .map(|it| ("locals".to_owned(), it.body.to_string()));
    let resources = directory
        .blocks("resource")
        .map(|it| (address(it), it.body.to_string()));
    locals.chain(resources).collect()
}
