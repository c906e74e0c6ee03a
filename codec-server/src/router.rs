//! The one route, with what every request has to pass before its body is looked at.

use std::{
    net::IpAddr,
    sync::{Arc, OnceLock},
    time::Duration,
};

use axum::{
    Router,
    body::to_bytes,
    extract::{Request, State},
    http::{
        HeaderMap, HeaderValue, Method,
        header::{ALLOW, CONTENT_TYPE},
        request::Parts,
    },
    middleware::from_fn_with_state,
    response::{IntoResponse, Response},
    routing::any,
};
use sealane_codec::EncryptionCodec;
use sealane_service::{
    auth::{Authenticator, Denied},
    http::{Admission, Edge, Kind, Peer, Problem},
    probes::Metrics,
    settings::Settings,
};

use crate::{
    cors::{self, Origins, cors},
    metrics::Counters,
    target::{Named, Operation},
    transcode::{Job, Transcoder},
};

/// A vault that is slow to start with is asked again after seconds.
const LOADING_WAIT: Duration = Duration::from_secs(5);

/// The codec of a server, which may come after its first requests. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct CodecCell(Arc<OnceLock<EncryptionCodec>>);

impl CodecCell {
    /// Has requests answered with `codec` from now on. A second codec is ignored.
    pub fn fill(&self, codec: EncryptionCodec) {
        // Losing it is what the documentation says.
        let _ = self.0.set(codec);
    }
}

impl From<EncryptionCodec> for CodecCell {
    fn from(codec: EncryptionCodec) -> Self {
        let cell = Self::default();
        cell.fill(codec);
        cell
    }
}

/// Returns the codec server as a router, complete but for the probes.
///
/// Counts in `metrics`. Requests are refused with 503 until `codec` is filled.
///
/// # Errors
///
/// If `metrics` has metrics of the same names already.
pub fn router(
    settings: &Settings,
    authenticator: Authenticator,
    codec: CodecCell,
    metrics: &Metrics,
) -> Result<Router, prometheus::Error> {
    let own = &settings.codec_server;
    let server = Arc::new(Server {
        authenticator,
        is_open: settings.auth.is_off(),
        namespaces: own.namespaces.clone(),
        counters: Counters::register(metrics.registry())?,
        codec,
        max_body: own.max_body,
        max_payload: own.max_payload,
        has_container: settings.encryption.large_payloads.is_some(),
        transcoder: OnceLock::new(),
    });
    let origins = Origins::new(&own.cors_origins);
    let routes = Router::new()
        .route("/{*path}", any(answer))
        .with_state(server);
    let routes = match settings.auth.is_off() {
        true => routes.layer(from_fn_with_state(origins.clone(), cors::only_local)),
        false => routes,
    };
    let edge = Edge::new(&settings.http, metrics, "sealane-codec-server").body_limit(own.max_body);
    Ok(edge
        .protect(routes)
        .layer(from_fn_with_state(origins, cors)))
}

struct Server {
    authenticator: Authenticator,
    /// Whether nobody has to prove anything.
    is_open: bool,
    namespaces: Vec<String>,
    counters: Counters,
    codec: CodecCell,
    max_body: usize,
    max_payload: usize,
    /// Whether there is something to fetch large payloads from.
    has_container: bool,
    transcoder: OnceLock<Arc<Transcoder>>,
}

async fn answer(
    State(server): State<Arc<Server>>,
    Peer(peer): Peer,
    admission: Admission,
    request: Request,
) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let operation = server.operation(&parts)?;
    let namespaces = server.admit(operation, &parts, peer).await?;
    let fetched_of = server.fetches(operation, &parts).then_some(namespaces);
    require_json(&parts.headers)?;
    let transcoder = server.transcoder()?;
    // The edge has put its limit around the body.
    let body = to_bytes(body, usize::MAX).await;
    let body = body.map_err(|_| Problem::new(Kind::BadRequest, "the body did not arrive whole"))?;
    let job = Job {
        operation,
        fetched_of,
        body,
    };
    let json = transcoder.answer(job, admission).await?;
    Ok(([(CONTENT_TYPE, JSON)], json).into_response())
}

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// A page of another origin may send everything but this without asking first.
fn require_json(headers: &HeaderMap) -> Result<(), Problem> {
    let value = headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes);
    let essence = value.and_then(|value| value.split(|byte| *byte == b';').next());
    match essence {
        Some(media) if media.trim_ascii().eq_ignore_ascii_case(b"application/json") => Ok(()),
        _ => Err(Problem::new(
            Kind::UnsupportedMediaType,
            "the media type of the body must be application/json",
        )),
    }
}

impl Server {
    fn operation(&self, parts: &Parts) -> Result<Operation, Problem> {
        let operation = Operation::of(parts.uri.path());
        let operation = operation.filter(|it| *it != Operation::Download || self.has_container);
        let operation = operation.ok_or_else(|| {
            let detail = match self.has_container {
                true => "expected a path that ends in /decode, /download or /encode",
                false => "expected a path that ends in /decode or /encode",
            };
            Problem::new(Kind::NotFound, detail)
        })?;
        if parts.method != Method::POST {
            let detail = "payloads are sent with POST";
            let problem = Problem::new(Kind::MethodNotAllowed, detail);
            return Err(problem.header(ALLOW, cors::METHODS));
        }
        Ok(operation)
    }

    fn fetches(&self, operation: Operation, parts: &Parts) -> bool {
        self.has_container && operation.fetches(parts.uri.query())
    }

    /// Lets those pass who may do `operation` in the namespace they name, and returns the namespaces in which
    /// they may.
    ///
    /// What a refusal says depends on nothing but what the caller may do: neither a namespace that is not
    /// served nor one that is gives itself away to others.
    async fn admit(
        &self,
        operation: Operation,
        parts: &Parts,
        peer: IpAddr,
    ) -> Result<Vec<String>, Problem> {
        let principal = self
            .authenticator
            .authenticate(&parts.headers, peer)
            .await?;
        let named = Named::of(parts.uri.path(), &parts.headers)?;
        for namespace in self.wanted(named.namespace())? {
            self.authenticator
                .authorize(&principal, namespace, operation.role())?;
        }
        let is_theirs = |name: &str| self.serves(name) && principal.may(name, operation.role());
        named.agrees(is_theirs)?;
        Ok(match (self.wanted(named.namespace())?, self.is_open) {
            ([], true) => self.namespaces.clone(),
            (wanted, _) => wanted.to_vec(),
        })
    }

    /// Returns the namespaces that a request is about which names `named`: all of them, if it names none.
    ///
    /// # Errors
    ///
    /// [`Denied::Forbidden`], as for a missing role, if that is none that is served here.
    fn wanted(&self, named: Option<&str>) -> Result<&[String], Denied> {
        let served = &self.namespaces;
        match named.map(|name| served.iter().position(|it| it == name)) {
            Some(Some(at)) => Ok(&served[at..=at]),
            Some(None) => Err(Denied::Forbidden),
            None if self.is_open => Ok(&[]),
            // All of none would be open to everybody.
            None if served.is_empty() => Err(Denied::Forbidden),
            None => Ok(served),
        }
    }

    fn serves(&self, namespace: &str) -> bool {
        self.namespaces.iter().any(|it| it == namespace)
    }

    fn transcoder(&self) -> Result<&Arc<Transcoder>, Problem> {
        let codec = self.codec.0.get().ok_or_else(|| {
            Problem::new(Kind::Unavailable, "keys are not loaded yet").retry_after(LOADING_WAIT)
        })?;
        Ok(self.transcoder.get_or_init(|| {
            let (codec, counters) = (codec.clone(), self.counters.clone());
            let transcoder = Transcoder::new(codec, counters, self.max_payload, self.max_body);
            Arc::new(transcoder)
        }))
    }
}
