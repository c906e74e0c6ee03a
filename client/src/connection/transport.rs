//! The gRPC channel below the SDK's client.
//!
//! The SDK hands over each request as bytes; it goes out unchanged, or sealed by [`Egress`].

use std::{error::Error, sync::Arc, time::Duration};

use http::uri::Uri;
use temporalio_client::callback_based::{
    CallbackBasedGrpcService, GrpcRequest, GrpcSuccessResponse,
};
use tonic::{
    Code, Status,
    transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity},
};

use sealane_service::settings::{GrpcCompression, Temporal, Tls};

use super::{
    egress::Egress,
    polls::{PollState, Polls},
    size::Sizes,
    trace::Call,
    wire::Wire,
    work::Work,
};

/// A server that accepts no connection in this time is reported as unreachable.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Notices a dead connection behind a load balancer; the SDK's own defaults.
const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(30);
const KEEP_ALIVE_TIMEOUT: Duration = Duration::from_secs(15);

/// Connects to the server that `settings` name.
///
/// # Errors
///
/// Whatever keeps the first connection from being made: name resolution, TCP, TLS.
pub(super) async fn connect(settings: &Temporal) -> Result<Channel, tonic::transport::Error> {
    endpoint(settings)?.connect().await
}

fn endpoint(settings: &Temporal) -> Result<Endpoint, tonic::transport::Error> {
    let scheme = if settings.tls.is_some() {
        "https"
    } else {
        "http"
    };
    let endpoint = Endpoint::from_shared(format!("{scheme}://{}", settings.address))?
        .connect_timeout(CONNECT_TIMEOUT)
        .tcp_nodelay(true)
        .keep_alive_while_idle(true)
        .http2_keep_alive_interval(KEEP_ALIVE_INTERVAL)
        .keep_alive_timeout(KEEP_ALIVE_TIMEOUT);
    let Some(tls) = &settings.tls else {
        return Ok(endpoint);
    };
    let endpoint = endpoint.tls_config(tls_config(tls))?;
    // Behind a private link or a proxy, the name is also what requests are routed by.
    match tls
        .server_name
        .as_ref()
        .map(|name| Uri::try_from(format!("https://{name}")))
    {
        Some(Ok(origin)) => Ok(endpoint.origin(origin)),
        _ => Ok(endpoint),
    }
}

fn tls_config(tls: &Tls) -> ClientTlsConfig {
    let config = ClientTlsConfig::new();
    let config = match &tls.server_ca {
        Some(ca) => config.ca_certificate(Certificate::from_pem(ca)),
        None => config.with_native_roots(),
    };
    let config = match &tls.server_name {
        Some(name) => config.domain_name(name),
        None => config,
    };
    match (&tls.client_cert, &tls.client_key) {
        (Some(cert), Some(key)) => config.identity(Identity::from_pem(cert, key.expose())),
        _ => config,
    }
}

/// Returns the service through which the SDK sends every request.
pub(super) fn service(
    channel: Channel,
    compression: GrpcCompression,
    egress: Option<Egress>,
    polls: Polls,
    work: Option<Work>,
    sizes: Sizes,
) -> CallbackBasedGrpcService {
    let large = egress.as_ref().and_then(|it| it.codec().large_payloads());
    let sizes = sizes.storing(large.is_some_and(|it| it.options().stores));
    let route = Arc::new(Route {
        wire: Wire::new(channel, compression),
        egress,
        polls,
        work,
        sizes,
    });
    CallbackBasedGrpcService {
        callback: Arc::new(move |request| {
            let route = Arc::clone(&route);
            Box::pin(async move { route.send(request).await })
        }),
    }
}

/// Where a request goes, and what happens to it on the way.
struct Route {
    wire: Wire,
    egress: Option<Egress>,
    polls: Polls,
    work: Option<Work>,
    sizes: Sizes,
}

impl Route {
    async fn send(&self, mut request: GrpcRequest) -> Result<GrpcSuccessResponse, Status> {
        let rpc = request.rpc.clone();
        let codec = self.egress.as_ref().map(Egress::codec);
        let call = Call::begin(&rpc, &request.proto, codec).map(|(call, traced)| {
            request.proto = traced;
            call
        });
        let answer = self.polls.observe(&rpc, self.observed(request)).await;
        if let Some(call) = call {
            call.end(&answer);
        }
        answer.map_err(retryable)
    }

    async fn observed(&self, request: GrpcRequest) -> Result<GrpcSuccessResponse, Status> {
        let Some(work) = &self.work else {
            return self.forward(request).await;
        };
        let (rpc, sent) = (request.rpc.clone(), request.proto.clone());
        // Two of these futures in one would be large.
        work.observe(&rpc, &sent, Box::pin(self.forward(request)))
            .await
    }

    async fn forward(&self, request: GrpcRequest) -> Result<GrpcSuccessResponse, Status> {
        let request = self.sealed(self.sizes.refuse(request)).await?;
        if Sizes::concern(&request.proto) {
            Box::pin(self.forward_large(request)).await
        } else {
            self.deliver(request).await
        }
    }

    /// Sends `request`, or what is to be sent instead, or instead of that.
    async fn forward_large(&self, mut request: GrpcRequest) -> Result<GrpcSuccessResponse, Status> {
        let ask = |question| self.wire.exchange(question);
        let mut too_large = match self.sizes.check(&request, ask).await {
            Some(too_large) => too_large,
            None => match self.deliver(same(&request)).await {
                Ok(answer) => return Ok(answer),
                Err(status) => self.sizes.refused(&request, &status).ok_or(status)?,
            },
        };
        loop {
            let has_worker = self.has_worker();
            let instead = self.sizes.instead(&request, too_large, has_worker)?;
            let sealed = self.sealed(instead.request(same(&request))).await?;
            match self.deliver(same(&sealed)).await {
                Ok(answer) => return instead.told(answer),
                Err(status) => {
                    let refused = self.sizes.refused_again(&request, &sealed, &status);
                    too_large = refused.ok_or(status)?;
                }
            }
            request = sealed;
        }
    }

    /// Whether a worker has polled through this connection.
    fn has_worker(&self) -> bool {
        *self.polls.subscribe().borrow() != PollState::NotStarted
    }

    /// Sends `request`, and takes out of the answer what nobody could answer.
    async fn deliver(&self, request: GrpcRequest) -> Result<GrpcSuccessResponse, Status> {
        let asked = Sizes::may_bring_task(&request.rpc).then(|| same(&request));
        let mut answer = self.wire.exchange(request).await?;
        let Some(asked) = asked else {
            return Ok(answer);
        };
        self.sizes.answered(&asked);
        if Sizes::concern(&answer.proto) {
            let ask = |question| self.wire.exchange(question);
            let received = self.sizes.receive(&asked, &mut answer, ask);
            Box::pin(received).await;
        }
        Ok(answer)
    }

    async fn sealed(&self, request: GrpcRequest) -> Result<GrpcRequest, Status> {
        let proto = match &self.egress {
            Some(egress) => egress.seal(&request.rpc, request.proto).await?,
            None => request.proto,
        };
        Ok(GrpcRequest { proto, ..request })
    }
}

/// A request once more; its bytes are shared.
fn same(request: &GrpcRequest) -> GrpcRequest {
    GrpcRequest {
        service: request.service.clone(),
        rpc: request.rpc.clone(),
        headers: request.headers.clone(),
        proto: request.proto.clone(),
    }
}

/// The SDK repeats a request whose connection broke under it, which it tells by the cause of a
/// `Cancelled` status. The cause does not survive the way through the SDK's interface, so the status
/// has to say it.
fn retryable(status: Status) -> Status {
    let mut cause = status.source();
    while let Some(error) = cause {
        if status.code() == Code::Cancelled && error.is::<hyper::Error>() {
            return Status::unavailable(status.message());
        }
        cause = error.source();
    }
    status
}
