//! What a command prints on standard output: a table for people, JSON for scripts.

use std::{
    fmt::Display,
    io::{self, Write},
};

use comfy_table::{Table, presets::NOTHING};
use serde::Serialize;
use serde_json::Value;

use self::fields::Fields;
use super::CliError;

mod fields;

/// How records are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// Aligned text; its layout may change between versions.
    #[default]
    #[value(alias = "text")]
    Table,
    /// One JSON document; fields are only ever added.
    Json,
}

/// Prints one record: a line per field, or a JSON object.
///
/// # Errors
///
/// If standard output cannot be written. A reader that has gone away is no error.
pub fn one(format: Format, record: &impl Serialize) -> Result<(), CliError> {
    let text = match format {
        Format::Table => lines(Fields::of(record)?),
        Format::Json => serde_json::to_string_pretty(record).map_err(io::Error::from)?,
    };
    print(&text)
}

/// Prints records: a table with a column per field, or a JSON array.
///
/// # Errors
///
/// As for [`one`].
pub fn many(format: Format, records: &[impl Serialize]) -> Result<(), CliError> {
    let text = match format {
        Format::Table => {
            let rows: Result<Vec<_>, _> = records.iter().map(Fields::of).collect();
            table(&rows?)
        }
        Format::Json => serde_json::to_string_pretty(records).map_err(io::Error::from)?,
    };
    print(&text)
}

/// Returns a number with what it counts: `1 schedule`, `2 schedules`.
pub(super) fn counted<N: Copy + Display + PartialEq + From<u8>>(number: N, noun: &str) -> String {
    let ending = if number == N::from(1) { "" } else { "s" };
    format!("{number} {noun}{ending}")
}

/// Prints `text` and a line break.
///
/// # Errors
///
/// As for [`one`].
pub fn print(text: &str) -> Result<(), CliError> {
    match writeln!(io::stdout().lock(), "{text}") {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => Ok(written?),
    }
}

fn lines(fields: Fields) -> String {
    let mut table = bare_table();
    for (key, value) in fields.0 {
        table.add_row([key, cell(&value)]);
    }
    text(table)
}

/// Columns are the fields of all rows, in the order of their first appearance.
fn table(rows: &[Fields]) -> String {
    let mut columns: Vec<&str> = Vec::new();
    for (key, _) in rows.iter().flat_map(|row| &row.0) {
        if !columns.contains(&key.as_str()) {
            columns.push(key);
        }
    }
    let mut table = bare_table();
    table.set_header(&columns);
    for row in rows {
        table.add_row(
            columns
                .iter()
                .map(|column| row.get(column).map(cell).unwrap_or_default()),
        );
    }
    text(table)
}

fn bare_table() -> Table {
    let mut table = Table::new();
    table.load_style(NOTHING);
    table
}

/// Two spaces between columns, none before the first.
fn text(mut table: Table) -> String {
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table.trim_fmt()
}

/// Text as it is, everything else as JSON. Text with control characters is quoted too: it could
/// break the table or move the cursor of the terminal.
fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) if !text.contains(char::is_control) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde::Serialize;
    use serde_json::json;

    use super::{Fields, cell, counted, lines, table};

    #[test]
    fn one_thing_is_no_plural() {
        let counted = [0_u64, 1, 2].map(|number| counted(number, "schedule"));

        assert_eq!(counted, ["0 schedules", "1 schedule", "2 schedules"]);
    }

    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Row {
        workflow_id: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        close_time: Option<&'static str>,
        attempt: u32,
    }

    const OPEN: Row = Row {
        workflow_id: "greeting-1",
        close_time: None,
        attempt: 2,
    };
    const CLOSED: Row = Row {
        workflow_id: "b",
        close_time: Some("now"),
        attempt: 1,
    };

    #[test]
    fn one_record_is_a_line_per_field_in_the_order_of_its_type() {
        let text = lines(Fields::of(&CLOSED).unwrap());

        assert_eq!(text, "workflowId  b\ncloseTime   now\nattempt     1");
    }

    #[test]
    fn many_records_share_their_columns() {
        let rows = [Fields::of(&OPEN).unwrap(), Fields::of(&CLOSED).unwrap()];

        let text = table(&rows);

        let lines: Vec<Vec<&str>> = text
            .lines()
            .map(|line| line.split_whitespace().collect())
            .collect();
        assert_eq!(
            lines,
            [
                vec!["workflowId", "attempt", "closeTime"],
                vec!["greeting-1", "2"],
                vec!["b", "1", "now"]
            ]
        );
    }

    #[test]
    fn text_that_could_steer_a_terminal_is_quoted() {
        assert_eq!(cell(&json!("plain \u{e9}")), "plain \u{e9}");
        assert_eq!(cell(&json!("\u{1b}[2J")), r#""\u001b[2J""#);
        assert_eq!(cell(&json!({"a": [1]})), r#"{"a":[1]}"#);
    }
}
