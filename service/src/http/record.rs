//! What is noted about every request, and added to every answer.

use std::sync::Arc;

use axum::{
    extract::{MatchedPath, Request, State},
    http::{
        HeaderMap, HeaderName, HeaderValue,
        header::{CACHE_CONTROL, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS},
    },
    middleware::Next,
    response::Response,
};

use super::{Kind, Peer, RequestId, edge::Parts, metrics::Flight, request_id::X_REQUEST_ID};
use crate::auth::Principal;

/// What an answer says unless it says otherwise: take it for what it claims to be, keep no copy, tell nobody where a
/// link was followed from.
const HARDENING: [(HeaderName, HeaderValue); 3] = [
    (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (CACHE_CONTROL, HeaderValue::from_static("no-store")),
    (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
];

/// Gives the request its id and its [`Peer`], counts it, and writes one line about it: never its query, its headers
/// or its body.
pub(super) async fn record(
    State(edge): State<Arc<Parts>>,
    mut request: Request,
    next: Next,
) -> Response {
    let id = RequestId::find(request.headers());
    let peer = Peer::find(
        request.extensions(),
        request.headers(),
        &edge.trusted_proxies,
    );
    request.extensions_mut().insert(id.clone());
    request.extensions_mut().insert(peer);
    let mut line = Line {
        flight: edge.metrics.begin(route(&request), request.method()),
        id,
        peer,
        caller: None,
        problem: None,
    };
    let mut response = next.run(request).await;
    line.flight.answered(response.status());
    line.caller = response.extensions().get().cloned();
    line.problem = response.extensions().get::<Kind>().map(|kind| kind.slug());
    harden(response.headers_mut());
    if let Some(id) = line.id.to_header() {
        response.headers_mut().insert(X_REQUEST_ID, id);
    }
    response
}

/// Adds the headers that harm nothing and are not there yet.
pub(super) fn harden(headers: &mut HeaderMap) {
    for (name, value) in HARDENING {
        headers.entry(name).or_insert(value);
    }
}

/// The path as the router knows it: the one that was asked for may hold anything, in any number.
fn route(request: &Request) -> String {
    let path = request.extensions().get::<MatchedPath>();
    path.map_or("unmatched", MatchedPath::as_str).to_owned()
}

/// The line of the access log, written when the answer begins or nobody waits for it any more.
struct Line {
    flight: Flight,
    id: RequestId,
    peer: Peer,
    /// `None` if nobody was let in, or nobody waited for the answer.
    caller: Option<Principal>,
    problem: Option<&'static str>,
}

impl Drop for Line {
    fn drop(&mut self) {
        let flight = &self.flight;
        tracing::info!(
            target: "sealane::access",
            {
                http.method = flight.method,
                http.route = flight.route,
                http.status = flight.status(),
                http.problem = self.problem,
                duration_seconds = flight.started.elapsed().as_secs_f64(),
                client.address = %self.peer.0,
                client.name = self.caller.as_ref().map(Principal::name),
                request.id = self.id.as_str(),
            },
            "request"
        );
    }
}
