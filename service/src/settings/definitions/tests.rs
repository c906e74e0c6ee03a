//! The table of settings, and the document that shows it.

use std::collections::BTreeSet;

use super::{DEFINITIONS, Definition};

const DOC: &str = include_str!("../../../../docs/configuration.md");

fn row(definition: &Definition) -> String {
    let default = definition
        .default
        .map_or_else(|| "–".to_owned(), |text| format!("`{text}`"));
    format!(
        "| `{}` | {default} | {} | {} |",
        definition.name, definition.domain, definition.meaning
    )
}

#[test]
fn the_documentation_has_exactly_one_row_for_each_setting() {
    let documented: Vec<_> = DOC
        .lines()
        .filter(|line| {
            [
                "TEMPORAL_",
                "SEALANE_",
                "ORDERS_",
                "KEYVAULT_",
                "AZURE_",
                "OTEL_",
            ]
            .map(|prefix| format!("| `{prefix}"))
            .iter()
            .any(|start| line.starts_with(start.as_str()))
        })
        .map(ToOwned::to_owned)
        .collect();

    let defined: Vec<_> = DEFINITIONS.iter().map(row).collect();

    let unique: BTreeSet<_> = documented.iter().collect();
    assert_eq!(
        unique.len(),
        documented.len(),
        "a setting is documented twice"
    );
    for row in &defined {
        assert!(
            documented.contains(row),
            "not in docs/configuration.md:\n{row}"
        );
    }
    for row in &documented {
        assert!(
            defined.contains(row),
            "only in docs/configuration.md:\n{row}"
        );
    }
}

#[test]
fn no_two_settings_share_a_name() {
    let names: BTreeSet<_> = super::names().collect();

    assert_eq!(names.len(), DEFINITIONS.len());
}

#[test]
fn nothing_in_the_table_would_break_a_markdown_row_or_an_error_line() {
    for definition in DEFINITIONS {
        let text = format!("{definition:?}");
        assert!(!text.contains('|') && !text.contains("\\n"), "{text}");
    }
}
