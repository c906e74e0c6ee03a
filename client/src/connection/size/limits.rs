//! How large a payload may be, as the server says.

use std::{
    sync::{PoisonError, RwLock},
    time::Duration,
};

use http::HeaderMap;
use prost::Message;
use temporalio_client::callback_based::{GrpcRequest, GrpcSuccessResponse};
use temporalio_common::protos::temporal::api::{
    namespace::v1::namespace_info,
    workflowservice::v1::{DescribeNamespaceRequest, DescribeNamespaceResponse},
};
use tokio::{
    sync::Mutex,
    time::{Instant, timeout},
};
use tonic::Status;

use super::measure::{Kind, Part};

/// The server's defaults, in bytes (`limit.blobSize.error` and `limit.memoSize.error` in
/// `common/dynamicconfig/constants.go` of Temporal Server). Temporal Cloud has the same.
const DEFAULT: Known = Known {
    payload: 2 * 1024 * 1024,
    memo: 2 * 1024 * 1024,
};

/// Header that names the namespace, which the SDK sends with every request.
const NAMESPACE: &str = "temporal-namespace";

/// How long the server has to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// What the server says counts for this long: an operator who raises a limit should not have to wait
/// for the effect, nor to restart anything.
const FRESH: Duration = Duration::from_secs(60);

/// A server that does not say is left alone for this long.
const PAUSE: Duration = Duration::from_secs(10);

/// The limits of one namespace: the server's defaults until it has been asked.
#[derive(Default)]
pub(super) struct Limits {
    learned: RwLock<Learned>,
    /// Held by whoever asks: others wait for the answer.
    asking: Mutex<()>,
    stores: bool,
}

#[derive(Clone, Copy, Default)]
struct Learned {
    known: Known,
    /// When to ask again; at once if the server was never asked.
    until: Option<Instant>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Known {
    payload: usize,
    memo: usize,
}

impl Default for Known {
    fn default() -> Self {
        DEFAULT
    }
}

impl Limits {
    /// Says whether single payloads are stored elsewhere if they are large, so that only a reference counts.
    pub(super) fn storing(self, stores: bool) -> Self {
        Self { stores, ..self }
    }

    pub(super) fn stores(&self) -> bool {
        self.stores
    }

    /// Asks, by `ask`, for the limits of the namespace that `request` is for, unless that was done a
    /// moment ago.
    pub(super) async fn learn<F>(&self, request: &GrpcRequest, ask: impl FnOnce(GrpcRequest) -> F)
    where
        F: Future<Output = Result<GrpcSuccessResponse, Status>>,
    {
        if self.is_fresh() {
            return;
        }
        let _asking = self.asking.lock().await;
        if self.is_fresh() {
            return;
        }
        let Some(question) = question(request) else {
            return;
        };
        let learned = match timeout(PATIENCE, ask(question)).await {
            Ok(Ok(answer)) => (known(&answer.proto), FRESH),
            _ => (self.known(), PAUSE),
        };
        self.keep(learned);
    }

    fn keep(&self, (known, lasting): (Known, Duration)) {
        let mut learned = self.learned.write().unwrap_or_else(PoisonError::into_inner);
        *learned = Learned {
            known,
            until: Some(Instant::now() + lasting),
        };
    }

    /// Returns how large `part` may be, in bytes.
    pub(super) fn of(&self, part: &Part) -> usize {
        match part.kind {
            Kind::Payload => self.known().payload,
            Kind::Memo => self.known().memo,
            Kind::Unlimited => usize::MAX,
        }
    }

    fn known(&self) -> Known {
        self.learned().known
    }

    fn is_fresh(&self) -> bool {
        let until = self.learned().until;
        until.is_some_and(|until| Instant::now() < until)
    }

    fn learned(&self) -> Learned {
        *self.learned.read().unwrap_or_else(PoisonError::into_inner)
    }
}

fn question(request: &GrpcRequest) -> Option<GrpcRequest> {
    let namespace = request.headers.get(NAMESPACE)?.to_str().ok()?;
    let question = DescribeNamespaceRequest {
        namespace: namespace.to_owned(),
        ..DescribeNamespaceRequest::default()
    };
    Some(GrpcRequest {
        service: request.service.clone(),
        rpc: "DescribeNamespace".to_owned(),
        headers: HeaderMap::clone(&request.headers),
        proto: question.encode_to_vec().into(),
    })
}

/// An old server does not say, and has the defaults.
fn known(answer: &[u8]) -> Known {
    let described = DescribeNamespaceResponse::decode(answer).unwrap_or_default();
    let limits = described.namespace_info.and_then(|info| info.limits);
    let namespace_info::Limits {
        blob_size_limit_error: payload,
        memo_size_limit_error: memo,
        ..
    } = limits.unwrap_or_default();
    Known {
        payload: positive(payload).unwrap_or(DEFAULT.payload),
        memo: positive(memo).unwrap_or(DEFAULT.memo),
    }
}

fn positive(bytes: i64) -> Option<usize> {
    usize::try_from(bytes).ok().filter(|bytes| *bytes > 0)
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;
    use prost::Message;
    use temporalio_client::callback_based::{GrpcRequest, GrpcSuccessResponse};
    use temporalio_common::protos::temporal::api::{
        namespace::v1::{NamespaceInfo, namespace_info},
        workflowservice::v1::{DescribeNamespaceRequest, DescribeNamespaceResponse},
    };
    use tokio::time::{advance, sleep};
    use tonic::Status;

    use super::{FRESH, Kind, Limits, NAMESPACE, PATIENCE, PAUSE, Part};

    fn request() -> GrpcRequest {
        GrpcRequest {
            service: "temporal.api.workflowservice.v1.WorkflowService".to_owned(),
            rpc: "StartWorkflowExecution".to_owned(),
            headers: [(NAMESPACE.parse().unwrap(), "shop".parse().unwrap())]
                .into_iter()
                .collect(),
            proto: Vec::new().into(),
        }
    }

    fn answer(payload: i64, memo: i64) -> GrpcSuccessResponse {
        let limits = namespace_info::Limits {
            blob_size_limit_error: payload,
            memo_size_limit_error: memo,
            ..namespace_info::Limits::default()
        };
        let info = NamespaceInfo {
            limits: Some(limits),
            ..NamespaceInfo::default()
        };
        let described = DescribeNamespaceResponse {
            namespace_info: Some(info),
            ..DescribeNamespaceResponse::default()
        };
        GrpcSuccessResponse {
            headers: HeaderMap::new(),
            proto: described.encode_to_vec(),
        }
    }

    fn of(limits: &Limits, kind: Kind) -> usize {
        limits.of(&Part {
            field: String::new(),
            bytes: 0,
            kind,
        })
    }

    async fn is_told(limits: &Limits, payload: i64, memo: i64) {
        let told = async |_| Ok(answer(payload, memo));
        limits.learn(&request(), told).await;
    }

    async fn silent(_: GrpcRequest) -> Result<GrpcSuccessResponse, Status> {
        Err(Status::unavailable("gone"))
    }

    async fn is_not_asked(limits: &Limits) {
        let asked = async |_| panic!("the server was asked a moment ago");
        limits.learn(&request(), asked).await;
    }

    #[tokio::test(start_paused = true)]
    async fn the_server_says_what_it_takes_and_is_asked_again_after_a_minute() {
        let limits = Limits::default();
        assert_eq!(of(&limits, Kind::Payload), 2_097_152);

        let ask = async |question: GrpcRequest| {
            let asked = DescribeNamespaceRequest::decode(question.proto).unwrap();
            assert_eq!(
                (question.rpc.as_str(), asked.namespace.as_str()),
                ("DescribeNamespace", "shop")
            );
            Ok(answer(8_000_000, 0))
        };
        limits.learn(&request(), ask).await;
        is_not_asked(&limits).await;
        assert_eq!(of(&limits, Kind::Payload), 8_000_000);
        assert_eq!(of(&limits, Kind::Memo), 2_097_152, "0 means: not said");
        assert_eq!(of(&limits, Kind::Unlimited), usize::MAX);

        advance(FRESH).await;
        is_told(&limits, 9_000_000, 20).await;
        assert_eq!(of(&limits, Kind::Payload), 9_000_000);
        assert_eq!(of(&limits, Kind::Memo), 20);
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_does_not_say_is_asked_again_and_what_is_known_stays() {
        let limits = Limits::default();
        limits.learn(&request(), silent).await;
        is_not_asked(&limits).await;
        assert_eq!(of(&limits, Kind::Memo), 2_097_152);
        advance(PAUSE).await;
        is_told(&limits, 10, 20).await;
        advance(FRESH).await;
        limits.learn(&request(), silent).await;

        assert_eq!(of(&limits, Kind::Memo), 20);
    }

    #[tokio::test(start_paused = true)]
    async fn of_several_at_once_one_asks_and_all_hear() {
        let limits = Limits::default();
        let slowly = async |_| {
            sleep(PATIENCE / 2).await;
            Ok(answer(10, 20))
        };

        let request = request();
        tokio::join!(limits.learn(&request, slowly), is_not_asked(&limits));

        assert_eq!(of(&limits, Kind::Payload), 10);
    }
}
