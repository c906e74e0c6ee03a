use http::HeaderMap;
use prost::{Message as _, Name};
use temporalio_client::callback_based::{GrpcRequest, GrpcSuccessResponse};
use temporalio_common::protos::{
    temporal::api::{
        common::v1::{Payload, Payloads},
        namespace::v1::{NamespaceInfo, namespace_info},
        protocol::v1::Message,
        update::v1::{Input, Request},
        workflowservice::v1::{
            DescribeNamespaceResponse, PollWorkflowTaskQueueResponse,
            RespondActivityTaskCompletedRequest,
        },
    },
    utilities::pack_any,
};
use tonic::{Code, Status};

use super::{REFUSAL, Sizes};

fn request(rpc: &str, message: &impl prost::Message) -> GrpcRequest {
    GrpcRequest {
        service: "temporal.api.workflowservice.v1.WorkflowService".to_owned(),
        rpc: rpc.to_owned(),
        headers: [(
            "temporal-namespace".parse().unwrap(),
            "shop".parse().unwrap(),
        )]
        .into_iter()
        .collect(),
        proto: message.encode_to_vec().into(),
    }
}

fn answer(message: &impl prost::Message) -> GrpcSuccessResponse {
    GrpcSuccessResponse {
        headers: HeaderMap::new(),
        proto: message.encode_to_vec(),
    }
}

fn payloads(bytes: usize) -> Payloads {
    Payloads {
        payloads: vec![Payload {
            data: vec![b'x'; bytes],
            ..Payload::default()
        }],
    }
}

fn result(bytes: usize) -> GrpcRequest {
    let completed = RespondActivityTaskCompletedRequest {
        result: Some(payloads(bytes)),
        ..RespondActivityTaskCompletedRequest::default()
    };
    request("RespondActivityTaskCompleted", &completed)
}

fn described(payload: i64) -> GrpcSuccessResponse {
    let limits = namespace_info::Limits {
        blob_size_limit_error: payload,
        ..namespace_info::Limits::default()
    };
    let info = NamespaceInfo {
        limits: Some(limits),
        ..NamespaceInfo::default()
    };
    answer(&DescribeNamespaceResponse {
        namespace_info: Some(info),
        ..DescribeNamespaceResponse::default()
    })
}

/// A task with an update of so many bytes, or what is left of it in a namespace with that limit.
async fn received(bytes: usize, limit: i64) -> (GrpcSuccessResponse, GrpcSuccessResponse) {
    let update = Request {
        input: Some(Input {
            args: Some(payloads(bytes)),
            ..Input::default()
        }),
        ..Request::default()
    };
    let url = format!("type.googleapis.com/{}", Request::full_name());
    let task = answer(&PollWorkflowTaskQueueResponse {
        messages: vec![Message {
            body: Some(pack_any(url, &update).unwrap()),
            ..Message::default()
        }],
        ..PollWorkflowTaskQueueResponse::default()
    });
    let mut left = answer(&PollWorkflowTaskQueueResponse::default());
    left.proto.clone_from(&task.proto);
    let poll = request(
        "PollWorkflowTaskQueue",
        &PollWorkflowTaskQueueResponse::default(),
    );
    let sizes = Sizes::new(None);
    sizes
        .receive(&poll, &mut left, async |_| Ok(described(limit)))
        .await;
    (task, left)
}

#[tokio::test]
async fn before_a_worker_refuses_an_update_it_asks_what_the_namespace_takes() {
    let (task, left) = received(3_000_000, 8_000_000).await;
    assert_eq!(left.proto, task.proto, "the namespace takes it");

    let (_, left) = received(150_000, 100_000).await;
    let left = PollWorkflowTaskQueueResponse::decode(&*left.proto).unwrap();
    assert_eq!(left.messages, [], "it does not take that much");
}

#[tokio::test]
async fn small_limits_are_asked_for_too() {
    let sizes = Sizes::new(None);

    let asking = async |_| Ok(described(100_000));
    let too_large = sizes.check(&result(150_000), asking).await;

    let text = too_large.unwrap().to_string();
    assert!(
        text.contains("the limit of the namespace is 100000"),
        "{text}"
    );
}

#[tokio::test]
async fn what_a_client_reports_of_an_activity_is_refused_to_it() {
    let sizes = Sizes::new(None);
    let request = result(3_000_000);
    let silent = async |_| Err(Status::unavailable("gone"));
    let too_large = sizes.check(&request, silent).await.unwrap();

    let of_worker = sizes.instead(&request, too_large.clone(), true);
    let of_client = sizes.instead(&request, too_large, false);

    assert!(of_worker.is_ok_and(|it| it.rpc == "RespondActivityTaskFailed"));
    let told = of_client.err().unwrap();
    assert_eq!(told.code(), Code::InvalidArgument);
    assert!(told.message().starts_with(REFUSAL), "{told}");
}

#[test]
fn what_was_sent_instead_is_given_up_only_for_less() {
    let sizes = Sizes::new(None);
    let (more, less) = (result(200_000), result(100_000));
    let refusal = Status::resource_exhausted("grpc: received message larger than max");
    let busy = Status::resource_exhausted("busy");

    assert!(sizes.refused_again(&more, &less, &refusal).is_some());
    assert!(sizes.refused_again(&more, &less, &busy).is_none());
    assert!(sizes.refused_again(&less, &less, &refusal).is_none());
}
