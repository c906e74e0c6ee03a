//! Workflow tasks whose answer is too large.

use bytes::Bytes;
use prost::{DecodeError, Message as _, Name};
use temporalio_common::protos::temporal::api::{
    command::v1::{Command, FailWorkflowExecutionCommandAttributes, command::Attributes},
    enums::v1::{CommandType, QueryResultType, WorkflowTaskFailedCause},
    protocol::v1::Message,
    query::v1::WorkflowQueryResult,
    update::v1::{Acceptance, Outcome, Rejection, Response, outcome},
    workflowservice::v1::{
        RespondQueryTaskCompletedRequest, RespondWorkflowTaskCompletedRequest,
        RespondWorkflowTaskFailedRequest,
    },
};

use super::{
    Instead, Then, TooLarge, encoded, failure,
    limits::Limits,
    measure::{Measured, Part, command, query_answer, update_message},
    received::Received,
};

/// What a server takes in one request, in bytes: what gRPC does by default.
const TAKEN: usize = 4 * 1024 * 1024;

/// Returns what to send instead of a completion.
///
/// Answers to queries and to updates are replaced by failures. A command that is too large fails the
/// workflow. It is not to fail for updates that others send, though, which their acceptances repeat. Those
/// that are too large for certain have not come through ([`received`](super::received)). Of others it
/// shows only here, and which commands are due to them cannot be told: so the task fails, once, and
/// `received` refuses them when it comes again.
pub(super) fn completion(
    proto: &Bytes,
    limits: &Limits,
    received: &Received,
    too_large: &TooLarge,
) -> Result<Instead, DecodeError> {
    let it = RespondWorkflowTaskCompletedRequest::decode(proto.clone())?;
    let large = Large {
        limits,
        received,
        too_large,
    };
    Ok(match too_large.whole() {
        Some(bytes) => large.instead_of_all(it, bytes),
        None => large.instead_of_parts(it),
    })
}

/// What counts as too large in one completion: what is above its limit, or, if only all of it
/// together is too much, whatever is large.
struct Large<'a> {
    limits: &'a Limits,
    received: &'a Received,
    too_large: &'a TooLarge,
}

impl Large<'_> {
    /// Replaces every part that is above its limit.
    fn instead_of_parts(&self, mut it: RespondWorkflowTaskCompletedRequest) -> Instead {
        self.fail_queries(&mut it);
        if let Some(too_large) = self.acceptance(&it) {
            return task_failed(it, &too_large);
        }
        if let Some(too_large) = self.command(&it) {
            return workflow_failed(it, too_large);
        }
        self.fail_updates(&mut it);
        completed(&it, Then::Pass)
    }

    /// Gives up one thing of so many bytes that are too much together: answers to queries first, then
    /// those to updates, then updates, then the workflow. Who sends it comes back if it is still too much.
    fn instead_of_all(&self, mut it: RespondWorkflowTaskCompletedRequest, bytes: usize) -> Instead {
        if self.fail_queries(&mut it) || self.fail_updates(&mut it) {
            return completed(&it, Then::Pass);
        }
        let accepted: Vec<_> = acceptances(&it).collect();
        let updates: usize = accepted.iter().map(|(_, part)| part.bytes).sum();
        // Commands that are too much without them are to blame by themselves.
        if accepted.is_empty() || it.encoded_len() - updates > TAKEN {
            return workflow_failed(it, self.too_large.clone());
        }
        for (message, part) in &accepted {
            let too_large = TooLarge::of_request(bytes, Some(part), self.limits);
            self.received.blame_for(message, too_large);
        }
        task_failed(it, self.too_large)
    }

    fn of(&self, add: impl FnOnce(&mut Measured)) -> Option<TooLarge> {
        let mut measured = Measured::default();
        add(&mut measured);
        if let Some(part) = measured.over(self.limits) {
            return Some(TooLarge::of_part(part, self.limits));
        }
        let whole = self.too_large.whole().is_some() && measured.largest().is_some();
        whole.then(|| self.too_large.clone())
    }

    /// Returns whether any answer was replaced.
    fn fail_queries(&self, it: &mut RespondWorkflowTaskCompletedRequest) -> bool {
        let mut failed = false;
        for result in it.query_results.values_mut() {
            if let Some(too_large) = self.of(|measured| query_answer(result, measured)) {
                *result = failed_query(&too_large);
                failed = true;
            }
        }
        failed
    }

    /// The update that fails the task. It and others like it are refused when that comes again.
    fn acceptance(&self, it: &RespondWorkflowTaskCompletedRequest) -> Option<TooLarge> {
        let mut first = None;
        for (message, part) in acceptances(it) {
            if part.bytes > self.limits.of(&part) {
                let too_large = TooLarge::of_part(&part, self.limits);
                self.received.blame_for(message, too_large.clone());
                first.get_or_insert(too_large);
            }
        }
        first
    }

    /// The command that fails the workflow.
    fn command(&self, it: &RespondWorkflowTaskCompletedRequest) -> Option<TooLarge> {
        let mut commands = it.commands.iter();
        commands.find_map(|one| self.of(|measured| command(one, measured)))
    }

    /// Returns whether any answer was replaced.
    fn fail_updates(&self, it: &mut RespondWorkflowTaskCompletedRequest) -> bool {
        let mut failed = false;
        let answers = it.messages.iter_mut();
        for message in answers.filter(|it| !is::<Acceptance>(it)) {
            if let Some(too_large) = self.of(|measured| update_message(message, measured)) {
                fail_update(message, &too_large);
                failed = true;
            }
        }
        failed
    }
}

/// The updates that are accepted and large.
fn acceptances(it: &RespondWorkflowTaskCompletedRequest) -> impl Iterator<Item = (&Message, Part)> {
    let accepted = it.messages.iter().filter(|it| is::<Acceptance>(it));
    accepted.filter_map(|message| {
        let mut measured = Measured::default();
        update_message(message, &mut measured);
        Some((message, measured.parts.pop()?))
    })
}

fn completed(it: &RespondWorkflowTaskCompletedRequest, then: Then) -> Instead {
    Instead {
        rpc: "RespondWorkflowTaskCompleted",
        proto: encoded(it),
        then,
    }
}

/// Without messages: what an update waits for, the server tells its client when the workflow ends.
fn workflow_failed(it: RespondWorkflowTaskCompletedRequest, too_large: TooLarge) -> Instead {
    let attributes = FailWorkflowExecutionCommandAttributes {
        failure: Some(failure(&too_large)),
    };
    let fail = Command {
        command_type: CommandType::FailWorkflowExecution.into(),
        attributes: Some(Attributes::FailWorkflowExecutionCommandAttributes(
            attributes,
        )),
        ..Command::default()
    };
    let failed = RespondWorkflowTaskCompletedRequest {
        commands: vec![fail],
        messages: Vec::new(),
        return_new_workflow_task: false,
        force_create_new_workflow_task: false,
        page_number: 0,
        intermediate_page: false,
        ..it
    };
    completed(&failed, Then::Gone(too_large))
}

fn task_failed(it: RespondWorkflowTaskCompletedRequest, too_large: &TooLarge) -> Instead {
    let failed = RespondWorkflowTaskFailedRequest {
        task_token: it.task_token,
        identity: it.identity,
        namespace: it.namespace,
        resource_id: it.resource_id,
        deployment_options: it.deployment_options,
        cause: WorkflowTaskFailedCause::PayloadsTooLarge.into(),
        failure: Some(failure(too_large)),
        ..RespondWorkflowTaskFailedRequest::default()
    };
    Instead {
        rpc: "RespondWorkflowTaskFailed",
        proto: encoded(&failed),
        then: Then::Gone(too_large.clone()),
    }
}

fn failed_query(too_large: &TooLarge) -> WorkflowQueryResult {
    WorkflowQueryResult {
        result_type: QueryResultType::Failed.into(),
        answer: None,
        error_message: too_large.to_string(),
        failure: Some(failure(too_large)),
    }
}

fn fail_update(message: &mut Message, too_large: &TooLarge) {
    let rejection = is::<Rejection>(message);
    let Some(body) = &mut message.body else {
        return;
    };
    body.value = if rejection {
        let it = Rejection::decode(&*body.value).unwrap_or_default();
        let rejection = Rejection {
            rejected_request: None,
            failure: Some(failure(too_large)),
            ..it
        };
        rejection.encode_to_vec()
    } else {
        let it = Response::decode(&*body.value).unwrap_or_default();
        let failed = outcome::Value::Failure(failure(too_large));
        let response = Response {
            outcome: Some(Outcome {
                value: Some(failed),
            }),
            ..it
        };
        response.encode_to_vec()
    };
}

fn is<M: Name>(message: &Message) -> bool {
    let body = message.body.as_ref();
    let name = body.and_then(|it| it.type_url.rsplit('/').next());
    name == Some(&M::full_name())
}

/// Returns what to send instead of a failure of a task that is too large.
pub(super) fn task_failure(proto: &Bytes, too_large: &TooLarge) -> Result<Instead, DecodeError> {
    let it = RespondWorkflowTaskFailedRequest::decode(proto.clone())?;
    let failed = RespondWorkflowTaskFailedRequest {
        failure: Some(failure(too_large)),
        ..it
    };
    Ok(Instead {
        rpc: "RespondWorkflowTaskFailed",
        proto: encoded(&failed),
        then: Then::Pass,
    })
}

/// Returns what to send instead of the answer to a query that came by itself.
pub(super) fn query(proto: &Bytes, too_large: &TooLarge) -> Result<Instead, DecodeError> {
    let it = RespondQueryTaskCompletedRequest::decode(proto.clone())?;
    let failed = RespondQueryTaskCompletedRequest {
        completed_type: QueryResultType::Failed.into(),
        query_result: None,
        error_message: too_large.to_string(),
        failure: Some(failure(too_large)),
        ..it
    };
    Ok(Instead {
        rpc: "RespondQueryTaskCompleted",
        proto: encoded(&failed),
        then: Then::Pass,
    })
}

#[cfg(test)]
mod tests;
