//! The life of the API: listen, load keys, connect, be ready, drain.

use std::{convert::Infallible, io, sync::Arc, time::Duration};

use sealane_service::{
    auth::Authenticator,
    encryption,
    http::{Edge, Server},
    probes::{self, Health, Metrics},
    settings::Settings,
    telemetry::traces,
};
use temporalio_client::{Client, NamespacedClient, RetryOptions, grpc::WorkflowService};
use temporalio_common::protos::temporal::api::workflowservice::v1::DescribeNamespaceRequest;
use tokio::{sync::watch, task::JoinHandle};
use tonic::IntoRequest;

use super::{
    ApiError, Options, PROCESS, routes,
    state::{Api, promptly},
};
use crate::{
    call::CallError,
    connection::{self, Extras},
    workflow::Workflows,
};

/// Conditions of `/readyz`.
const KEYS: &str = "key_ring";
const NAMESPACE: &str = "namespace";

/// How often the server is asked for the namespace. Readiness is at most so late.
const CHECK_EVERY: Duration = Duration::from_secs(5);

/// How often a server is asked that did not answer. Until it does, callers are told so at once.
const CHECK_AGAIN: Duration = Duration::from_secs(1);

/// How often a request is sent: enough for a connection that has just been closed. The SDK's ten times take longer than
/// callers wait, and they can repeat it themselves.
const ATTEMPTS: usize = 3;

/// Runs the API until `shutdown` completes and the requests in progress are answered.
///
/// Logging is the caller's. Probes and metrics are on the same port, from the beginning.
///
/// # Errors
///
/// As the variants of [`ApiError`] say.
pub async fn run(
    settings: Settings,
    options: Options,
    shutdown: impl Future<Output = ()>,
) -> Result<(), ApiError> {
    let (service, mut serving) = Service::start(&settings, options).await?;
    let outcome = tokio::select! {
        never = service.work(&settings) => never.map(|never| match never {}),
        ended = &mut serving => return Err(ApiError::Serve(why_ended(ended))),
        () = shutdown => Ok(()),
    };
    service.drain();
    serving.await.ok();
    tracing::info!("drained");
    outcome
}

/// What answers requests.
struct Service {
    api: Api,
    health: Health,
    metrics: Metrics,
    stop_serving: watch::Sender<bool>,
}

type Serving = JoinHandle<io::Result<()>>;

impl Service {
    /// Listens first, so that a process that cannot connect says why.
    async fn start(settings: &Settings, options: Options) -> Result<(Self, Serving), ApiError> {
        let (health, metrics) = (Health::new(), Metrics::new());
        for condition in [KEYS, NAMESPACE] {
            health.require(condition);
        }
        let authenticator =
            Authenticator::start(&settings.auth, settings.http_addr, &metrics).await?;
        authenticator.expose(&health);
        traces::expose(&metrics);
        let api = Api::new(settings, authenticator);
        let edge = Edge::new(&settings.http, &metrics, PROCESS);
        let router = routes::router(&api, options.start_page, &edge)
            .merge(probes::router(health.clone(), metrics.clone()));
        let server = Server::bind(settings.http_addr, router).await?;
        tracing::info!(http.address = %server.address(), "API, probes and metrics are served");
        let (stop_serving, mut stopped) = watch::channel(false);
        let serving = tokio::spawn(server.serve(async move {
            stopped.changed().await.ok();
        }));
        let service = Self {
            api,
            health,
            metrics,
            stop_serving,
        };
        Ok((service, serving))
    }

    async fn work(&self, settings: &Settings) -> Result<Infallible, ApiError> {
        let client = self.connect(settings).await?;
        tracing::info!("connected, requests are answered");
        Ok(self.follow(&client).await)
    }

    async fn connect(&self, settings: &Settings) -> Result<Client, ApiError> {
        let waiting = |why: String| self.health.set(KEYS, Err(why));
        let keys = encryption::keys_telling(&settings.encryption, &waiting).await?;
        match &keys {
            Some(keys) => keys.expose(&self.health, &self.metrics),
            None => self.health.set(KEYS, Ok(())),
        }
        let health = self.health.clone();
        let extras = Extras {
            identity: connection::identity(PROCESS),
            retries: RetryOptions::builder().max_retries(ATTEMPTS).build(),
            exposed: Some(self.metrics.clone()),
            waiting: Some(Arc::new(move |why| health.set(NAMESPACE, Err(why)))),
            ..Extras::default()
        };
        let codec = keys.map(|keys| keys.codec());
        let client = connection::connect(&settings.temporal, codec.clone(), extras).await?;
        self.api.connected(Workflows::new(client.clone(), codec));
        Ok(client)
    }

    /// Keeps readiness in step with the server.
    async fn follow(&self, client: &Client) -> Infallible {
        loop {
            let checked = promptly(describe_namespace(client)).await;
            let is_reached = !matches!(checked, Err(CallError::Unreachable { .. }));
            self.api.reached(is_reached);
            match checked {
                Ok(()) => {
                    self.health.set(NAMESPACE, Ok(()));
                    self.health.readiness().ready();
                }
                Err(error) => self.health.set(NAMESPACE, Err(error.to_string())),
            }
            let pause = if is_reached { CHECK_EVERY } else { CHECK_AGAIN };
            tokio::time::sleep(pause).await;
        }
    }

    /// Whoever waits for a workflow is told at once that it is running still.
    fn drain(&self) {
        self.health.readiness().drain();
        tracing::info!("draining");
        self.api.drain();
        self.stop_serving.send_replace(true);
    }
}

async fn describe_namespace(client: &Client) -> Result<(), CallError> {
    let request = DescribeNamespaceRequest {
        namespace: client.namespace(),
        ..DescribeNamespaceRequest::default()
    };
    let answer = client
        .clone()
        .describe_namespace(request.into_request())
        .await;
    answer.map(drop).map_err(CallError::from)
}

fn why_ended(ended: Result<io::Result<()>, tokio::task::JoinError>) -> io::Error {
    match ended {
        Ok(Err(error)) => error,
        Ok(Ok(())) => io::Error::other("the listener was closed"),
        Err(panic) => io::Error::other(panic),
    }
}
