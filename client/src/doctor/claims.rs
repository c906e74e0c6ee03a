//! What a service account token says of itself.

use std::{
    fmt,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::Deserialize;

/// The last second that RFC 3339 can write, 9999-12-31T23:59:59Z.
const LAST_SECOND: u64 = 253_402_300_799;

/// The claims that Entra compares. They are read, not verified: that is for Entra to do.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Claims {
    #[serde(default, rename = "iss")]
    pub(super) issuer: String,
    #[serde(default, rename = "sub")]
    pub(super) subject: String,
    #[serde(default, rename = "aud")]
    pub(super) audience: Audience,
    /// Seconds since 1970.
    #[serde(default)]
    exp: u64,
}

/// For whom a token is: one or several.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Audience {
    One(String),
    Several(Vec<String>),
}

impl Default for Audience {
    fn default() -> Self {
        Self::Several(Vec::new())
    }
}

impl Claims {
    /// Reads the middle of `token`; `None` if it is no JSON web token.
    pub(super) fn read(token: &str) -> Option<Self> {
        let mut parts = token.trim().split('.');
        let (_, claims, _) = (parts.next()?, parts.next()?, parts.next()?);
        let claims = BASE64_URL_SAFE_NO_PAD.decode(claims).ok()?;
        serde_json::from_slice(&claims).ok()
    }

    /// When it expires; `None` if it does not say, or says nonsense.
    pub(super) fn expires(&self) -> Option<SystemTime> {
        let sensible = (1..=LAST_SECOND).contains(&self.exp);
        sensible.then(|| UNIX_EPOCH + Duration::from_secs(self.exp))
    }

    /// Namespace and name of the service account in the subject.
    pub(super) fn service_account(&self) -> Option<(&str, &str)> {
        let account = self.subject.strip_prefix("system:serviceaccount:")?;
        account.split_once(':')
    }
}

impl Audience {
    pub(super) fn any(&self, wanted: impl Fn(&str) -> bool) -> bool {
        match self {
            Self::One(one) => wanted(one),
            Self::Several(all) => all.iter().any(|one| wanted(one)),
        }
    }
}

impl fmt::Display for Audience {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::One(one) => f.write_str(one),
            Self::Several(all) => f.write_str(&all.join(", ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};

    use super::Claims;

    fn token(claims: &str) -> String {
        format!("e30.{}.c2ln\n", BASE64_URL_SAFE_NO_PAD.encode(claims))
    }

    #[test]
    fn claims_are_read_whether_the_audience_is_one_or_several() {
        for audience in [r#""api://a""#, r#"["api://a"]"#] {
            let claims = format!(
                r#"{{"iss":"https://i/","sub":"system:serviceaccount:n:sa","aud":{audience},"exp":60}}"#
            );

            let claims = Claims::read(&token(&claims)).unwrap();

            assert_eq!(claims.audience.to_string(), "api://a");
            assert_eq!(claims.service_account(), Some(("n", "sa")));
            let expires = UNIX_EPOCH + Duration::from_secs(60);
            assert_eq!(claims.expires(), Some(expires));
        }
    }

    #[test]
    fn what_is_missing_or_absurd_is_not_made_up() {
        let claims = Claims::read(&token("{}")).unwrap();
        assert_eq!((claims.issuer.as_str(), claims.expires()), ("", None));

        let claims = Claims::read(&token(&format!(r#"{{"exp":{}}}"#, u64::MAX))).unwrap();
        assert_eq!(claims.expires(), None);

        for text in ["", "a.b", "a.b.c", "a.e30=.c", &token("\"x\"")] {
            assert!(Claims::read(text).is_none(), "{text}");
        }
    }
}
