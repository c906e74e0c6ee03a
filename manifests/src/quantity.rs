//! Amounts as Kubernetes writes them, such as `250m` and `64Mi`.

use serde_json::Value;

/// Suffixes and what they multiply by, longer ones first.
const SUFFIXES: [(&str, f64); 13] = [
    ("Ki", 1024.0),
    ("Mi", 1_048_576.0),
    ("Gi", 1_073_741_824.0),
    ("Ti", 1_099_511_627_776.0),
    ("n", 1e-9),
    ("u", 1e-6),
    ("m", 1e-3),
    ("k", 1e3),
    ("M", 1e6),
    ("G", 1e9),
    ("T", 1e12),
    ("P", 1e15),
    ("", 1.0),
];

/// Returns the amount, if it is one.
pub(crate) fn quantity(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => parse(text),
        _ => None,
    }
}

fn parse(text: &str) -> Option<f64> {
    let (number, factor) = SUFFIXES
        .iter()
        .find_map(|(suffix, factor)| Some((text.strip_suffix(suffix)?, factor)))?;
    let number: f64 = number.parse().ok()?;
    (number.is_finite() && number >= 0.0).then_some(number * factor)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::quantity;

    #[test]
    fn amounts_are_read_as_kubernetes_reads_them() {
        assert_eq!(quantity(&json!("250m")), Some(0.25));
        assert_eq!(quantity(&json!("64Mi")), Some(67_108_864.0));
        assert_eq!(quantity(&json!("1")), Some(1.0));
        assert_eq!(quantity(&json!(2)), Some(2.0));
        for wrong in ["", "64MB", "one", "-1", "inf", "1 Gi"] {
            assert_eq!(quantity(&json!(wrong)), None, "{wrong}");
        }
    }
}
