//! Label selectors, as Kubernetes reads them.

use serde_json::Value;

/// Whether `selector` takes something with `labels`. A selector that is not there takes nothing; an empty one, everything.
pub(crate) fn takes(selector: &Value, labels: &Value) -> bool {
    if !selector.is_object() {
        return false;
    }
    let label = |name: &str| labels.get(name).and_then(Value::as_str);
    let wanted = selector.get("matchLabels").and_then(Value::as_object);
    let equal = wanted
        .into_iter()
        .flatten()
        .all(|(name, value)| label(name) == value.as_str());
    let expressions = selector.get("matchExpressions").and_then(Value::as_array);
    equal
        && expressions
            .into_iter()
            .flatten()
            .all(|it| holds(it, &label))
}

fn holds<'a>(expression: &Value, label: &impl Fn(&str) -> Option<&'a str>) -> bool {
    let found = expression["key"].as_str().and_then(label);
    let values = expression["values"].as_array();
    let is_one = found.is_some_and(|found| values.into_iter().flatten().any(|it| it == found));
    match expression["operator"].as_str() {
        Some("In") => is_one,
        Some("NotIn") => !is_one,
        Some("Exists") => found.is_some(),
        Some("DoesNotExist") => found.is_none(),
        other => panic!("{other:?} is no operator"),
    }
}

#[test]
fn selectors_take_what_kubernetes_takes() {
    use serde_json::json;
    let labels = json!({"name": "sealane", "component": "api"});

    assert!(takes(&json!({}), &labels));
    assert!(!takes(&Value::Null, &labels));
    assert!(takes(&json!({"matchLabels": {"name": "sealane"}}), &labels));
    assert!(!takes(
        &json!({"matchLabels": {"name": "sealane", "zone": "1"}}),
        &labels
    ));
    let of = |operator: &str, values: Value| json!({"matchExpressions": [{"key": "component", "operator": operator, "values": values}]});
    assert!(takes(&of("In", json!(["api", "worker"])), &labels));
    assert!(!takes(&of("NotIn", json!(["api"])), &labels));
    assert!(takes(&of("Exists", Value::Null), &labels));
    assert!(!takes(&of("DoesNotExist", Value::Null), &labels));
}
