//! What a right result looks like.

use serde_json::Value;

use crate::trigger::{Identity, InputTemplate, TemplateError};

/// What the result of a workflow has to be.
///
/// A JSON value in whose strings `{{counter}}`, `{{timestamp}}` and `{{id}}` are filled in as in the
/// input. Objects may have more fields than are expected; everything else has to be equal.
#[derive(Clone, Debug, PartialEq)]
pub struct Expected(InputTemplate);

impl Expected {
    /// Makes an expectation of a template.
    ///
    /// # Errors
    ///
    /// [`TemplateError`] for the first placeholder that is not known.
    pub fn new(result: Value) -> Result<Self, TemplateError> {
        Ok(Self(InputTemplate::new(vec![result])?))
    }

    /// Says whether `result` is what was to come of the workflow `identity`.
    pub(super) fn is_met_by(&self, identity: &Identity, result: &Value) -> bool {
        let expected = self.0.render(identity);
        expected.first().is_some_and(|it| covers(it, result))
    }
}

fn covers(expected: &Value, actual: &Value) -> bool {
    match (expected, actual) {
        (Value::Object(expected), Value::Object(actual)) => expected
            .iter()
            .all(|(key, it)| actual.get(key).is_some_and(|found| covers(it, found))),
        (expected, actual) => expected == actual,
    }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use serde_json::{Value, json};

    use super::{Expected, Identity};

    fn met(expected: Value, result: &Value) -> bool {
        let identity = Identity::new("T", 3, UNIX_EPOCH);
        Expected::new(expected)
            .unwrap()
            .is_met_by(&identity, result)
    }

    #[test]
    fn each_workflow_has_a_result_of_its_own() {
        assert!(met(json!("no. {{counter}}"), &json!("no. 3")));
        assert!(!met(json!("no. {{counter}}"), &json!("no. 4")));
    }

    #[test]
    fn further_fields_of_objects_are_free_and_others_are_not() {
        let expected = json!({"status": "shipped", "lines": [{"n": 1}]});

        assert!(met(
            expected.clone(),
            &json!({"status": "shipped", "lines": [{"n": 1}], "at": 7})
        ));
        assert!(!met(expected.clone(), &json!({"status": "shipped"})));
        assert!(!met(
            expected.clone(),
            &json!({"status": "shipped", "lines": [{"n": 2}]})
        ));
        assert!(!met(expected, &json!(null)));
    }
}
