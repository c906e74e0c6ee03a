//! Arguments that differ from start to start.

use serde_json::Value;

use super::identity::Identity;

/// What may stand between double braces.
const NAMES: [&str; 3] = ["counter", "timestamp", "id"];

/// JSON arguments in whose strings `{{counter}}`, `{{timestamp}}` and `{{id}}` are filled in at
/// each start.
///
/// A string that is nothing but `{{counter}}` becomes a number. Keys of objects are left alone.
/// The time is that of the first attempt, RFC 3339 in UTC; the id is the workflow id.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct InputTemplate(Vec<Value>);

/// A template that names something unknown.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error(
    "input template has the placeholder {placeholder:?}, expected {{{{counter}}}}, {{{{timestamp}}}} or {{{{id}}}}"
)]
#[non_exhaustive]
pub struct TemplateError {
    /// The placeholder, without braces.
    pub placeholder: String,
}

impl InputTemplate {
    /// Makes a template of one value per argument. Without any, workflows start without input.
    ///
    /// # Errors
    ///
    /// [`TemplateError`] for the first placeholder that is not known.
    pub fn new(arguments: Vec<Value>) -> Result<Self, TemplateError> {
        for argument in &arguments {
            check(argument)?;
        }
        Ok(Self(arguments))
    }

    pub(crate) fn render(&self, identity: &Identity) -> Vec<Value> {
        self.0.iter().map(|value| fill(value, identity)).collect()
    }
}

fn check(value: &Value) -> Result<(), TemplateError> {
    match value {
        Value::String(text) => match placeholders(text).find(|name| !NAMES.contains(name)) {
            Some(placeholder) => Err(TemplateError {
                placeholder: placeholder.to_owned(),
            }),
            None => Ok(()),
        },
        Value::Array(values) => values.iter().try_for_each(check),
        Value::Object(fields) => fields.values().try_for_each(check),
        Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
    }
}

fn placeholders(text: &str) -> impl Iterator<Item = &str> {
    text.split("{{")
        .skip(1)
        .filter_map(|rest| Some(rest.split_once("}}")?.0))
}

fn fill(value: &Value, identity: &Identity) -> Value {
    match value {
        Value::String(text) if text == "{{counter}}" => identity.counter.into(),
        Value::String(text) => fill_text(text, identity).into(),
        Value::Array(values) => values.iter().map(|it| fill(it, identity)).collect(),
        Value::Object(fields) => {
            let filled = fields
                .iter()
                .map(|(key, it)| (key.clone(), fill(it, identity)));
            Value::Object(filled.collect())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

fn fill_text(text: &str, identity: &Identity) -> String {
    text.replace("{{counter}}", &identity.counter.to_string())
        .replace("{{timestamp}}", &identity.timestamp)
        .replace("{{id}}", &identity.workflow_id)
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use serde_json::{Value, json};

    use super::{Identity, InputTemplate, TemplateError};

    fn render(argument: Value) -> Value {
        let identity = Identity::new("T", 3, UNIX_EPOCH);
        let template = InputTemplate::new(vec![argument]).unwrap();
        template.render(&identity).remove(0)
    }

    #[test]
    fn placeholders_are_filled_in_wherever_a_string_is() {
        let rendered = render(json!({
            "name": "no. {{counter}} of {{id}}",
            "at": ["{{timestamp}}", true, null, 1.5],
        }));

        assert_eq!(
            rendered,
            json!({
                "name": "no. 3 of T-3-19700101T000000000Z",
                "at": ["1970-01-01T00:00:00.000Z", true, null, 1.5],
            })
        );
    }

    #[test]
    fn a_counter_that_stands_alone_is_a_number() {
        assert_eq!(render(json!({"n": "{{counter}}"})), json!({"n": 3}));
    }

    #[test]
    fn keys_and_lone_braces_stay_as_they_are() {
        let argument = json!({"{{key}}": "{{ and }} and {counter}"});

        let refused = InputTemplate::new(vec![argument]).unwrap_err();
        assert_eq!(refused.placeholder, " and ");

        let argument = json!({"{{key}}": "{{ or {counter}"});
        assert_eq!(render(argument.clone()), argument);
    }

    #[test]
    fn an_unknown_placeholder_is_refused_by_name() {
        let refused = InputTemplate::new(vec![json!([{"a": "{{count}}"}])]);

        assert_eq!(
            refused,
            Err(TemplateError {
                placeholder: "count".to_owned()
            })
        );
        assert_eq!(
            refused.unwrap_err().to_string(),
            r#"input template has the placeholder "count", expected {{counter}}, {{timestamp}} or {{id}}"#
        );
    }
}
