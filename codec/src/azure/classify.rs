//! Telling apart what the SDK's errors may mean.

use std::{error::Error as StdError, iter::successors};

use azure_core::{Error, error::ErrorKind, http::RawResponse};
use serde::Deserialize;

use super::{
    Cause, aadsts,
    credential::{NoToken, TokenFileError},
    entra::Refusal,
};

/// Longest quotation of somebody else's words.
const MAX_QUOTED: usize = 400;

/// What is behind an error of the SDK.
pub(super) struct Found {
    pub(super) cause: Cause,
    /// The other side's words, or the system's, in one line. Never from an answer that may quote
    /// what was sent.
    pub(super) said: Option<String>,
    /// Where no token came from, if it was the token that failed.
    pub(super) token_from: Option<String>,
}

impl Found {
    fn new(cause: Cause, said: Option<&str>) -> Self {
        Self {
            cause,
            said: said.map(one_line).filter(|said| !said.is_empty()),
            token_from: None,
        }
    }
}

pub(super) fn classify(error: &Error) -> Found {
    let chain: Vec<_> = successors(Some(error as Link<'_>), source).collect();
    for link in &chain {
        if let Some(found) = ours(*link).or_else(|| answered(*link)) {
            return found;
        }
    }
    transport(error, &chain)
}

/// One error of a chain of sources.
type Link<'a> = &'a (dyn StdError + 'static);

fn source<'a>(link: &Link<'a>) -> Option<Link<'a>> {
    (*link).source()
}

/// What our own credential put into the chain.
fn ours(link: Link<'_>) -> Option<Found> {
    if let Some(none) = link.downcast_ref::<NoToken>() {
        let mut found = Found::new(none.cause, none.said.as_deref());
        found.token_from = Some(none.place.clone());
        return Some(found);
    }
    if let Some(file) = link.downcast_ref::<TokenFileError>() {
        return Some(Found::new(Cause::TokenFile, Some(&file.to_string())));
    }
    let refusal = link.downcast_ref::<Refusal>()?;
    Some(match refusal.status {
        429 => Found::new(Cause::Throttled, None),
        500.. => Found::new(
            Cause::Unavailable {
                status: refusal.status,
            },
            None,
        ),
        _ => {
            let said = refusal.description.as_deref().map(aadsts::essence);
            Found::new(
                Cause::Exchange {
                    aadsts: refusal.aadsts,
                },
                said,
            )
        }
    })
}

/// What a service answered with another status than it should.
fn answered(link: Link<'_>) -> Option<Found> {
    let error = link.downcast_ref::<Error>()?;
    let ErrorKind::HttpResponse {
        status,
        raw_response,
        error_code,
    } = error.kind()
    else {
        return None;
    };
    let details = raw_response
        .as_deref()
        .and_then(Details::of)
        .unwrap_or_default();
    let status = u16::from(*status);
    let cause = match status {
        401 => Cause::Unauthorized,
        403 => forbidden(
            error_code.as_deref().unwrap_or_default(),
            details.inner_code(),
        ),
        404 => Cause::NotFound,
        409 => Cause::Conflict,
        429 => Cause::Throttled,
        408 | 500.. => Cause::Unavailable { status },
        _ => Cause::Rejected { status },
    };
    // Only these answer to who asks. The others may repeat what was asked, and it may be a key.
    let said = matches!(status, 401 | 403).then(|| match details.essence() {
        essence if essence.is_empty() => error_code.clone().unwrap_or_default(),
        essence => essence,
    });
    Some(Found::new(cause, said.as_deref()))
}

/// A vault tells in the body which 403 it is, a storage account with its code
/// (<https://learn.microsoft.com/rest/api/storageservices/common-rest-api-error-codes>).
fn forbidden(code: &str, inner_code: &str) -> Cause {
    match (code, inner_code) {
        ("AuthorizationPermissionMismatch", _) | (_, "ForbiddenByRbac") => Cause::ForbiddenByRbac,
        ("AuthorizationFailure", _) | (_, "ForbiddenByFirewall") => Cause::ForbiddenByFirewall,
        (_, "SecretDisabled") => Cause::SecretDisabled,
        (_, "KeyDisabled") => Cause::KeyDisabled,
        _ => Cause::Forbidden,
    }
}

/// How the SDK begins to say that a challenge is not that of the vault.
const WRONG_CHALLENGE: [&str; 3] = [
    "challenge resource",
    "invalid audience in challenge",
    "no scope or resource in authentication challenge",
];

/// What went wrong without an answer, or in reading it.
///
/// The errors of the resolver, of TLS and of the SDK have no types that could be asked, so it goes
/// by how their texts begin. Names and addresses stand further back in them.
fn transport(error: &Error, chain: &[Link<'_>]) -> Found {
    let texts: Vec<String> = chain.iter().map(ToString::to_string).collect();
    let any = |start: &str| texts.iter().any(|text| text.starts_with(start));
    let root = texts.last().map_or("", String::as_str);
    let is_timeout = chain
        .iter()
        .filter_map(|link| link.downcast_ref::<reqwest::Error>())
        .any(reqwest::Error::is_timeout);

    if WRONG_CHALLENGE.into_iter().any(any) {
        return Found::new(Cause::Challenge, None);
    }
    if is_timeout {
        return Found::new(Cause::Timeout, None);
    }
    if any("invalid peer certificate") || any("received fatal alert") {
        return Found::new(Cause::Tls, Some(root));
    }
    // The resolver answers "Temporary failure" when it could not find out.
    if any("dns error") && !root.contains("Temporary failure") {
        return Found::new(Cause::UnknownHost, Some(root));
    }
    match error.kind() {
        ErrorKind::Connection | ErrorKind::Io => Found::new(Cause::Unreachable, Some(root)),
        ErrorKind::DataConversion => Found::new(Cause::Malformed, None),
        _ if any("error sending request") => Found::new(Cause::Unreachable, Some(root)),
        _ if chain.iter().any(|link| link.is::<serde_json::Error>()) => {
            Found::new(Cause::Malformed, None)
        }
        _ => Found::new(Cause::Other, None),
    }
}

/// The error answer of Key Vault.
#[derive(Default, Deserialize)]
struct Details {
    #[serde(default)]
    error: Detail,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Detail {
    message: Option<String>,
    #[serde(rename = "innererror")]
    inner: Option<Inner>,
}

#[derive(Deserialize)]
struct Inner {
    code: Option<String>,
}

impl Details {
    fn of(response: &RawResponse) -> Option<Self> {
        serde_json::from_slice(response.body()).ok()
    }

    fn inner_code(&self) -> &str {
        let inner = self.error.inner.as_ref();
        inner
            .and_then(|inner| inner.code.as_deref())
            .unwrap_or_default()
    }

    /// The lines that say who asked for what from where, or the first one.
    fn essence(&self) -> String {
        let message = self.error.message.as_deref().unwrap_or_default();
        let telling: Vec<_> = message
            .lines()
            .filter(|line| {
                ["Caller:", "Action:", "Client address:"]
                    .iter()
                    .any(|start| line.starts_with(start))
            })
            .collect();
        match telling.as_slice() {
            [] => message.lines().next().unwrap_or_default().to_owned(),
            telling => telling.join(", "),
        }
    }
}

pub(super) fn one_line(text: &str) -> String {
    let words: Vec<_> = text.split_whitespace().collect();
    let line = words.join(" ");
    match line.char_indices().nth(MAX_QUOTED) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}
