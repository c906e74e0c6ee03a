//! Who may do what: a route asks for [`Reader`] or [`Writer`], and gets the workflows only from them.

use axum::{
    extract::FromRequestParts,
    http::{HeaderName, HeaderValue, Method, header::ALLOW, request::Parts},
};
use sealane_service::{
    auth::{Principal, Role},
    http::{Kind, Problem},
};

use super::state::Api;
use crate::workflow::Workflows;

/// How browsers say that nobody has asked for a page yet
/// ([Sec-Purpose](https://fetch.spec.whatwg.org/#sec-purpose-header), and what they said before).
const PURPOSES: [HeaderName; 3] = [
    HeaderName::from_static("sec-purpose"),
    HeaderName::from_static("purpose"),
    HeaderName::from_static("x-moz"),
];

/// A caller who may look at workflows.
pub(super) struct Reader(pub(super) Workflows);

/// A caller who may start, steer and end workflows.
pub(super) struct Writer {
    pub(super) workflows: Workflows,
    /// What no other caller is called.
    pub(super) id: String,
}

impl FromRequestParts<Api> for Reader {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        authorized(parts, api, Role::Reader)?;
        Ok(Self(api.workflows()?))
    }
}

impl FromRequestParts<Api> for Writer {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        let id = authorized(parts, api, Role::Writer)?.id().to_owned();
        is_meant(parts)?;
        Ok(Self {
            workflows: api.workflows()?,
            id,
        })
    }
}

fn authorized<'a>(parts: &'a Parts, api: &Api, role: Role) -> Result<&'a Principal, Problem> {
    // The layer around the routes has put it there, so this is a fault of the router.
    let unknown = || Problem::new(Kind::Internal, "nobody has looked who asks");
    let principal: &Principal = parts.extensions.get().ok_or_else(unknown)?;
    api.authenticator()
        .authorize(principal, api.namespace(), role)?;
    Ok(principal)
}

/// Refuses what asks for less than it would do: a look at the headers, a page fetched ahead.
fn is_meant(parts: &Parts) -> Result<(), Problem> {
    // Routers take it for a GET, and two of those start a workflow.
    if parts.method == Method::HEAD {
        let problem = Problem::new(Kind::MethodNotAllowed, "HEAD would start a workflow");
        return Err(problem.header(ALLOW, HeaderValue::from_static("GET")));
    }
    let headers = &parts.headers;
    let is_prefetch = |value: &HeaderValue| value.as_bytes().starts_with(b"prefetch");
    if PURPOSES
        .iter()
        .any(|name| headers.get(name).is_some_and(is_prefetch))
    {
        let detail = "a prefetch would start a workflow";
        return Err(Problem::new(Kind::Forbidden, detail));
    }
    Ok(())
}
