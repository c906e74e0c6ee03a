//! Numbers nobody can guess, so that only what was issued is accepted.

/// Returns `N` random bytes.
pub(super) fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    aws_lc_rs::rand::fill(&mut bytes).expect("the operating system supplies random bytes");
    bytes
}

/// Returns 32 hexadecimal digits: a version, or an id.
pub(super) fn hex() -> String {
    format!("{:032x}", u128::from_be_bytes(bytes()))
}

/// Returns something that looks like a trace id.
pub(super) fn uuid() -> String {
    let hex = hex();
    let parts = [
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..],
    ];
    parts.join("-")
}
