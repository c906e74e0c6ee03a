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
