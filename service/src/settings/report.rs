//! What every setting is, and who said so.

use std::{ffi::OsString, path::Path};

use super::{
    definitions::{DEFINITIONS, Definition, GRPC_META},
    problem::{Source, without_credentials},
    secret::REDACTED,
    values::Values,
};

/// One setting as `sealane config check` shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Name of the setting.
    pub name: String,
    /// Its value, `<redacted>`, or nothing if it is not set and has no default.
    pub value: Option<String>,
    /// Who said so.
    pub source: Source,
}

/// Returns every setting with its value and source, whether or not the values can be used.
///
/// Takes what [`Settings::load`](super::Settings::load) takes, which says what is wrong with them.
pub fn report(config: Option<&Path>, env: impl Fn(&str) -> Option<OsString>) -> Vec<Row> {
    let values = Values::collect(config, &env);
    let headers = values.headers().iter().map(|(name, (_, source))| Row {
        name: format!("{GRPC_META}{}", name.to_ascii_uppercase().replace('-', "_")),
        value: Some(REDACTED.to_owned()),
        source: source.clone(),
    });
    DEFINITIONS
        .iter()
        .map(|definition| row(definition, &values))
        .chain(headers)
        .collect()
}

fn row(definition: &Definition, values: &Values) -> Row {
    let (value, source) = match values.get(definition.name) {
        Some((value, source)) => (Some(value), source.clone()),
        None => (definition.default, Source::Default),
    };
    let value = value.map(|value| {
        if definition.secret {
            REDACTED.to_owned()
        } else {
            without_credentials(value)
        }
    });
    Row {
        name: definition.name.to_owned(),
        value,
        source,
    }
}
