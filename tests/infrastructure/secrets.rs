//! No secret is in a plan or in a state.

use anyhow::{Context, ensure};
use hcl_edit::structure::{Block, Body};

use crate::directory::{Directory, address, attributes, label, references_of};

#[test]
fn nothing_that_would_put_a_secret_into_the_state_is_used() -> anyhow::Result<()> {
    for directory in Directory::all()? {
        let kinds = directory.names("resource");
        let bad = kinds
            .iter()
            .find(|it| it.starts_with("random_") || it.starts_with("tls_"));
        ensure!(
            bad.is_none(),
            "{}: {bad:?} keeps what it makes in the state",
            directory.name
        );
        // A data source that reads a secret writes it into the state as well.
        ensure!(
            directory.blocks("data").next().is_none(),
            "{}: data",
            directory.name
        );
    }
    Ok(())
}

#[test]
fn secret_arguments_are_write_only() -> anyhow::Result<()> {
    for directory in Directory::all()? {
        for resource in directory.blocks("resource") {
            for name in names_in(&resource.body) {
                ensure!(
                    !is_secret(&label(resource, 0), &name),
                    "{} {}.{name} would be in the state; is there a {name}_wo?",
                    directory.name,
                    address(resource)
                );
            }
        }
    }
    Ok(())
}

/// Arguments whose value is a secret. `_wo` is what the provider calls those that it forgets.
fn is_secret(kind: &str, argument: &str) -> bool {
    if argument.ends_with("_wo")
        || argument.ends_with("_wo_version")
        || argument.ends_with("_enabled")
    {
        return false;
    }
    let value_of_a_secret = kind == "azurerm_key_vault_secret" && argument == "value";
    value_of_a_secret
        || [
            "password",
            "client_secret",
            "access_key",
            "connection_string",
            "private_key",
        ]
        .iter()
        .any(|it| argument.contains(it))
}

#[test]
fn secret_variables_are_ephemeral_and_end_in_write_only_arguments() -> anyhow::Result<()> {
    let mut found = 0;
    for directory in Directory::all()? {
        for variable in directory.blocks("variable") {
            let said = attributes(&variable.body);
            let secret = said.get("sensitive").is_some_and(|it| it == "true");
            let ephemeral = said.get("ephemeral").is_some_and(|it| it == "true");
            assert_eq!(
                secret,
                ephemeral,
                "{} {}",
                directory.name,
                label(variable, 0)
            );
            if secret {
                found += 1;
                ends_well(&directory, &label(variable, 0))?;
            }
        }
    }
    ensure!(
        found == 2,
        "{found} secret variables, expected the root's and the module's password"
    );
    Ok(())
}

/// Looks at all places that an ephemeral variable is given to.
fn ends_well(directory: &Directory, name: &str) -> anyhow::Result<()> {
    let given = [format!("var.{name}"), format!("local.{name}")];
    for resource in directory.blocks("resource") {
        for (argument, value) in attributes(&resource.body) {
            ensure!(
                !given.contains(&value) || argument.ends_with("_wo"),
                "{}.{argument} keeps {value}",
                address(resource)
            );
        }
    }
    for output in directory.blocks("output") {
        let value = output.body.get_attribute("value").context("no value")?;
        let paths = references_of(&value.value);
        let told = paths
            .iter()
            .any(|it| given.contains(&it[..2.min(it.len())].join(".")));
        ensure!(!told, "output {} tells {given:?}", label(output, 0));
    }
    Ok(())
}

#[test]
fn the_keys_that_encrypt_payloads_are_no_business_of_terraform() -> anyhow::Result<()> {
    let secrets: Vec<_> = Directory::all()?
        .iter()
        .flat_map(|it| it.resources())
        .filter(|it| {
            it.starts_with("azurerm_key_vault_secret") || it.starts_with("azurerm_key_vault_key")
        })
        .collect();
    assert_eq!(secrets, ["azurerm_key_vault_secret.password"]);

    let postgresql = Directory::read("modules/postgresql")?;
    let secret = resource(&postgresql, "azurerm_key_vault_secret.password")?;
    let said = attributes(&secret.body);
    assert_eq!(said["value_wo"], "local.password");
    ensure!(
        said["name"].contains("time_static.life.unix"),
        "{}",
        said["name"]
    );
    Ok(())
}

/// The names of all arguments, those of inner blocks too.
fn names_in(body: &Body) -> Vec<String> {
    let own = body.attributes().map(|it| it.key.as_str().to_owned());
    own.chain(body.blocks().flat_map(|it| names_in(&it.body)))
        .collect()
}

fn resource<'a>(directory: &'a Directory, wanted: &str) -> anyhow::Result<&'a Block> {
    let found = directory
        .blocks("resource")
        .find(|it| address(it) == wanted);
    found.with_context(|| format!("{wanted} is not there"))
}
