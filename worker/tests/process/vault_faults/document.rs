//! What docs/troubleshooting-keys.md promises.

use std::collections::BTreeSet;

use super::cases::{CASES, LATER, SLOW};
use crate::{key_vault::api_key::SAYS as API_KEY, vault_bad_input::INPUTS};

const DOCUMENT: &str = include_str!("../../../../docs/troubleshooting-keys.md");

/// Reasons that a worker in a pod does not meet.
const ELSEWHERE: [&str; 7] = [
    "address",
    "conflict",
    "developer_tools",
    "identity",
    "key_disabled",
    "managed_identity",
    "other",
];

/// What a start does about a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Start {
    /// It waits, and ends with this code if that was in vain.
    Waits(u8),
    /// It ends with this code.
    Ends(u8),
}

/// One row of the tables.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) reason: &'static str,
    pub(crate) says: &'static str,
    pub(crate) start: Start,
}

impl Row {
    /// Returns the row about `says`.
    ///
    /// # Panics
    ///
    /// If there is none.
    pub(crate) fn of(says: &str) -> Self {
        let row = rows().into_iter().find(|row| row.says == says);
        row.unwrap_or_else(|| panic!("not in docs/troubleshooting-keys.md: {says}"))
    }
}

fn rows() -> Vec<Row> {
    DOCUMENT.lines().filter_map(row).collect()
}

/// `| reason | says | why | what helps | at start |`, the first two as code.
fn row(line: &'static str) -> Option<Row> {
    let cells: Vec<_> = line.strip_prefix("| ")?.split(" | ").collect();
    let [reason, says, _, _, start] = cells.as_slice() else {
        return None;
    };
    let says = says.strip_prefix('`')?.strip_suffix('`')?;
    let start = start.strip_suffix(" |")?;
    let code = |text: &str| text.parse().ok();
    Some(Row {
        reason: reason.trim_matches('`'),
        says,
        start: match start.strip_prefix("waits, then ") {
            Some(in_vain) => Start::Waits(code(in_vain)?),
            None => Start::Ends(code(start)?),
        },
    })
}

#[test]
fn every_row_is_about_something_that_a_test_brings_about() {
    let cases = CASES.iter().chain(LATER).chain(SLOW);
    let cases = cases.map(|case| case.says);
    let proven: BTreeSet<_> = cases.chain(INPUTS.iter().map(|input| input.says)).collect();

    let rows = rows();

    assert!(rows.len() > 30, "the tables were not found: {rows:?}");
    for row in &rows {
        let known = proven.contains(row.says)
            || ELSEWHERE.contains(&row.reason)
            || API_KEY.contains(&row.says);
        assert!(known, "nothing proves {row:?}");
    }
}
