//! Why somebody is turned away: what they are told, and what we count.

use std::time::Duration;

use axum::{
    http::{HeaderValue, header::WWW_AUTHENTICATE},
    response::{IntoResponse, Response},
};

use crate::http::{Kind, Problem};

/// What a caller is told. Each has one text, so that nobody learns from it how close they came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// No token, or none that is accepted (401). Bring another one.
    #[error("a bearer token is needed that this service accepts")]
    Unauthenticated,
    /// It is known who asks, and they may not (403). Somebody has to grant it.
    #[error("the caller may not do this here")]
    Forbidden,
    /// The peer has failed too often of late (429).
    #[error("too many requests with credentials that are not accepted came from this address")]
    TooManyFailures {
        /// Time until it may try again.
        retry_after: Duration,
    },
    /// Tokens cannot be verified, because their issuer cannot be reached (503). Try again later.
    #[error("tokens cannot be verified now: their issuer does not answer")]
    IssuerUnavailable,
}

/// Time after which it is worth asking again when the issuer is down: the process itself asks about as often.
const ISSUER_RETRY: Duration = Duration::from_secs(5);

impl From<Denied> for Problem {
    fn from(denied: Denied) -> Self {
        let text = denied.to_string();
        match denied {
            Denied::Unauthenticated => Self::new(Kind::Unauthorized, text)
                .header(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")),
            Denied::Forbidden => Self::new(Kind::Forbidden, text),
            Denied::TooManyFailures { retry_after } => {
                Self::new(Kind::TooManyRequests, text).retry_after(retry_after)
            }
            Denied::IssuerUnavailable => {
                Self::new(Kind::Unavailable, text).retry_after(ISSUER_RETRY)
            }
        }
    }
}

impl IntoResponse for Denied {
    fn into_response(self) -> Response {
        Problem::from(self).into_response()
    }
}

/// Why, for metrics and the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    /// No token.
    Missing,
    /// Not a token, or not one of a form that is read.
    Malformed,
    /// A static token that nobody was given.
    UnknownToken,
    /// Well signed, with a claim that is missing or of the wrong kind.
    Claims,
    /// `exp` has passed.
    Expired,
    /// `nbf` or `iat` lies ahead.
    NotYetValid,
    /// `aud` names others.
    Audience,
    /// `iss` is somebody else.
    Issuer,
    /// `alg` is not on the list, or not one for the key.
    Algorithm,
    /// The issuer has no such key.
    Key,
    /// The signature does not fit.
    Signature,
    /// A role is missing.
    Forbidden,
    /// Not looked at, after many failures.
    RateLimited,
    /// Not looked at, because there are no keys to do it with, or too many wait for one.
    IssuerUnavailable,
}

impl Reason {
    pub(super) const ALL: [Self; 14] = [
        Self::Missing,
        Self::Malformed,
        Self::UnknownToken,
        Self::Claims,
        Self::Expired,
        Self::NotYetValid,
        Self::Audience,
        Self::Issuer,
        Self::Algorithm,
        Self::Key,
        Self::Signature,
        Self::Forbidden,
        Self::RateLimited,
        Self::IssuerUnavailable,
    ];

    /// Returns the value of the label `reason`.
    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Malformed => "malformed",
            Self::UnknownToken => "unknown_token",
            Self::Claims => "claims",
            Self::Expired => "expired",
            Self::NotYetValid => "not_yet_valid",
            Self::Audience => "audience",
            Self::Issuer => "issuer",
            Self::Algorithm => "algorithm",
            Self::Key => "key",
            Self::Signature => "signature",
            Self::Forbidden => "forbidden",
            Self::RateLimited => "rate_limited",
            Self::IssuerUnavailable => "issuer_unavailable",
        }
    }

    /// Returns whether it counts against the peer.
    ///
    /// A request without a token guesses nothing and costs nothing, and what the issuer has signed is no guess, though it
    /// be old or meant for somebody else. If these counted, one forgotten page would lock out everybody behind the same
    /// proxy.
    pub(super) fn is_a_guess(self) -> bool {
        match self {
            Self::Malformed
            | Self::UnknownToken
            | Self::Algorithm
            | Self::Key
            | Self::Signature => true,
            Self::Missing
            | Self::Claims
            | Self::Expired
            | Self::NotYetValid
            | Self::Audience
            | Self::Issuer
            | Self::Forbidden
            | Self::RateLimited
            | Self::IssuerUnavailable => false,
        }
    }

    /// Returns what the caller is told.
    pub(super) fn denied(self) -> Denied {
        match self {
            Self::IssuerUnavailable => Denied::IssuerUnavailable,
            Self::Forbidden => Denied::Forbidden,
            _ => Denied::Unauthenticated,
        }
    }
}
