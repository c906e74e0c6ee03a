//! The token in a request.

use axum::http::{HeaderMap, HeaderValue, header::AUTHORIZATION};

use super::denied::Reason;

/// Where the Web UI puts the ID token, beside the access token in `Authorization`.
const EXTRAS: &str = "authorization-extras";

/// The only scheme: [RFC 6750](https://www.rfc-editor.org/rfc/rfc6750#section-2.1).
const SCHEME: &str = "bearer";

/// Longest token that is looked at, in bytes. Entra keeps its own below 8 KiB: with more groups than fit it leaves
/// them out.
const MAX_LEN: usize = 16 * 1024;

/// A token, and what it is to be looked up in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Credential<'a> {
    /// In the file of digests.
    Static(&'a str),
    /// With the issuer's keys.
    Jwt(&'a str),
}

/// Returns the token of `Authorization: Bearer …`.
pub(super) fn authorization(headers: &HeaderMap) -> Result<&str, Reason> {
    let value = only(headers, AUTHORIZATION.as_str())?;
    token(without_scheme(value).ok_or(Reason::Malformed)?)
}

/// Returns the token of `Authorization-Extras`, where the scheme may be missing.
pub(super) fn extras(headers: &HeaderMap) -> Result<&str, Reason> {
    let value = only(headers, EXTRAS)?;
    token(without_scheme(value).unwrap_or(value))
}

/// Two of them would leave open which one a proxy before us has looked at.
fn only<'a>(headers: &'a HeaderMap, name: &str) -> Result<&'a str, Reason> {
    let mut values = headers.get_all(name).iter().map(HeaderValue::to_str);
    match (values.next(), values.next()) {
        (None, _) | (Some(Ok("")), None) => Err(Reason::Missing),
        (Some(Ok(value)), None) => Ok(value),
        _ => Err(Reason::Malformed),
    }
}

fn without_scheme(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    let is_known = scheme.eq_ignore_ascii_case(SCHEME);
    is_known.then_some(token.trim_matches(' '))
}

fn token(text: &str) -> Result<&str, Reason> {
    let is_token = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
    if is_token && text.len() <= MAX_LEN {
        Ok(text)
    } else {
        Err(Reason::Malformed)
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderMap;

    use super::{EXTRAS, MAX_LEN, Reason, authorization, extras};

    fn headers(values: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append("authorization", value.parse().unwrap());
            headers.append(EXTRAS, value.parse().unwrap());
        }
        headers
    }

    #[test]
    fn the_scheme_is_bearer_in_any_case() {
        for value in ["Bearer abc", "bearer abc", "BEARER   abc "] {
            assert_eq!(authorization(&headers(&[value])), Ok("abc"), "{value}");
            assert_eq!(extras(&headers(&[value])), Ok("abc"), "{value}");
        }
        assert_eq!(extras(&headers(&["abc"])), Ok("abc"));
    }

    #[test]
    fn nothing_is_missing_and_anything_else_is_malformed() {
        let long = format!("Bearer {}", "a".repeat(MAX_LEN + 1));
        assert_eq!(authorization(&headers(&[])), Err(Reason::Missing));
        assert_eq!(authorization(&headers(&[""])), Err(Reason::Missing));
        for values in [
            &["abc"][..],
            &["Basic abc"],
            &["Bearer"],
            &["Bearer "],
            &["Bearer a b"],
            &["Bearer a", "Bearer a"],
            &[&long],
        ] {
            let headers = headers(values);
            assert_eq!(
                authorization(&headers),
                Err(Reason::Malformed),
                "{values:?}"
            );
        }
        assert_eq!(extras(&headers(&["Basic abc"])), Err(Reason::Malformed));
    }
}
