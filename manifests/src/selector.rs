//! Whether a label selector means some labels.

use serde_json::Value;

use crate::yaml::Yaml;

/// Returns whether `selector`, with `matchLabels` and `matchExpressions`, means `labels`. An empty one means all.
pub(crate) fn selects(selector: &Value, labels: &Value) -> bool {
    let all_equal = contains(labels, selector.at("/matchLabels"));
    all_equal
        && selector
            .list("/matchExpressions")
            .iter()
            .all(|it| holds(it, labels))
}

/// Returns whether `labels` have every entry of `wanted`.
pub(crate) fn contains(labels: &Value, wanted: &Value) -> bool {
    wanted
        .entries("")
        .all(|(key, value)| labels.get(key) == Some(value))
}

fn holds(expression: &Value, labels: &Value) -> bool {
    let value = expression.text("/key").and_then(|key| labels.get(key));
    let is_listed = value.is_some_and(|value| expression.list("/values").contains(value));
    match expression.text("/operator") {
        Some("In") => is_listed,
        Some("NotIn") => !is_listed,
        Some("Exists") => value.is_some(),
        Some("DoesNotExist") => value.is_none(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::selects;

    #[test]
    fn labels_and_expressions_must_all_hold() {
        let labels = json!({"app": "a", "tier": "back"});

        assert!(selects(&json!({}), &labels));
        assert!(selects(&json!({"matchLabels": {"app": "a"}}), &labels));
        assert!(!selects(&json!({"matchLabels": {"app": "b"}}), &labels));
        for (operator, values, expected) in [
            ("In", json!(["back", "front"]), true),
            ("NotIn", json!(["back"]), false),
            ("Exists", json!([]), true),
            ("DoesNotExist", json!([]), false),
            ("Near", json!([]), false),
        ] {
            let expression = json!({"key": "tier", "operator": operator, "values": values});
            let selector = json!({"matchLabels": {"app": "a"}, "matchExpressions": [expression]});
            assert_eq!(selects(&selector, &labels), expected, "{operator}");
        }
    }
}
