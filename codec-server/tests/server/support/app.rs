//! The router without a network.

use std::ffi::OsString;

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{Request, request::Builder},
};
use sealane_codec::{CodecOptions, EncryptionCodec, SharedKeyRing};
use sealane_codec_server::{CodecCell, router};
use sealane_service::{auth::Authenticator, probes::Metrics, settings::Settings};
use sealane_tests::ring_with;
use serde_json::Value;
use tower::ServiceExt;

use super::{Answer, live::variables, one};

/// A page that may call, by default.
pub(crate) const ORIGIN: &str = "https://cloud.temporal.io";

/// A router, and what it counts.
pub(crate) struct App {
    pub(crate) router: Router,
    pub(crate) metrics: Metrics,
}

impl App {
    /// A server with these settings and a key of its own, open to everybody.
    pub(crate) async fn with(settings: &[(&str, &str)]) -> Self {
        Self::of(settings, codec().into()).await
    }

    /// A server with these settings that encrypts with whatever `codec` will hold.
    pub(crate) async fn of(settings: &[(&str, &str)], codec: CodecCell) -> Self {
        Self::as_told(load(settings), codec).await
    }

    /// A server with exactly these settings.
    pub(crate) async fn as_told(settings: Settings, codec: CodecCell) -> Self {
        let metrics = Metrics::new();
        let here = ([127, 0, 0, 1], 0).into();
        let authenticator = Authenticator::start(&settings.auth, here, &metrics).await;
        let router = router(
            &settings,
            authenticator.expect("an authenticator"),
            codec,
            &metrics,
        );
        Self {
            router: router.expect("a router"),
            metrics,
        }
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self
            .router
            .clone()
            .oneshot(request)
            .await
            .expect("an answer");
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.expect("a body");
        Answer::new(parts.status, parts.headers, &body)
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(Asked::post(path).body(body.to_string())).await
    }

    /// `data` as this server encrypts it.
    pub(crate) async fn sealed(&self, data: &str) -> Value {
        self.post("/encode", &one(data)).await.json()
    }
}

/// A request in the making.
pub(crate) struct Asked(Builder);

impl Asked {
    pub(crate) fn post(path: &str) -> Self {
        Self::new("POST", path).header("content-type", "application/json")
    }

    pub(crate) fn new(method: &str, path: &str) -> Self {
        Self(Request::builder().method(method).uri(path))
    }

    pub(crate) fn header(self, name: &str, value: &str) -> Self {
        Self(self.0.header(name, value))
    }

    pub(crate) fn by_page(self) -> Self {
        self.header("origin", ORIGIN)
    }

    pub(crate) fn body(self, body: impl Into<Body>) -> Request<Body> {
        self.0.body(body.into()).expect("a request")
    }
}

/// A codec with a key that nobody else has.
pub(crate) fn codec() -> EncryptionCodec {
    let ring = SharedKeyRing::new(ring_with("test-key"));
    EncryptionCodec::new(ring, CodecOptions::default())
}

/// These settings, with a key and a namespace.
pub(crate) fn load(settings: &[(&str, &str)]) -> Settings {
    let folder = tempfile::tempdir().expect("a folder");
    let mut variables = variables(folder.path()).expect("a key ring");
    let settings = settings.iter();
    variables.extend(settings.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    let lookup = |name: &str| variables.get(name).map(OsString::from);
    Settings::load(None, lookup).unwrap_or_else(|error| panic!("{error}"))
}
