//! Quantities of Kubernetes, as far as the manifests use them.

/// Returns thousandths of a core, for texts such as `250m` and `1`.
pub(crate) fn millicores(text: &str) -> Option<u64> {
    match text.strip_suffix('m') {
        Some(thousandths) => thousandths.parse().ok(),
        None => Some(text.parse::<u64>().ok()? * 1000),
    }
}

/// Returns bytes, for texts such as `128Mi` and `1Gi`.
pub(crate) fn bytes(text: &str) -> Option<u64> {
    let (number, shift) = match text.split_at_checked(text.len().checked_sub(2)?)? {
        (number, "Ki") => (number, 10),
        (number, "Mi") => (number, 20),
        (number, "Gi") => (number, 30),
        _ => return None,
    };
    Some(number.parse::<u64>().ok()? << shift)
}

#[test]
fn quantities_are_read_as_kubernetes_reads_them() {
    assert_eq!(millicores("250m"), Some(250));
    assert_eq!(millicores("2"), Some(2000));
    assert_eq!(millicores(""), None);
    assert_eq!(bytes("128Mi"), Some(128 << 20));
    assert_eq!(bytes("1Gi"), Some(1 << 30));
    assert_eq!(bytes("1"), None);
}
