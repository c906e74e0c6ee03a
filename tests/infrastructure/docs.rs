//! docs/infrastructure.md has every variable and every output, with the words that the code has for them.

use std::collections::BTreeMap;

use anyhow::ensure;

use crate::directory::{Directory, attributes, content, label, module_names, string};

#[test]
fn variables_are_told_with_their_defaults() -> anyhow::Result<()> {
    let mut expected = BTreeMap::new();
    for variable in Directory::read("")?.blocks("variable") {
        let default = attributes(&variable.body).remove("default");
        let default = default.map_or_else(|| "required".to_owned(), |it| format!("`{it}`"));
        let cells = [default, string(&variable.body, "description")?];
        expected.insert(label(variable, 0), cells.to_vec());
    }
    assert_eq!(rows("Variables")?, expected);
    Ok(())
}

#[test]
fn outputs_are_told() -> anyhow::Result<()> {
    let mut expected = BTreeMap::new();
    for output in Directory::read("")?.blocks("output") {
        expected.insert(label(output, 0), vec![string(&output.body, "description")?]);
    }
    assert_eq!(rows("Outputs")?, expected);
    Ok(())
}

#[test]
fn modules_are_told() -> anyhow::Result<()> {
    let told: Vec<_> = rows("Modules")?.into_keys().collect();
    let mut expected: Vec<_> = module_names()?.into_iter().collect();
    expected.push("bootstrap".to_owned());
    expected.sort();
    assert_eq!(told, expected);
    Ok(())
}

#[test]
fn the_versions_that_are_pinned_are_told() -> anyhow::Result<()> {
    let page = content("docs/infrastructure.md")?;
    let versions = content("infra/terraform/versions.tf")?;
    let pinned = versions
        .lines()
        .filter_map(|it| it.trim().strip_prefix("version = \""));
    for version in pinned {
        let version = version.trim_end_matches('"');
        ensure!(
            page.contains(version),
            "docs/infrastructure.md does not speak of {version}"
        );
    }
    Ok(())
}

/// The rows of the table below a heading: name to the other cells.
fn rows(heading: &str) -> anyhow::Result<BTreeMap<String, Vec<String>>> {
    let page = content("docs/infrastructure.md")?;
    let start = page.find(&format!("\n## {heading}\n"));
    let start = start.ok_or_else(|| anyhow::anyhow!("no section {heading}"))?;
    let section = &page[start + 4..];
    let section = &section[..section.find("\n## ").unwrap_or(section.len())];
    let mut rows = BTreeMap::new();
    for line in section.lines().filter(|it| it.starts_with("| `")) {
        // Types and patterns have bars of their own.
        let line = line.replace("\\|", "\u{1}");
        let cells: Vec<_> = line
            .trim_matches('|')
            .split('|')
            .map(|it| it.trim().replace('\u{1}', "|"))
            .collect();
        ensure!(cells.len() > 1, "{line}");
        rows.insert(cells[0].trim_matches('`').to_owned(), cells[1..].to_vec());
    }
    Ok(rows)
}
