//! Which web pages may read our answers: [CORS](https://fetch.spec.whatwg.org/#http-cors-protocol), for an
//! allow-list of origins.
//!
//! Outermost of all layers, because a page that may not read an error cannot show it either. Written
//! by hand, because an origin that is not on the list is to get no CORS headers at all.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::{
        HeaderMap, HeaderName, HeaderValue, Method, StatusCode,
        header::{
            ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS,
            ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
            ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD,
            ALLOW, ORIGIN, VARY,
        },
    },
    middleware::Next,
    response::{IntoResponse, Response},
};
use sealane_service::http::{Kind, Problem, local};

/// What every address here answers to.
pub(crate) const METHODS: HeaderValue = HeaderValue::from_static("POST, OPTIONS");

/// What the Web UI sends; it puts the ID token into the last one.
const HEADERS: HeaderValue =
    HeaderValue::from_static("content-type, x-namespace, authorization, authorization-extras");

/// What a page may read beside the body.
const EXPOSED: HeaderValue = HeaderValue::from_static("retry-after, x-request-id");

/// Seconds for which a browser need not ask again. Chromium caps it at 2 h.
const MAX_AGE: HeaderValue = HeaderValue::from_static("3600");

const TRUE: HeaderValue = HeaderValue::from_static("true");

/// A public page that calls a private address asks for leave with these
/// ([draft](https://wicg.github.io/private-network-access/)).
const REQUEST_PRIVATE_NETWORK: HeaderName =
    HeaderName::from_static("access-control-request-private-network");
const ALLOW_PRIVATE_NETWORK: HeaderName =
    HeaderName::from_static("access-control-allow-private-network");

/// Origins whose pages may call. Clones share them.
#[derive(Clone, Debug)]
pub(crate) struct Origins(Arc<[String]>);

impl Origins {
    /// Allows exactly these, as browsers write them.
    pub(crate) fn new(allowed: &[String]) -> Self {
        Self(allowed.into())
    }

    /// The origin of a request, if it is allowed.
    fn allowed(&self, headers: &HeaderMap) -> Option<HeaderValue> {
        let origin = headers.get(ORIGIN)?;
        let is_allowed = self.0.iter().any(|it| it.as_bytes() == origin.as_bytes());
        is_allowed.then(|| origin.clone())
    }
}

/// Refuses what a page of another origin has sent, and what was not sent to a name of this machine: for
/// servers that ask nobody who they are. Use it with [`axum::middleware::from_fn_with_state`].
///
/// A page may send simple requests without asking first. That it could not read the answers is not enough,
/// and a page whose name was made to lead here (DNS rebinding) could.
pub(crate) async fn only_local(
    State(origins): State<Origins>,
    request: Request,
    next: Next,
) -> Response {
    let headers = request.headers();
    let is_stranger = headers.contains_key(ORIGIN) && origins.allowed(headers).is_none();
    if local::is_for_this_machine(headers) && !is_stranger {
        return next.run(request).await;
    }
    let detail = "without SEALANE_AUTH, requests are for localhost and not from pages beside SEALANE_CORS_ORIGINS";
    Problem::new(Kind::Forbidden, detail).into_response()
}

/// Answers preflights, and adds to all other answers what lets an allowed page read them. Use it with
/// [`axum::middleware::from_fn_with_state`].
pub(crate) async fn cors(State(origins): State<Origins>, request: Request, next: Next) -> Response {
    let origin = origins.allowed(request.headers());
    let mut response = if request.method() == Method::OPTIONS {
        options(request.headers(), origin.is_some())
    } else {
        next.run(request).await
    };
    let headers = response.headers_mut();
    headers.append(VARY, HeaderValue::from(ORIGIN));
    if let Some(origin) = origin {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, TRUE);
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
    }
    response
}

/// Says what may be asked, to anybody what methods there are, and the rest to allowed pages only.
fn options(asked: &HeaderMap, is_allowed: bool) -> Response {
    let mut response = (StatusCode::NO_CONTENT, [(ALLOW, METHODS)]).into_response();
    if is_allowed && asked.contains_key(ACCESS_CONTROL_REQUEST_METHOD) {
        let headers = response.headers_mut();
        headers.insert(ACCESS_CONTROL_ALLOW_METHODS, METHODS);
        headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, HEADERS);
        headers.insert(ACCESS_CONTROL_MAX_AGE, MAX_AGE);
        if asked.get(REQUEST_PRIVATE_NETWORK) == Some(&TRUE) {
            headers.insert(ALLOW_PRIVATE_NETWORK, TRUE);
        }
    }
    response
}
