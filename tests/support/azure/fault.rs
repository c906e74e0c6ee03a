//! What can go wrong between a client and Azure, on demand.

use std::time::SystemTime;

use serde_json::json;

use super::{
    Endpoint, entra, refusal,
    reply::{Manner, Reply},
};

/// Something that goes wrong, where and how often.
#[derive(Clone, Debug)]
pub struct Fault {
    endpoint: Option<Endpoint>,
    path: Option<String>,
    trouble: Trouble,
    left: Option<usize>,
}

/// What goes wrong.
#[derive(Clone, Copy, Debug)]
pub enum Trouble {
    /// 401 that does not say where to get a token, as behind a proxy that strips the header.
    BareUnauthorized,
    /// 401 that asks for a token of somebody else's.
    WrongResource,
    /// 403, the role assignment is missing or has not arrived yet.
    ForbiddenByRbac,
    /// 403, the address is not on the vault's list.
    ForbiddenByFirewall,
    /// 403, the secret is disabled.
    SecretDisabled,
    /// 404.
    NotFound,
    /// 429, and when to come back.
    Throttled(RetryAfter),
    /// Any status, with a body that explains nothing: 500, 503.
    Status(u16),
    /// 200 with a web page.
    Page,
    /// Half of the right answer, then the end of the connection.
    Truncated,
    /// Half of the right answer, then a reset of the connection.
    Reset,
    /// One byte after the other, without end.
    Dripping,
    /// No answer on an open connection.
    Silence,
    /// Entra refuses with `AADSTS` and this number.
    Aadsts(u32),
}

/// What the header `Retry-After` says.
#[derive(Clone, Copy, Debug)]
pub enum RetryAfter {
    /// Seconds.
    Seconds(u64),
    /// An HTTP date.
    Date(SystemTime),
}

impl Fault {
    /// Returns a fault of one endpoint, which stays until it is cleared.
    pub fn at(endpoint: Endpoint, trouble: Trouble) -> Self {
        Self {
            endpoint: Some(endpoint),
            path: None,
            trouble,
            left: None,
        }
    }

    /// Returns a fault of everything in the vault, which stays until it is cleared.
    pub fn of_vault(trouble: Trouble) -> Self {
        Self {
            endpoint: None,
            path: None,
            trouble,
            left: None,
        }
    }

    /// Limits it to paths that contain `part`: a name, or a version.
    #[must_use]
    pub fn on(mut self, part: &str) -> Self {
        self.path = Some(part.to_owned());
        self
    }

    /// Limits it to the next `times` requests.
    #[must_use]
    pub fn times(mut self, times: usize) -> Self {
        self.left = Some(times);
        self
    }

    /// Limits it to the next request.
    #[must_use]
    pub fn once(self) -> Self {
        self.times(1)
    }

    fn covers(&self, endpoint: Endpoint, path: &str, challenged: bool) -> bool {
        let here = match self.endpoint {
            Some(only) => only == endpoint,
            None => endpoint.is_vault(),
        };
        here && self.path.as_ref().is_none_or(|part| path.contains(part))
            && (!challenged || self.trouble.precedes_the_challenge())
    }
}

/// Uses up and returns the trouble that a request meets.
pub(super) fn next(
    faults: &mut [Fault],
    endpoint: Endpoint,
    path: &str,
    challenged: bool,
) -> Option<Trouble> {
    let found = faults
        .iter_mut()
        .find(|fault| fault.left != Some(0) && fault.covers(endpoint, path, challenged))?;
    if let Some(left) = &mut found.left {
        *left -= 1;
    }
    Some(found.trouble)
}

impl Trouble {
    /// The first request of a client carries no token. Other troubles wait for the one that does, so
    /// that "once" means one call whatever the client has asked before.
    fn precedes_the_challenge(self) -> bool {
        matches!(self, Self::BareUnauthorized | Self::WrongResource)
    }

    /// How the answer is sent.
    pub(super) fn manner(self) -> Manner {
        match self {
            Self::Truncated => Manner::Truncated,
            Self::Reset => Manner::Reset,
            Self::Dripping => Manner::Dripping,
            Self::Silence => Manner::Never,
            _ => Manner::Whole,
        }
    }

    /// What is answered instead of the right answer.
    pub(super) fn reply(self, endpoint: Endpoint, now: SystemTime) -> Option<Reply> {
        Some(match self {
            Self::BareUnauthorized => refusal::unauthorized(),
            Self::WrongResource => refusal::challenge("https://vault.example.com"),
            Self::ForbiddenByRbac => refusal::forbidden_by_rbac(endpoint),
            Self::ForbiddenByFirewall => refusal::forbidden_by_firewall(),
            Self::SecretDisabled => refusal::disabled(Endpoint::GetSecret),
            Self::NotFound => refusal::not_found(endpoint, "payload-key"),
            Self::Throttled(after) => refusal::throttled().with("retry-after", after.to_string()),
            Self::Status(status) => nothing_explained(status),
            Self::Page => Reply::html(),
            Self::Aadsts(code) => entra::refused(code, now),
            Self::Truncated | Self::Reset | Self::Dripping | Self::Silence => return None,
        })
    }
}

impl std::fmt::Display for RetryAfter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Seconds(seconds) => write!(f, "{seconds}"),
            Self::Date(at) => f.write_str(&httpdate::fmt_http_date(*at)),
        }
    }
}

fn nothing_explained(status: u16) -> Reply {
    let error =
        json!({ "error": { "code": "InternalServerError", "message": "An error occurred." } });
    Reply::json(status, &error)
}
