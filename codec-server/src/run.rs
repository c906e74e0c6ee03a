//! The life of a codec server: listen, load keys, ready, drain.

use std::{io, net::SocketAddr};

use sealane_service::{
    auth::Authenticator,
    encryption::{self, EncryptionError, Keys},
    http::Server,
    probes::{self, Health, Metrics},
    settings::{EncryptionMode, Settings},
};
use tokio::{sync::watch, task::JoinHandle};

use crate::{CodecCell, CodecServerError, router};

/// Runs a codec server with everything around it until `shutdown` completes and the last requests are
/// answered. Logging is the caller's.
///
/// # Errors
///
/// As the variants of [`CodecServerError`] say.
pub async fn run(
    settings: Settings,
    shutdown: impl Future<Output = ()>,
) -> Result<(), CodecServerError> {
    if settings.encryption.mode == EncryptionMode::Off {
        return Err(CodecServerError::NothingToDecrypt);
    }
    let codec = CodecCell::default();
    let health = Health::new();
    health.require(KEY_RING);
    let metrics = Metrics::new();
    let mut door = Door::open(&settings, codec.clone(), &health, &metrics).await?;
    let outcome = tokio::select! {
        outcome = serve(&settings, &codec, &health, &metrics) => outcome,
        ended = &mut door.serving => return Err(CodecServerError::Serving(failure(ended))),
        () = shutdown => Ok(()),
    };
    health.readiness().drain();
    tracing::info!("draining");
    door.close().await;
    outcome
}

/// The condition of readiness that the keys decide.
const KEY_RING: &str = "key_ring";

/// Loads the keys; then there is nothing more to do than to answer.
async fn serve(
    settings: &Settings,
    codec: &CodecCell,
    health: &Health,
    metrics: &Metrics,
) -> Result<(), CodecServerError> {
    let keys = load(settings, health).await?;
    keys.expose(health, metrics);
    codec.fill(keys.codec());
    health.readiness().ready();
    tracing::info!(
        codec.namespaces = ?settings.codec_server.namespaces,
        "payloads are encrypted and decrypted"
    );
    std::future::pending().await
}

async fn load(settings: &Settings, health: &Health) -> Result<Keys, CodecServerError> {
    let waiting = |why: String| health.set(KEY_RING, Err(why));
    let keys = encryption::keys_telling(&settings.encryption, &waiting).await?;
    Ok(keys.ok_or(EncryptionError::NoKey)?)
}

/// What listens.
struct Door {
    stop: watch::Sender<bool>,
    serving: JoinHandle<io::Result<()>>,
}

impl Door {
    /// Listens before there are keys, so that a server which waits for them can say so.
    async fn open(
        settings: &Settings,
        codec: CodecCell,
        health: &Health,
        metrics: &Metrics,
    ) -> Result<Self, CodecServerError> {
        let address: SocketAddr = settings.codec_server.addr;
        let authenticator = Authenticator::start(&settings.auth, address, metrics).await?;
        authenticator.expose(health);
        let probes = probes::router(health.clone(), metrics.clone());
        let router = router(settings, authenticator, codec, metrics)?.merge(probes);
        let server = Server::bind(address, router).await;
        let server = server.map_err(|error| error.of_setting("SEALANE_CODEC_ADDR"))?;
        tracing::info!(http.address = %server.address(), "codec server, probes and metrics are served");
        let (stop, mut stopped) = watch::channel(false);
        let serving = tokio::spawn(server.serve(async move {
            stopped.changed().await.ok();
        }));
        Ok(Self { stop, serving })
    }

    /// Takes no more requests, and waits for the answers of those that are here.
    async fn close(self) {
        self.stop.send(true).ok();
        self.serving.await.ok();
    }
}

fn failure(ended: Result<io::Result<()>, tokio::task::JoinError>) -> Option<io::Error> {
    match ended {
        Ok(Ok(())) => None,
        Ok(Err(error)) => Some(error),
        Err(error) => Some(io::Error::other(error)),
    }
}
