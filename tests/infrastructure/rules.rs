//! rules.json: the one source of what variables may be, for Terraform and for the scripts.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, ensure};
use hcl_edit::structure::Block;
use serde_json::{Map, Value};

use crate::directory::{
    Directory, attributes, content, label, parsed, references_of, repository, text,
};

/// Variables that are true or false, and have nothing to keep to but one another.
const TRUE_OR_FALSE: [&str; 4] = [
    "keda_enabled",
    "large_payloads_enabled",
    "postgresql_zone_redundant",
    "private_cluster",
];

#[test]
fn every_variable_has_a_rule_and_every_rule_a_variable() -> anyhow::Result<()> {
    let variables = Directory::read("")?.names("variable");
    let mut ruled: BTreeSet<_> = rules()?.keys().cloned().collect();
    ruled.extend(TRUE_OR_FALSE.map(str::to_owned));

    assert_eq!(variables, ruled);
    Ok(())
}

#[test]
fn every_variable_is_validated_by_its_own_rule() -> anyhow::Result<()> {
    for directory in [Directory::read("")?, Directory::read("bootstrap")?] {
        for variable in directory.blocks("variable") {
            let name = label(variable, 0);
            if TRUE_OR_FALSE.contains(&name.as_str()) {
                continue;
            }
            let read = rules_read(variable);
            ensure!(
                read.keys().collect::<Vec<_>>() == [&name],
                "{name} is validated by the rules of {read:?}"
            );
            let rule = rule(&name)?;
            for field in [
                "pattern",
                "minimum",
                "maximum",
                "one_of",
                "minimum_length",
                "maximum_length",
            ] {
                ensure!(
                    rule.contains_key(field) == read[&name].contains(field),
                    "{name}: {field} of its rule and of its validation differ"
                );
            }
            ensure!(
                read[&name].contains("expected"),
                "{name} does not say what was expected"
            );
        }
    }
    Ok(())
}

#[test]
fn every_refusal_names_the_variable_first_and_never_a_secret() -> anyhow::Result<()> {
    let root = Directory::read("")?;
    for variable in root.blocks("variable") {
        let name = label(variable, 0);
        let secret = attributes(&variable.body).contains_key("sensitive");
        for validation in variable.body.get_blocks("validation") {
            let message = &attributes(&validation.body)["error_message"];
            let says = message.starts_with(&format!("\"{name} "))
                || message.starts_with("\"tags are ")
                || message.contains(&format!(", {name} "))
                || message.contains(&format!("and {name} "));
            ensure!(says, "{name}: {message}");
            let shown = message.contains(&format!("var.{name}"));
            ensure!(!secret || !shown, "{name} is secret: {message}");
            ensure!(message.contains("expected "), "{name}: {message}");
        }
    }
    Ok(())
}

#[test]
fn every_rule_is_broken_by_a_test() -> anyhow::Result<()> {
    let broken = broken("infra/terraform/tests/rules.tftest.hcl")?;
    for (name, rule) in rules()? {
        let bounds = [
            "pattern",
            "one_of",
            "minimum",
            "maximum",
            "minimum_length",
            "maximum_length",
        ];
        let bounds = bounds.iter().filter(|it| rule.get(**it).is_some()).count();
        let cases = broken.get(&name).copied().unwrap_or(0);
        // A pattern and a list of values for parts of one object may be broken one after the other; lengths and bounds
        // have two ends.
        ensure!(
            cases >= bounds.saturating_sub(1).max(1),
            "{name} has {bounds} bounds, and {cases} runs of rules.tftest.hcl break them"
        );
    }
    let known: BTreeSet<_> = Directory::read("")?.names("variable");
    ensure!(broken.keys().all(|it| known.contains(it)), "{broken:?}");
    Ok(())
}

#[test]
fn bootstraps_rules_are_broken_too() -> anyhow::Result<()> {
    let broken = broken("infra/terraform/bootstrap/tests/storage.tftest.hcl")?;
    let variables = Directory::read("bootstrap")?.names("variable");
    assert_eq!(broken.into_keys().collect::<BTreeSet<_>>(), variables);
    Ok(())
}

/// HCL reads RE2, jq Oniguruma: what both read alike is little more than this.
#[test]
fn patterns_are_such_that_terraform_and_jq_read_them_alike() -> anyhow::Result<()> {
    for (name, rule) in rules()? {
        let Some(pattern) = rule["pattern"].as_str() else {
            continue;
        };
        ensure!(
            pattern.starts_with('^') && pattern.ends_with('$'),
            "{name}: {pattern}"
        );
        let classes = ["(?", "[[:", "\\d", "\\w", "\\s", "\\b", "\\p", "\\z"];
        let differing = classes.iter().find(|it| pattern.contains(**it));
        ensure!(differing.is_none(), "{name}: {pattern} has {differing:?}");
    }
    Ok(())
}

#[test]
fn rules_hold_only_what_the_scripts_know() -> anyhow::Result<()> {
    let known = [
        "each",
        "expected",
        "maximum",
        "maximum_length",
        "minimum",
        "minimum_length",
        "nullable",
        "one_of",
        "pattern",
        "reserved",
        "secret",
    ];
    for (name, rule) in rules()? {
        let fields = rule.as_object().context("no object")?;
        let unknown: Vec<_> = fields
            .keys()
            .filter(|it| !known.contains(&it.as_str()))
            .collect();
        ensure!(unknown.is_empty(), "{name}: {unknown:?}");
        ensure!(
            rule["expected"].is_string(),
            "{name} does not say what is expected"
        );
    }
    Ok(())
}

#[test]
fn defaults_keep_to_the_rules() -> anyhow::Result<()> {
    for variable in Directory::read("")?.blocks("variable") {
        let name = label(variable, 0);
        let Some(default) = attributes(&variable.body).remove("default") else {
            continue;
        };
        let Some(rule) = rules()?.remove(&name) else {
            continue;
        };
        ensure!(
            default != "null" || rule["nullable"] == true,
            "{name} is null by default"
        );
        if let (Ok(number), Some(least)) = (default.parse::<f64>(), rule["minimum"].as_f64()) {
            let most = rule["maximum"].as_f64().unwrap_or(f64::MAX);
            ensure!(
                (least..=most).contains(&number),
                "{name} is {number} by default"
            );
        }
        if let (Some(values), false) = (rule["one_of"].as_array(), default.starts_with(['[', '{']))
        {
            let value: Value = serde_json::from_str(&default)?;
            ensure!(values.contains(&value), "{name} is {default} by default");
        }
    }
    Ok(())
}

/// What a variable's validations read of rules.json: variable to fields.
fn rules_read(variable: &Block) -> BTreeMap<String, BTreeSet<String>> {
    let mut read: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for validation in variable.body.get_blocks("validation") {
        let paths = validation
            .body
            .attributes()
            .flat_map(|it| references_of(&it.value));
        for path in paths.filter(|it| it.starts_with(&["local".to_owned(), "rules".to_owned()])) {
            let field = path.get(3).cloned().unwrap_or_default();
            read.entry(path[2].clone()).or_default().insert(field);
        }
    }
    read
}

/// How many runs of a test expect each variable to be refused.
fn broken(file: &str) -> anyhow::Result<BTreeMap<String, usize>> {
    let body = parsed(&repository().join(file))?;
    let mut broken = BTreeMap::new();
    for run in body.get_blocks("run") {
        let Some(expected) = run.body.get_attribute("expect_failures") else {
            continue;
        };
        let expected = text(&expected.value);
        let name = expected
            .trim_start_matches("[var.")
            .trim_end_matches(']')
            .to_owned();
        let set = run
            .body
            .get_blocks("variables")
            .next()
            .context("no variables")?;
        ensure!(
            set.body.has_attribute(&name),
            "run {} does not set {name}",
            label(run, 0)
        );
        *broken.entry(name).or_default() += 1;
    }
    Ok(broken)
}

fn rules() -> anyhow::Result<BTreeMap<String, Value>> {
    Ok(serde_json::from_str(&content(
        "infra/terraform/rules.json",
    )?)?)
}

fn rule(name: &str) -> anyhow::Result<Map<String, Value>> {
    let rule = rules()?
        .remove(name)
        .with_context(|| format!("{name} has no rule"))?;
    Ok(rule.as_object().context("no object")?.clone())
}
