//! How large a payload may be, as the server says.

use std::{sync::OnceLock, time::Duration};

use http::HeaderMap;
use prost::Message;
use temporalio_client::callback_based::{GrpcRequest, GrpcSuccessResponse};
use temporalio_common::protos::temporal::api::{
    namespace::v1::namespace_info,
    workflowservice::v1::{DescribeNamespaceRequest, DescribeNamespaceResponse},
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

/// A server that takes longer is taken to have the default limits, until the next large payload.
const PATIENCE: Duration = Duration::from_secs(5);

/// The limits of one namespace: the server's defaults until it has been asked.
#[derive(Default)]
pub(super) struct Limits {
    known: OnceLock<Known>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Known {
    payload: usize,
    memo: usize,
}

impl Limits {
    /// Asks for the limits of the namespace that `request` is for, unless they are known.
    pub(super) async fn learn<F>(&self, request: &GrpcRequest, ask: impl FnOnce(GrpcRequest) -> F)
    where
        F: Future<Output = Result<GrpcSuccessResponse, Status>>,
    {
        if self.known.get().is_some() {
            return;
        }
        let Some(question) = question(request) else {
            return;
        };
        if let Ok(Ok(answer)) = tokio::time::timeout(PATIENCE, ask(question)).await {
            // Two who ask at once hear the same.
            let _ = self.known.set(known(&answer.proto));
        }
    }

    /// Returns how large `part` may be, in bytes.
    pub(super) fn of(&self, part: &Part) -> usize {
        match part.kind {
            Kind::Payload => self.of_payloads(),
            Kind::Memo => self.known().memo,
        }
    }

    /// Returns how large payloads may be, in bytes.
    pub(super) fn of_payloads(&self) -> usize {
        self.known().payload
    }

    fn known(&self) -> &Known {
        self.known.get().unwrap_or(&DEFAULT)
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
    use tonic::Status;

    use super::{Kind, Limits, NAMESPACE, Part};

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

    #[tokio::test]
    async fn the_server_says_once_what_it_takes() {
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
        let again = async |_| panic!("the limits are known");
        limits.learn(&request(), again).await;

        assert_eq!(of(&limits, Kind::Payload), 8_000_000);
        assert_eq!(of(&limits, Kind::Memo), 2_097_152, "0 means: not said");
    }

    #[tokio::test]
    async fn a_server_that_does_not_say_is_asked_again() {
        let limits = Limits::default();

        let silent = async |_| Err(Status::unavailable("gone"));
        limits.learn(&request(), silent).await;
        assert_eq!(of(&limits, Kind::Memo), 2_097_152);
        limits.learn(&request(), async |_| Ok(answer(10, 20))).await;

        assert_eq!(of(&limits, Kind::Memo), 20);
    }
}
