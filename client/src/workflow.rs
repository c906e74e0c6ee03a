//! Workflows of any type: payloads in, JSON out, everything decrypted.
//!
//! For the types of `sealane-workflows` there are [`handles`](crate::handles). This is for the
//! command line and the HTTP API, which learn the type at run time.

mod description;
mod history;
mod list;
mod message;
mod obstacle;
mod once;
mod outcome;
mod start;
mod update;

use std::{error::Error, fmt::Write, time::SystemTime};

use futures_util::future::BoxFuture;
use sealane_codec::{EncryptionCodec, large_payloads::is_outage};
use temporalio_client::{Client, NamespacedClient};
use temporalio_common::{
    data_converters::{SerializationContextData, WorkflowSerializationContext},
    payload_visitor::{PayloadVisitable, encode_payloads},
    protos::temporal::api::common::v1::WorkflowExecution,
};
use tonic::{Request, Response, Status};

pub use self::{
    description::{Description, PendingActivity},
    list::{Listed, Page},
    obstacle::Obstacle,
    once::Once,
    outcome::{Ending, Outcome},
    start::{Start, Started},
    update::{SentUpdate, Updated},
};

use crate::{call::CallError, decode::Decoder};

/// One workflow: its id and, where it matters which, its run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Execution {
    /// Id of the workflow.
    pub workflow_id: String,
    /// Id of the run; `None` is the latest.
    pub run_id: Option<String>,
}

impl Execution {
    fn to_proto(&self) -> WorkflowExecution {
        WorkflowExecution {
            workflow_id: self.workflow_id.clone(),
            run_id: self.run_id.clone().unwrap_or_default(),
        }
    }
}

/// The workflows of one namespace.
#[derive(Clone)]
pub struct Workflows {
    client: Client,
    decoder: Decoder,
}

impl Workflows {
    /// Takes the client to send with, and the codec that reads what comes back.
    pub fn new(client: Client, codec: Option<EncryptionCodec>) -> Self {
        Self {
            client,
            decoder: Decoder::new(codec),
        }
    }

    fn namespace(&self) -> String {
        self.client.namespace()
    }

    fn identity(&self) -> String {
        self.client.identity()
    }

    /// Sends a request about `execution`.
    async fn call<Q, A>(
        &self,
        execution: &Execution,
        request: Q,
        rpc: impl for<'a> FnOnce(
            &'a mut Client,
            Request<Q>,
        ) -> BoxFuture<'a, Result<Response<A>, Status>>,
    ) -> Result<A, CallError> {
        let mut client = self.client.clone();
        match rpc(&mut client, Request::new(request)).await {
            Ok(answer) => Ok(answer.into_inner()),
            Err(status) => Err(CallError::of_workflow(
                &self.namespace(),
                &execution.workflow_id,
                status,
            )),
        }
    }

    /// Encrypts every payload in `request`.
    async fn seal(&self, request: &mut impl PayloadVisitable) -> Result<(), CallError> {
        let context = SerializationContextData::Workflow(WorkflowSerializationContext::new());
        encode_payloads(request, self.client.data_converter().codec(), &context)
            .await
            .map_err(|error| {
                // The SDK's own words add nothing to the codec's.
                let reason = error.source().unwrap_or(&error).to_string();
                match is_outage(&error) {
                    true => CallError::NotStored { reason },
                    false => CallError::NotEncrypted { reason },
                }
            })
    }
}

/// Formats a protobuf time as RFC 3339 in UTC, with milliseconds. `None` if RFC 3339 has no words
/// for it, such as a year of five digits.
fn rfc3339<T: TryInto<SystemTime>>(time: T) -> Option<String> {
    let time = time.try_into().ok()?;
    let mut text = String::new();
    write!(text, "{}", humantime::format_rfc3339_millis(time)).ok()?;
    Some(text)
}

fn non_empty(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}
