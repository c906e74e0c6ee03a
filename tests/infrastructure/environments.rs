//! The environments that are examples: each could be used, after its values have been put in.

use std::collections::BTreeSet;

use anyhow::{Context, ensure};
use hcl_edit::structure::Body;
use serde_json::Value;

use crate::directory::{
    Directory, attributes, content, directories, label, parsed, repository, string, text,
};

#[test]
fn examples_are_those_that_the_pages_speak_of() -> anyhow::Result<()> {
    let found = directories("infra/environments")?;
    for name in ["example", "example-cloud"] {
        ensure!(found.contains(name), "infra/environments/{name} is missing");
    }
    Ok(())
}

#[test]
fn values_are_of_variables_that_exist_and_of_all_that_are_required() -> anyhow::Result<()> {
    let root = Directory::read("")?;
    let required: BTreeSet<_> = root
        .blocks("variable")
        .filter(|it| !it.body.has_attribute("default"))
        .map(|it| label(it, 0))
        .collect();
    for (name, values) in environments()? {
        let set: BTreeSet<_> = attributes(&values).into_keys().collect();
        let unknown: Vec<_> = set.difference(&root.names("variable")).cloned().collect();
        ensure!(unknown.is_empty(), "{name} sets {unknown:?}");
        let missing: Vec<_> = required.difference(&set).collect();
        ensure!(missing.is_empty(), "{name} does not set {missing:?}");
        assert_eq!(string(&values, "environment")?, name);
    }
    Ok(())
}

#[test]
fn values_are_among_those_that_the_rules_list() -> anyhow::Result<()> {
    let rules: Value = serde_json::from_str(&content("infra/terraform/rules.json")?)?;
    for (name, values) in environments()? {
        for attribute in values.attributes() {
            let key = attribute.key.as_str();
            let (Some(allowed), Some(value)) =
                (rules[key]["one_of"].as_array(), attribute.value.as_str())
            else {
                continue;
            };
            ensure!(
                allowed.contains(&Value::from(value)),
                "{name}: {key} is {value}"
            );
        }
    }
    Ok(())
}

#[test]
fn examples_name_nobody_real() -> anyhow::Result<()> {
    for (name, values) in environments()? {
        if !name.starts_with("example") {
            continue;
        }
        let written = values.to_string();
        for key in ["subscription_id", "tenant_id"] {
            assert_eq!(
                string(&values, key)?,
                "00000000-0000-0000-0000-000000000000",
                "{name}"
            );
        }
        ensure!(
            !written.contains("postgresql_password "),
            "{name} holds a password"
        );
    }
    Ok(())
}

#[test]
fn the_state_has_a_place_of_its_own() -> anyhow::Result<()> {
    for (name, _) in environments()? {
        let backend = parsed(&repository().join(format!("infra/environments/{name}/backend.hcl")))?;
        assert_eq!(string(&backend, "key")?, format!("{name}.tfstate"));
        let keys: BTreeSet<_> = attributes(&backend).into_keys().collect();
        assert_eq!(keys, printed_by_bootstrap()?, "{name}");
    }
    Ok(())
}

/// The keys of the file that bootstrap's output is.
fn printed_by_bootstrap() -> anyhow::Result<BTreeSet<String>> {
    let bootstrap = Directory::read("bootstrap")?;
    let output = bootstrap.blocks("output").next().context("no output")?;
    let value = output.body.get_attribute("value").context("no value")?;
    let value = text(&value.value);
    let lines = value.lines().filter_map(|it| it.split_once(" = "));
    Ok(lines.map(|(key, _)| key.trim().to_owned()).collect())
}

#[test]
fn what_an_environment_says_about_its_manifests_is_a_component() -> anyhow::Result<()> {
    for (name, _) in environments()? {
        let file = format!("infra/environments/{name}/kustomization.yaml");
        if !repository().join(&file).exists() {
            continue;
        }
        let component: Value = serde_saphyr::from_str(&content(&file)?)?;
        assert_eq!(component["kind"], "Component", "{name}");
        assert_eq!(component["apiVersion"], "kustomize.config.k8s.io/v1alpha1");
        let generators = component["configMapGenerator"].as_array();
        for generator in generators.into_iter().flatten() {
            assert_eq!(generator["name"], "sealane-config", "{name}");
            assert_eq!(generator["behavior"], "merge", "{name}");
        }
    }
    Ok(())
}

/// `deploy` puts Terraform's values over the overlay's.
#[test]
fn a_tenants_values_are_told_as_its_overlay_has_them() -> anyhow::Result<()> {
    let page = content("docs/kubernetes.md")?;
    let example = page.split("```hcl\n").nth(1).context("no example")?;
    let example = example.split("```").next().context("no end")?;
    let values: Body = example.parse()?;

    let overlay: Value =
        serde_saphyr::from_str(&content("k8s/overlays/tenant-a/kustomization.yaml")?)?;
    assert_eq!(overlay["namespace"], string(&values, "namespace")?);
    let literals = &overlay["configMapGenerator"][0]["literals"];
    let literals = literals.as_array().context("no literals")?;
    for (setting, variable) in [
        ("TEMPORAL_NAMESPACE", "temporal_namespace"),
        ("KEYVAULT_SECRET_NAME", "payload_key_secret_name"),
    ] {
        let expected = format!("{setting}={}", string(&values, variable)?);
        ensure!(literals.contains(&expected.as_str().into()), "{expected}");
    }
    Ok(())
}

fn environments() -> anyhow::Result<Vec<(String, Body)>> {
    let names = directories("infra/environments")?.into_iter();
    names
        .map(|it| {
            let file = repository().join(format!("infra/environments/{it}/terraform.tfvars"));
            Ok((it, parsed(&file)?))
        })
        .collect()
}
