//! Signature algorithms, and which keys they go with.

use jsonwebtoken::Algorithm;

/// Returns the algorithms of `names`. Settings have refused what is not known or not asymmetric; should one come here
/// all the same, it is not allowed.
pub(super) fn allowed(names: &[String]) -> Vec<Algorithm> {
    names.iter().filter_map(|name| asymmetric(name)).collect()
}

/// `none` and everything symmetric are not in here, so no setting and no token can bring them in.
pub(super) fn asymmetric(name: &str) -> Option<Algorithm> {
    match name {
        "ES256" => Some(Algorithm::ES256),
        "ES384" => Some(Algorithm::ES384),
        "EdDSA" => Some(Algorithm::EdDSA),
        "PS256" => Some(Algorithm::PS256),
        "PS384" => Some(Algorithm::PS384),
        "PS512" => Some(Algorithm::PS512),
        "RS256" => Some(Algorithm::RS256),
        "RS384" => Some(Algorithm::RS384),
        "RS512" => Some(Algorithm::RS512),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{allowed, asymmetric};

    #[test]
    fn nothing_symmetric_can_be_allowed() {
        for name in [
            "none", "None", "HS256", "HS384", "HS512", "RS256 ", "rs256", "",
        ] {
            assert_eq!(asymmetric(name), None, "{name}");
        }
        assert_eq!(allowed(&["HS256".to_owned(), "ES384".to_owned()]).len(), 1);
    }
}
