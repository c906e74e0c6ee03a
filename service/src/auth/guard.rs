//! The authenticator as a part of a router.

use axum::{
    Router,
    extract::{FromRequestParts, Request, State},
    http::request::Parts,
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
};

use super::{Authenticator, Denied, Principal};
use crate::http::{Peer, Problem};

/// Returns `router` with every request authenticated first, including those that it has no route for.
///
/// Handlers take the [`Principal`] as an argument, and ask [`Authenticator::authorize`] with it. The answer has it as
/// an extension, for the access log.
pub fn protect(router: Router, authenticator: Authenticator) -> Router {
    router.layer(from_fn_with_state(authenticator, authenticated))
}

async fn authenticated(
    State(authenticator): State<Authenticator>,
    Peer(peer): Peer,
    mut request: Request,
    next: Next,
) -> Response {
    match authenticator.authenticate(request.headers(), peer).await {
        Ok(principal) => {
            request.extensions_mut().insert(principal.clone());
            let mut response = next.run(request).await;
            response.extensions_mut().insert(principal);
            response
        }
        Err(denied) => denied.into_response(),
    }
}

impl<S: Sync> FromRequestParts<S> for Principal {
    type Rejection = Problem;

    /// A route that nobody protects has no callers that are known.
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let principal = parts.extensions.get().cloned();
        principal.ok_or_else(|| Denied::Unauthenticated.into())
    }
}
