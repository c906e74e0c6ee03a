//! A span for each request, in the trace of whoever sent it.

use axum::{
    extract::{MatchedPath, Request},
    middleware::Next,
    response::Response,
};
use http::{HeaderMap, Method};
use opentelemetry::{
    Context, KeyValue, global,
    propagation::{Extractor, TextMapPropagator},
    trace::{FutureExt, SpanBuilder, SpanKind, Status, TraceContextExt},
};

use crate::telemetry::traces;

/// Answers `request` within a server span, which is the current one for everything that is done for
/// it.
///
/// The span is named like `GET /orders/{id}`, and holds method, route and status: no path, query,
/// header or body. Does nothing while traces are off.
pub(super) async fn trace(request: Request, next: Next) -> Response {
    if !traces::is_on() {
        return next.run(request).await;
    }
    let context = begin(&request);
    let response = next.run(request).with_context(context.clone()).await;
    let span = context.span();
    let status = response.status();
    span.set_attribute(KeyValue::new(
        "http.response.status_code",
        i64::from(status.as_u16()),
    ));
    if status.is_server_error() {
        span.set_status(Status::error(""));
    }
    span.end();
    response
}

fn begin(request: &Request) -> Context {
    let method = known(request.method());
    let mut attributes = vec![KeyValue::new("http.request.method", method)];
    let name = match request.extensions().get::<MatchedPath>() {
        Some(route) => {
            let route = route.as_str().to_owned();
            let name = format!("{method} {route}");
            attributes.push(KeyValue::new("http.route", route));
            name
        }
        None => method.to_owned(),
    };
    let builder = SpanBuilder::from_name(name)
        .with_kind(SpanKind::Server)
        .with_attributes(attributes);
    let stranger = Context::new().with_value(traces::Stranger);
    let parent = traces::propagator().extract_with_context(&stranger, &Headers(request.headers()));
    let span = builder.start_with_context(&global::tracer(traces::SCOPE), &parent);
    parent.with_span(span)
}

/// The names are those of OpenTelemetry's conventions, which keep made-up methods out.
fn known(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "_OTHER",
    }
}

struct Headers<'a>(&'a HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).and_then(|value| value.to_str().ok())
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(http::HeaderName::as_str).collect()
    }
}
