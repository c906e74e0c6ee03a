//! Activities whose result, heartbeat, failure or cancellation is too large: they fail, for good.

use bytes::Bytes;
use prost::{DecodeError, Message};
use temporalio_common::protos::temporal::api::{
    enums::v1::ActivityTaskFailedCause,
    failure::v1::{ApplicationFailureInfo, Failure, failure::FailureInfo},
    workflowservice::v1::{
        RecordActivityTaskHeartbeatRequest, RecordActivityTaskHeartbeatResponse,
        RespondActivityTaskCanceledRequest, RespondActivityTaskCompletedRequest,
        RespondActivityTaskFailedRequest,
    },
};

use super::{Instead, Then, TooLarge, encoded, failure};

/// Returns the failure to send instead of the request of `rpc`.
pub(super) fn fail(rpc: &str, proto: &Bytes, too_large: &TooLarge) -> Result<Instead, DecodeError> {
    let (mut failed, then) = match rpc {
        "RecordActivityTaskHeartbeat" => (of_heartbeat(proto)?, stopping()),
        "RespondActivityTaskCompleted" => (of_result(proto)?, Then::Pass),
        "RespondActivityTaskCanceled" => (of_cancellation(proto)?, Then::Pass),
        _ => (of_failure(proto)?, Then::Pass),
    };
    let cause = failed.failure.take();
    failed.failure = Some(Failure {
        cause: cause.map(Box::new),
        ..failure(too_large)
    });
    failed.cause = ActivityTaskFailedCause::PayloadsTooLarge.into();
    Ok(Instead {
        rpc: "RespondActivityTaskFailed",
        proto: encoded(&failed),
        then,
    })
}

/// The attempt is over for the server, so the code that still runs is asked to end.
fn stopping() -> Then {
    let answer = RecordActivityTaskHeartbeatResponse {
        cancel_requested: true,
        ..RecordActivityTaskHeartbeatResponse::default()
    };
    Then::Answer(answer.encode_to_vec())
}

fn of_heartbeat(proto: &Bytes) -> Result<RespondActivityTaskFailedRequest, DecodeError> {
    let it = RecordActivityTaskHeartbeatRequest::decode(proto.clone())?;
    Ok(RespondActivityTaskFailedRequest {
        task_token: it.task_token,
        identity: it.identity,
        namespace: it.namespace,
        resource_id: it.resource_id,
        ..RespondActivityTaskFailedRequest::default()
    })
}

fn of_result(proto: &Bytes) -> Result<RespondActivityTaskFailedRequest, DecodeError> {
    let it = RespondActivityTaskCompletedRequest::decode(proto.clone())?;
    Ok(RespondActivityTaskFailedRequest {
        task_token: it.task_token,
        identity: it.identity,
        namespace: it.namespace,
        resource_id: it.resource_id,
        deployment_options: it.deployment_options,
        ..RespondActivityTaskFailedRequest::default()
    })
}

fn of_cancellation(proto: &Bytes) -> Result<RespondActivityTaskFailedRequest, DecodeError> {
    let it = RespondActivityTaskCanceledRequest::decode(proto.clone())?;
    Ok(RespondActivityTaskFailedRequest {
        task_token: it.task_token,
        identity: it.identity,
        namespace: it.namespace,
        resource_id: it.resource_id,
        deployment_options: it.deployment_options,
        ..RespondActivityTaskFailedRequest::default()
    })
}

/// Of the failure that is too large, its type remains.
fn of_failure(proto: &Bytes) -> Result<RespondActivityTaskFailedRequest, DecodeError> {
    let it = RespondActivityTaskFailedRequest::decode(proto.clone())?;
    Ok(RespondActivityTaskFailedRequest {
        failure: it.failure.and_then(type_alone),
        last_heartbeat_details: None,
        ..it
    })
}

fn type_alone(failure: Failure) -> Option<Failure> {
    let Some(FailureInfo::ApplicationFailureInfo(info)) = failure.failure_info else {
        return None;
    };
    let info = ApplicationFailureInfo {
        r#type: info.r#type,
        non_retryable: info.non_retryable,
        ..ApplicationFailureInfo::default()
    };
    Some(Failure {
        source: failure.source,
        failure_info: Some(FailureInfo::ApplicationFailureInfo(info)),
        ..Failure::default()
    })
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use prost::Message;
    use temporalio_common::protos::temporal::api::{
        failure::v1::{ApplicationFailureInfo, Failure, failure::FailureInfo},
        workflowservice::v1::{
            RecordActivityTaskHeartbeatRequest, RecordActivityTaskHeartbeatResponse,
            RespondActivityTaskCanceledRequest, RespondActivityTaskCompletedRequest,
            RespondActivityTaskFailedRequest,
        },
    };

    use super::{Then, TooLarge, fail};
    use crate::connection::size::limits::Limits;

    fn failed(rpc: &str, message: &impl Message) -> (RespondActivityTaskFailedRequest, Then) {
        let too_large = TooLarge::of_request(5_000_000, None, &Limits::default());
        let instead = fail(rpc, &Bytes::from(message.encode_to_vec()), &too_large).unwrap();
        assert_eq!(instead.rpc, "RespondActivityTaskFailed");
        let failed = RespondActivityTaskFailedRequest::decode(instead.proto).unwrap();
        (failed, instead.then)
    }

    fn info(failure: &Failure) -> &ApplicationFailureInfo {
        match &failure.failure_info {
            Some(FailureInfo::ApplicationFailureInfo(info)) => info,
            other => panic!("a failure of the application: {other:?}"),
        }
    }

    fn assert_for_good(failed: &RespondActivityTaskFailedRequest) {
        let failure = failed.failure.as_ref().unwrap();
        assert_eq!(failed.task_token, [7]);
        assert_eq!(info(failure).r#type, "PayloadTooLarge");
        assert!(info(failure).non_retryable);
        assert!(failure.message.starts_with("5000000 bytes"), "{failure:?}");
    }

    #[test]
    fn a_result_or_a_cancellation_becomes_a_failure_of_the_same_task() {
        let result = RespondActivityTaskCompletedRequest {
            task_token: vec![7],
            ..Default::default()
        };
        let cancellation = RespondActivityTaskCanceledRequest {
            task_token: vec![7],
            ..Default::default()
        };

        for (failed, then) in [
            failed("RespondActivityTaskCompleted", &result),
            failed("RespondActivityTaskCanceled", &cancellation),
        ] {
            assert_for_good(&failed);
            assert!(matches!(then, Then::Pass));
        }
    }

    #[test]
    fn a_heartbeat_fails_the_activity_and_has_its_code_end() {
        let heartbeat = RecordActivityTaskHeartbeatRequest {
            task_token: vec![7],
            ..Default::default()
        };

        let (failed, then) = failed("RecordActivityTaskHeartbeat", &heartbeat);

        assert_for_good(&failed);
        let Then::Answer(answer) = then else {
            panic!("an answer to the heartbeat");
        };
        let answer = RecordActivityTaskHeartbeatResponse::decode(&*answer).unwrap();
        assert!(answer.cancel_requested);
    }

    #[test]
    fn of_a_failure_that_is_too_large_the_type_remains() {
        let told = ApplicationFailureInfo {
            r#type: "Declined".to_owned(),
            details: Some(Default::default()),
            ..Default::default()
        };
        let failure = RespondActivityTaskFailedRequest {
            task_token: vec![7],
            failure: Some(Failure {
                message: "long".to_owned(),
                failure_info: Some(FailureInfo::ApplicationFailureInfo(told)),
                ..Default::default()
            }),
            last_heartbeat_details: Some(Default::default()),
            ..Default::default()
        };

        let (failed, _) = failed("RespondActivityTaskFailed", &failure);

        assert_for_good(&failed);
        assert_eq!(failed.last_heartbeat_details, None);
        let cause = failed.failure.unwrap().cause.unwrap();
        assert_eq!(info(&cause).r#type, "Declined");
        assert_eq!((info(&cause).details.as_ref(), &*cause.message), (None, ""));
    }
}
