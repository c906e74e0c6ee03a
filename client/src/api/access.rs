//! Who may do what: a route asks for [`Reader`] or [`Writer`], and gets the workflows only from them.

use axum::{extract::FromRequestParts, http::request::Parts};
use sealane_service::{
    auth::{Principal, Role},
    http::{Kind, Problem},
};

use super::state::Api;
use crate::workflow::Workflows;

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
