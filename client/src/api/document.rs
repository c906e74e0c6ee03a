//! What the OpenAPI document says beside the routes: who may call, and what can go wrong everywhere.

use serde::Serialize;
use utoipa::{
    OpenApi as _, ToSchema,
    openapi::{
        Content, OpenApi, RefOr, Response, ResponseBuilder, SecurityRequirement,
        path::{Operation, ParameterIn, PathItem},
        schema::Ref,
        security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};

use sealane_service::http::{Kind, PROBLEM_JSON};

use super::extract::{Name, Period, RunId};

/// Name of the one way to prove who one is.
const BEARER: &str = "bearer";

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Sealane",
        description = "Starts, watches and steers Temporal workflows. Payloads are encrypted before they leave the service and decrypted for those who may read them.",
        license(name = "MIT", identifier = "MIT"),
    ),
    tags(
        (name = "workflows", description = "Workflows of any type"),
        (name = "orders", description = "The order flow"),
        (name = "greetings", description = "The smallest flow"),
        (name = "about", description = "This service"),
    ),
    components(schemas(Name, Period, ProblemDetails, RunId)),
)]
struct Document;

/// What went wrong (RFC 9457). Branch on `type`; docs/http-api.md lists them all. Some have members beside
/// these.
#[derive(Serialize, ToSchema)]
struct ProblemDetails {
    /// What kind of problem it is; never changes.
    #[schema(pattern = "^urn:sealane:problem:[a-z0-9-]+$")]
    r#type: String,
    /// The kind in a few words.
    title: String,
    /// The status of the answer.
    status: u16,
    /// What is special about this one, for people.
    detail: String,
}

/// Returns the document with the routes of both, and everything that holds for all of one.
pub(super) fn complete(guarded: OpenApi, open: OpenApi) -> OpenApi {
    let mut document = Document::openapi();
    let mut guarded = guarded;
    for item in guarded.paths.paths.values_mut() {
        for operation in operations(item) {
            operation.security = Some(vec![SecurityRequirement::new(BEARER, [""; 0])]);
            add_problems(operation, &GUARDED);
            let given = given(operation);
            add_problems(operation, &given);
        }
    }
    document.merge(guarded);
    document.merge(open);
    for item in document.paths.paths.values_mut() {
        for operation in operations(item) {
            add_problems(operation, &ANYWHERE);
            problems_are_json(operation);
        }
    }
    let components = document.components.get_or_insert_default();
    components.add_security_scheme(BEARER, bearer());
    document
}

/// What can go wrong with any request.
const ANYWHERE: [Kind; 4] = [
    Kind::Timeout,
    Kind::TooManyRequests,
    Kind::Internal,
    Kind::GatewayTimeout,
];

/// What can go wrong with any request about workflows.
const GUARDED: [Kind; 3] = [Kind::Unauthorized, Kind::Forbidden, Kind::Unavailable];

/// What can go wrong with what a request says.
fn given(operation: &Operation) -> Vec<Kind> {
    let parameters = operation.parameters.iter().flatten();
    let places: Vec<_> = parameters
        .filter_map(|it| match it {
            RefOr::T(parameter) => Some(parameter.parameter_in.clone()),
            RefOr::Ref(_) => None,
        })
        .collect();
    let mut kinds = Vec::new();
    if !places.is_empty() {
        kinds.push(Kind::BadRequest);
    }
    if places.contains(&ParameterIn::Path) {
        kinds.push(Kind::NotFound);
    }
    if operation.request_body.is_some() {
        kinds.extend([
            Kind::BadRequest,
            Kind::PayloadTooLarge,
            Kind::UnsupportedMediaType,
            Kind::Unprocessable,
        ]);
    }
    kinds
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [&mut item.get, &mut item.post].into_iter().flatten()
}

fn add_problems(operation: &mut Operation, kinds: &[Kind]) {
    for kind in kinds {
        let status = kind.status().as_u16().to_string();
        let answer = || RefOr::T(ResponseBuilder::new().description(kind.title()).build());
        operation
            .responses
            .responses
            .entry(status)
            .or_insert_with(answer);
    }
}

/// Every answer that says what went wrong has the same form.
fn problems_are_json(operation: &mut Operation) {
    for (status, answer) in &mut operation.responses.responses {
        let RefOr::T(Response { content, .. }) = answer else {
            continue;
        };
        if status.starts_with(['4', '5']) && content.is_empty() {
            let schema = Ref::from_schema_name(ProblemDetails::name());
            content.insert(PROBLEM_JSON.to_owned(), Content::new(Some(schema)).into());
        }
    }
}

fn bearer() -> SecurityScheme {
    let scheme = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some(
            "A static token, or a token of the configured issuer; docs/auth.md. Not asked for with SEALANE_AUTH=off.",
        ));
    SecurityScheme::Http(scheme.build())
}
