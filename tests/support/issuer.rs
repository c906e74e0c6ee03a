//! An OIDC issuer on this machine: discovery, keys, and tokens good and bad.
//!
//! It signs with `aws-lc-rs` by hand, so that a fault in the library that verifies is not shared by what is verified.

#[path = "issuer/door.rs"]
mod door;
#[path = "issuer/keys.rs"]
mod keys;

use std::{
    io,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use axum::{
    Json, Router,
    extract::State,
    http::{StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::AbortHandle};

use self::{
    door::{Door, Latch},
    keys::{EcKey, RsaKey},
};

/// The audience of its tokens, unless their claims say otherwise.
pub const AUDIENCE: &str = "sealane-test";
/// Whom its tokens speak of, unless their claims say otherwise.
pub const SUBJECT: &str = "ada";
/// Where it describes itself.
pub const DISCOVERY: &str = "/.well-known/openid-configuration";
/// Where it publishes its keys.
pub const JWKS: &str = "/keys";

/// As long as its tokens live.
const LIFETIME: Duration = Duration::from_secs(3600);

/// A running issuer; it ends when dropped.
pub struct Issuer {
    url: String,
    shared: Arc<Shared>,
    server: AbortHandle,
}

struct Shared {
    url: String,
    latch: Latch,
    keys: Mutex<Keys>,
    scripted: Mutex<Scripted>,
    discoveries: AtomicUsize,
    fetches: AtomicUsize,
}

struct Keys {
    rsa: RsaKey,
    ec: EcKey,
    rotations: usize,
}

/// What is answered in place of the truth.
#[derive(Default)]
struct Scripted {
    discovery: Option<Answer>,
    jwks: Option<Answer>,
}

/// An answer that a test makes up.
#[derive(Clone, Debug)]
pub enum Answer {
    /// A JSON document.
    Document(Value),
    /// Any text, with status 200.
    Text(String),
    /// A failure with this status.
    Status(u16),
    /// Another address to look at: 302.
    Redirect(String),
    /// None at all, on a connection that stays open.
    Silence,
}

impl Issuer {
    /// Starts one on a loopback port, with an RSA key that signs by default and an EC key.
    ///
    /// # Errors
    ///
    /// If it cannot listen.
    pub async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let shared = Arc::new(Shared {
            url: url.clone(),
            latch: Latch::default(),
            keys: Mutex::new(Keys {
                rsa: RsaKey::generate("rsa-0"),
                ec: EcKey::generate("ec-0"),
                rotations: 0,
            }),
            scripted: Mutex::default(),
            discoveries: AtomicUsize::new(0),
            fetches: AtomicUsize::new(0),
        });
        let routes = Router::new()
            .fallback(answer)
            .with_state(Arc::clone(&shared));
        let door = Door::new(listener, shared.latch.clone());
        let server = tokio::spawn(async move { axum::serve(door, routes).await });
        Ok(Self {
            url,
            shared,
            server: server.abort_handle(),
        })
    }

    /// Returns its address, which is also the `iss` of its tokens.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns the settings of a process that trusts it, apart from who may do what: that takes
    /// `SEALANE_AUTH_GRANTS_FILE` or `SEALANE_AUTH_PERMISSIONS_CLAIM`.
    pub fn settings(&self) -> [(String, String); 4] {
        let setting = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        [
            setting("SEALANE_AUTH", "oidc"),
            setting("SEALANE_AUTH_ISSUER", self.url()),
            setting("SEALANE_AUTH_AUDIENCE", AUDIENCE),
            setting("SEALANE_AUTH_ALGORITHMS", "RS256,ES256"),
        ]
    }

    /// Returns a good token for [`SUBJECT`] (`email` is `ada@example.com`), with `claims` over the usual ones; `null` removes one.
    pub fn token(&self, claims: &Value) -> String {
        let keys = self.keys();
        let header = json!({ "alg": "RS256", "kid": keys.rsa.id(), "typ": "JWT" });
        jws(&header, &self.claims(claims), |text| keys.rsa.sign(text))
    }

    /// Returns a token like [`token`](Self::token), signed with the EC key: ES256.
    pub fn elliptic(&self, claims: &Value) -> String {
        let keys = self.keys();
        let header = json!({ "alg": "ES256", "kid": keys.ec.id() });
        jws(&header, &self.claims(claims), |text| keys.ec.sign(text))
    }

    /// Returns a token signed with the RSA key, whatever its `header` claims.
    pub fn with_header(&self, header: &Value, claims: &Value) -> String {
        let keys = self.keys();
        jws(header, &self.claims(claims), |text| keys.rsa.sign(text))
    }

    /// Returns a token that expired an hour ago.
    pub fn expired(&self) -> String {
        let now = now();
        let hour = LIFETIME.as_secs();
        self.token(&json!({ "exp": now - hour, "iat": now - 2 * hour, "nbf": now - 2 * hour }))
    }

    /// Returns a token with `alg: none` and no signature.
    pub fn unsigned(&self) -> String {
        let header = json!({ "alg": "none", "kid": self.keys().rsa.id() });
        jws(&header, &self.claims(&Value::Null), |_| Vec::new())
    }

    /// Returns a token signed by HMAC, with the RSA key's public half (as PEM) for a secret.
    pub fn hs256_with_public_key(&self) -> String {
        let keys = self.keys();
        let header = json!({ "alg": "HS256", "kid": keys.rsa.id() });
        let claims = self.claims(&Value::Null);
        jws(&header, &claims, |text| keys.rsa.sign_as_secret(text))
    }

    /// Returns a token that names the issuer's key and is signed with another one.
    pub fn forged(&self) -> String {
        let stranger = RsaKey::generate("stranger");
        let header = json!({ "alg": "RS256", "kid": self.keys().rsa.id() });
        jws(&header, &self.claims(&Value::Null), |text| {
            stranger.sign(text)
        })
    }

    /// Replaces the RSA key: tokens signed from now on name a new one, and the old one is withdrawn.
    pub fn rotate(&self) {
        let mut keys = self.keys();
        keys.rotations += 1;
        keys.rsa = RsaKey::generate(&format!("rsa-{}", keys.rotations));
    }

    /// Takes it down: connections are closed as soon as they are made. Tokens can still be had here.
    pub fn stop(&self) {
        self.shared.latch.close();
    }

    /// Brings it back after [`stop`](Self::stop).
    pub fn resume(&self) {
        self.shared.latch.open();
    }

    /// Answers discovery with `answer` from now on, or truthfully again.
    pub fn script_discovery(&self, answer: Option<Answer>) {
        self.scripted().discovery = answer;
    }

    /// Answers requests for keys with `answer` from now on, or truthfully again.
    pub fn script_jwks(&self, answer: Option<Answer>) {
        self.scripted().jwks = answer;
    }

    /// Returns what it says of itself.
    pub fn discovery(&self) -> Value {
        self.shared.discovery()
    }

    /// Returns the keys it publishes.
    pub fn jwks(&self) -> Value {
        self.shared.jwks()
    }

    /// Returns how many times discovery was asked for.
    pub fn discoveries(&self) -> usize {
        self.shared.discoveries.load(Ordering::SeqCst)
    }

    /// Returns how many times its keys were asked for.
    pub fn fetches(&self) -> usize {
        self.shared.fetches.load(Ordering::SeqCst)
    }

    fn claims(&self, over: &Value) -> Value {
        let now = now();
        let mut claims = json!({
            "aud": AUDIENCE,
            "email": "ada@example.com",
            "exp": now + LIFETIME.as_secs(),
            "iat": now,
            "iss": self.url,
            "sub": SUBJECT,
        });
        for (name, value) in over.as_object().into_iter().flatten() {
            match claims.as_object_mut() {
                Some(claims) if value.is_null() => drop(claims.remove(name)),
                _ => claims[name] = value.clone(),
            }
        }
        claims
    }

    fn keys(&self) -> MutexGuard<'_, Keys> {
        locked(&self.shared.keys)
    }

    fn scripted(&self) -> MutexGuard<'_, Scripted> {
        locked(&self.shared.scripted)
    }
}

impl Drop for Issuer {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Shared {
    fn discovery(&self) -> Value {
        json!({ "issuer": self.url, "jwks_uri": format!("{}{JWKS}", self.url) })
    }

    fn jwks(&self) -> Value {
        let keys = locked(&self.keys);
        json!({ "keys": [keys.rsa.jwk(), keys.ec.jwk()] })
    }
}

async fn answer(State(shared): State<Arc<Shared>>, uri: Uri) -> Response {
    let scripted = match uri.path() {
        DISCOVERY => {
            shared.discoveries.fetch_add(1, Ordering::SeqCst);
            let scripted = locked(&shared.scripted).discovery.clone();
            scripted.unwrap_or_else(|| Answer::Document(shared.discovery()))
        }
        JWKS => {
            shared.fetches.fetch_add(1, Ordering::SeqCst);
            let scripted = locked(&shared.scripted).jwks.clone();
            scripted.unwrap_or_else(|| Answer::Document(shared.jwks()))
        }
        _ => Answer::Status(404),
    };
    // No connection outlives its answer, so that `stop` need not look for any.
    ([(header::CONNECTION, "close")], scripted.given().await).into_response()
}

impl Answer {
    async fn given(self) -> Response {
        match self {
            Self::Document(document) => Json(document).into_response(),
            Self::Text(text) => text.into_response(),
            Self::Status(status) => StatusCode::from_u16(status)
                .expect("a status of a test")
                .into_response(),
            Self::Redirect(to) => (StatusCode::FOUND, [(header::LOCATION, to)]).into_response(),
            Self::Silence => std::future::pending().await,
        }
    }
}

/// Puts a token together: RFC 7515, section 7.1.
fn jws(header: &Value, claims: &Value, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> String {
    let part = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(header), part(claims));
    let signature = BASE64_URL_SAFE_NO_PAD.encode(sign(signed.as_bytes()));
    format!("{signed}.{signature}")
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap_or_default().as_secs()
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
