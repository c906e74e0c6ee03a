//! The OpenAPI document, and a page to browse it with: everything on it comes from this process.

use axum::{
    Json, Router,
    http::{HeaderValue, header::CONTENT_SECURITY_POLICY},
    middleware::map_response,
    response::Response,
    routing::get,
};
use utoipa::openapi::OpenApi;
use utoipa_swagger_ui::{Config, SwaggerUi};

/// Scripts and requests only from and to here. Swagger UI sets styles on its elements, and draws with
/// pictures that are part of its style sheet.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);

/// Returns the routes `/openapi.json` and `/docs/`.
pub(super) fn router(document: OpenApi) -> Router {
    // The validator badge would be asked for from elsewhere.
    let config = Config::new(["/openapi.json"]).validator_url("none");
    let pages = Router::from(SwaggerUi::new("/docs").config(config));
    Router::new()
        .route("/openapi.json", get(|| async move { Json(document) }))
        .merge(pages.layer(map_response(with_policy)))
}

async fn with_policy(mut response: Response) -> Response {
    response
        .headers_mut()
        .insert(CONTENT_SECURITY_POLICY, POLICY);
    response
}
