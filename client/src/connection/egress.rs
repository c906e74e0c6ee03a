//! The last look at a request before it leaves the process.
//!
//! The SDK encodes most payloads itself, but some text goes around its codec (seen with SDK 1.1.1):
//! start-time summary and details, the input that `ScheduleHandle::update` sends back, and every
//! failure that its failure converter does not build, such as the text of a panic in workflow code,
//! a deserialisation error, a rejected update or a failed query. All of them pass through here, so
//! this is where they are encrypted: payloads as payloads, failure texts as `encoded_attributes`,
//! the form that every Temporal SDK and the Web UI can read back.
//!
//! All failure texts are moved here and nowhere else. The SDK's converter could move those it
//! builds, but then drops the text of some for good: a signal that cannot be deserialised fails its
//! workflow task with "Encoded failure" and nothing behind it.
//!
//! Headers and search attributes stay as they are: peers in other languages expect plain headers,
//! and the server has to index search attributes. Of the headers that workflow code sends, which
//! the SDK does encrypt, [`headers`] makes trace context readable again.

mod conceal;
mod headers;
mod lasting;

use std::error::Error;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use prost::{Message, Name};
use sealane_codec::{
    EncryptionCodec, is_encrypted, is_legacy, is_stored, large_payloads::is_outage,
};
use temporalio_common::{
    data_converters::PayloadConversionError,
    payload_visitor::{AsyncPayloadVisitor, PayloadField, PayloadFieldData, PayloadVisitable},
    protos::temporal::api::{
        common::v1::Payload,
        failure::v1::Failure,
        protocol::v1::Message as ProtocolMessage,
        update::v1::{Acceptance, Rejection, Response},
        workflowservice::v1::{
            CreateScheduleRequest, ExecuteMultiOperationRequest, QueryWorkflowRequest,
            RecordActivityTaskHeartbeatByIdRequest, RecordActivityTaskHeartbeatRequest,
            ResetWorkflowExecutionRequest, RespondActivityTaskCanceledByIdRequest,
            RespondActivityTaskCanceledRequest, RespondActivityTaskCompletedByIdRequest,
            RespondActivityTaskCompletedRequest, RespondActivityTaskFailedByIdRequest,
            RespondActivityTaskFailedRequest, RespondQueryTaskCompletedRequest,
            RespondWorkflowTaskCompletedRequest, RespondWorkflowTaskFailedRequest,
            SignalWithStartWorkflowExecutionRequest, SignalWorkflowExecutionRequest,
            StartActivityExecutionRequest, StartBatchOperationRequest,
            StartNexusOperationExecutionRequest, StartWorkflowExecutionRequest,
            TerminateWorkflowExecutionRequest, UpdateScheduleRequest,
            UpdateWorkerDeploymentVersionMetadataRequest, UpdateWorkflowExecutionRequest,
        },
    },
};
use tonic::Status;

use self::conceal::{command_failure, conceal, conceal_outcome, conceal_query_failure};

/// Failures of Nexus have forms of their own, which nothing here knows. No worker of the SDK answers its tasks yet.
const UNSEALED: [&str; 2] = ["RespondNexusTaskCompleted", "RespondNexusTaskFailed"];

/// Encrypts whatever plaintext a request still holds.
#[derive(Clone)]
pub(super) struct Egress {
    codec: EncryptionCodec,
}

impl Egress {
    pub(super) fn new(codec: EncryptionCodec) -> Self {
        Self { codec }
    }

    pub(super) fn codec(&self) -> &EncryptionCodec {
        &self.codec
    }

    /// Returns the request of `rpc` with every payload and failure text encrypted.
    ///
    /// # Errors
    ///
    /// `FailedPrecondition`, which nobody retries, if the request is no message of that RPC, or a
    /// payload cannot be encrypted: it then does not leave. `Unavailable` if blob storage is.
    pub(super) async fn seal(&self, rpc: &str, request: Bytes) -> Result<Bytes, Status> {
        match rpc {
            "StartWorkflowExecution" => {
                let lasts = |it: &StartWorkflowExecutionRequest| !it.cron_schedule.is_empty();
                self.started(request, lasts).await
            }
            "SignalWithStartWorkflowExecution" => {
                let lasts =
                    |it: &SignalWithStartWorkflowExecutionRequest| !it.cron_schedule.is_empty();
                self.started(request, lasts).await
            }
            "ExecuteMultiOperation" => self.plain::<ExecuteMultiOperationRequest>(request).await,
            "SignalWorkflowExecution" => {
                self.plain::<SignalWorkflowExecutionRequest>(request).await
            }
            "QueryWorkflow" => self.plain::<QueryWorkflowRequest>(request).await,
            "UpdateWorkflowExecution" => {
                self.plain::<UpdateWorkflowExecutionRequest>(request).await
            }
            "CreateSchedule" => {
                self.started(request, |_: &CreateScheduleRequest| true)
                    .await
            }
            "UpdateSchedule" => {
                self.started(request, |_: &UpdateScheduleRequest| true)
                    .await
            }
            "TerminateWorkflowExecution" => {
                self.plain::<TerminateWorkflowExecutionRequest>(request)
                    .await
            }
            "ResetWorkflowExecution" => self.plain::<ResetWorkflowExecutionRequest>(request).await,
            "StartBatchOperation" => self.plain::<StartBatchOperationRequest>(request).await,
            "StartActivityExecution" => self.plain::<StartActivityExecutionRequest>(request).await,
            "StartNexusOperationExecution" => {
                self.plain::<StartNexusOperationExecutionRequest>(request)
                    .await
            }
            "UpdateWorkerDeploymentVersionMetadata" => {
                self.plain::<UpdateWorkerDeploymentVersionMetadataRequest>(request)
                    .await
            }
            _ => self.seal_activity_progress(rpc, request).await,
        }
    }

    /// What activities report, from inside a worker or by token or id from elsewhere.
    async fn seal_activity_progress(&self, rpc: &str, request: Bytes) -> Result<Bytes, Status> {
        match rpc {
            "RecordActivityTaskHeartbeat" => {
                self.plain::<RecordActivityTaskHeartbeatRequest>(request)
                    .await
            }
            "RecordActivityTaskHeartbeatById" => {
                self.plain::<RecordActivityTaskHeartbeatByIdRequest>(request)
                    .await
            }
            "RespondActivityTaskCompleted" => {
                self.plain::<RespondActivityTaskCompletedRequest>(request)
                    .await
            }
            "RespondActivityTaskCompletedById" => {
                self.plain::<RespondActivityTaskCompletedByIdRequest>(request)
                    .await
            }
            "RespondActivityTaskCanceled" => {
                self.plain::<RespondActivityTaskCanceledRequest>(request)
                    .await
            }
            "RespondActivityTaskCanceledById" => {
                self.plain::<RespondActivityTaskCanceledByIdRequest>(request)
                    .await
            }
            _ => self.seal_answer(rpc, request).await,
        }
    }

    /// The requests with which a worker answers a task, where failures can be among the answer.
    async fn seal_answer(&self, rpc: &str, request: Bytes) -> Result<Bytes, Status> {
        match rpc {
            "RespondWorkflowTaskCompleted" => self.seal_completion(request).await,
            "RespondWorkflowTaskFailed" => {
                self.rewrite(request, |it: &mut RespondWorkflowTaskFailedRequest| {
                    conceal(it.failure.as_mut())
                })
                .await
            }
            "RespondQueryTaskCompleted" => {
                self.rewrite(request, |it: &mut RespondQueryTaskCompletedRequest| {
                    conceal_query_failure(&mut it.error_message, &mut it.failure)
                })
                .await
            }
            "RespondActivityTaskFailed" => {
                self.rewrite(request, |it: &mut RespondActivityTaskFailedRequest| {
                    conceal(it.failure.as_mut())
                })
                .await
            }
            "RespondActivityTaskFailedById" => {
                self.rewrite(request, |it: &mut RespondActivityTaskFailedByIdRequest| {
                    conceal(it.failure.as_mut())
                })
                .await
            }
            _ if UNSEALED.contains(&rpc) => Err(Status::failed_precondition(format!(
                "request held back: what {rpc} holds is not encrypted by Sealane"
            ))),
            _ => Ok(request),
        }
    }

    /// Encrypts the plain payloads of a message that holds no failure.
    async fn plain<M>(&self, bytes: Bytes) -> Result<Bytes, Status>
    where
        M: Message + Default + PayloadVisitable,
    {
        self.rewrite(bytes, |_: &mut M| false).await
    }

    /// Encrypts the plain payloads of a message that starts workflows. If that `lasts` longer than any
    /// blob, because it starts them again and again, none of its payloads may be in one.
    async fn started<M>(
        &self,
        bytes: Bytes,
        lasts: impl FnOnce(&M) -> bool,
    ) -> Result<Bytes, Status>
    where
        M: Message + Default + PayloadVisitable,
    {
        let mut message = M::decode(bytes.clone()).map_err(unreadable)?;
        let visitor = SealPlain {
            may_store: !lasts(&message),
            ..self.sealing()
        };
        Ok(match visited(visitor, &mut message).await? {
            true => message.encode_to_vec().into(),
            false => bytes,
        })
    }

    /// Applies `edit`, which says whether it changed anything, then encrypts every payload that is
    /// still plain. An unchanged message keeps its bytes.
    async fn rewrite<M>(
        &self,
        bytes: Bytes,
        edit: impl FnOnce(&mut M) -> bool,
    ) -> Result<Bytes, Status>
    where
        M: Message + Default + PayloadVisitable,
    {
        let mut message = M::decode(bytes.clone()).map_err(unreadable)?;
        let edited = edit(&mut message);
        let sealed = self.seal_plain(&mut message).await?;
        Ok(if edited || sealed {
            message.encode_to_vec().into()
        } else {
            bytes
        })
    }

    async fn seal_plain(&self, message: &mut impl PayloadVisitable) -> Result<bool, Status> {
        visited(self.sealing(), message).await
    }

    fn sealing(&self) -> SealPlain<'_> {
        SealPlain {
            codec: &self.codec,
            may_store: true,
            changed: false,
        }
    }

    /// Looks into failures and trace context only: the SDK has encoded the payloads of the commands,
    /// except the bookkeeping of its core in markers, which the core has to read again before any
    /// codec runs.
    async fn seal_completion(&self, bytes: Bytes) -> Result<Bytes, Status> {
        let mut completion =
            RespondWorkflowTaskCompletedRequest::decode(bytes.clone()).map_err(unreadable)?;
        let mut changed = false;
        for result in completion.query_results.values_mut() {
            changed |= conceal_query_failure(&mut result.error_message, &mut result.failure);
            changed |= self.seal_failure(result.failure.as_mut()).await?;
        }
        for command in &mut completion.commands {
            changed |= headers::reveal(&self.codec, command);
            let stored = lasting::stored(command);
            changed |= !stored.is_empty();
            for payload in stored {
                *payload = self.fetched(payload).await?;
            }
            changed |= self.seal_failure(command_failure(command)).await?;
        }
        for message in &mut completion.messages {
            changed |= self.seal_update(message).await?;
        }
        Ok(if changed {
            completion.encode_to_vec().into()
        } else {
            bytes
        })
    }

    async fn fetched(&self, reference: &Payload) -> Result<Payload, Status> {
        let fetched = self.codec.fetch(reference.clone()).await;
        fetched.map_err(|error| held_back(&error))
    }

    async fn seal_failure(&self, failure: Option<&mut Failure>) -> Result<bool, Status> {
        let Some(failure) = failure else {
            return Ok(false);
        };
        let concealed = conceal(Some(failure));
        Ok(self.seal_plain(failure).await? || concealed)
    }

    /// Updates travel as protobuf `Any`, which the payload visitor does not look into.
    async fn seal_update(&self, message: &mut ProtocolMessage) -> Result<bool, Status> {
        let Some(body) = message.body.as_mut() else {
            return Ok(false);
        };
        let name = body.type_url.rsplit('/').next().unwrap_or_default();
        let before = Bytes::from(std::mem::take(&mut body.value));
        let after = if name == Rejection::full_name() {
            self.rewrite(before.clone(), |it: &mut Rejection| {
                conceal(it.failure.as_mut())
            })
            .await?
        } else if name == Response::full_name() {
            self.rewrite(before.clone(), conceal_outcome).await?
        } else if name == Acceptance::full_name() {
            self.plain::<Acceptance>(before.clone()).await?
        } else {
            before.clone()
        };
        let changed = after != before;
        body.value = after.into();
        Ok(changed)
    }
}

/// Has `visitor` see all payloads of `message`, and returns whether it changed any.
async fn visited(
    mut visitor: SealPlain<'_>,
    message: &mut impl PayloadVisitable,
) -> Result<bool, Status> {
    let visited = message.visit_payloads_mut(&mut visitor).await;
    visited.map_err(|error| held_back(&error))?;
    Ok(visitor.changed)
}

/// An outage of blob storage passes, so the SDK may try again; nothing else does.
fn held_back(error: &(dyn Error + 'static)) -> Status {
    let message = format!("request held back: {error}");
    match is_outage(error) {
        true => Status::unavailable(message),
        false => Status::failed_precondition(message),
    }
}

/// Encrypts payloads that are not encrypted yet, except where the server or a peer needs plaintext.
struct SealPlain<'a> {
    codec: &'a EncryptionCodec,
    /// Whether large ones are stored; otherwise those that are stored come back.
    may_store: bool,
    changed: bool,
}

impl AsyncPayloadVisitor for SealPlain<'_> {
    fn visit<'a>(
        &'a mut self,
        field: PayloadField<'a>,
    ) -> BoxFuture<'a, Result<(), PayloadConversionError>> {
        if stays_plain(field.path) {
            return Box::pin(std::future::ready(Ok(())));
        }
        let may_store = self.may_store && !lasting::is_memo(field.path);
        let payloads = match field.data {
            PayloadFieldData::Single(payload) => std::slice::from_mut(payload),
            PayloadFieldData::Repeated(payloads) => payloads.as_mut_slice(),
            PayloadFieldData::Payloads(payloads) => payloads.payloads.as_mut_slice(),
        };
        Box::pin(self.seal(payloads, may_store))
    }
}

impl SealPlain<'_> {
    async fn seal(
        &mut self,
        payloads: &mut [Payload],
        may_store: bool,
    ) -> Result<(), PayloadConversionError> {
        for payload in payloads.iter_mut() {
            let is_stored = is_stored(payload);
            if is_ciphertext(payload) || is_stored && may_store {
                continue;
            }
            let taken = std::mem::take(payload);
            *payload = match (is_stored, may_store) {
                (true, _) => self.codec.fetch(taken).await.map_err(not_sealed)?,
                (false, true) => self
                    .codec
                    .encode_and_store(taken)
                    .await
                    .map_err(not_sealed)?,
                (false, false) => self.codec.encode_payload(taken).map_err(not_sealed)?,
            };
            self.changed = true;
        }
        Ok(())
    }
}

/// A payload that another writer has encrypted, as in a stored schedule, keeps its format: wrapped
/// once more, nobody would unwrap it twice. What is shorter than nonce and tag only says that it is
/// encrypted.
fn is_ciphertext(payload: &Payload) -> bool {
    const NONCE_AND_TAG: usize = 12 + 16;
    payload.data.len() >= NONCE_AND_TAG && (is_encrypted(payload) || is_legacy(payload))
}

fn not_sealed(error: impl Error + Send + Sync + 'static) -> PayloadConversionError {
    PayloadConversionError::EncodingError(Box::new(error))
}

fn stays_plain(path: &str) -> bool {
    path.ends_with("Header.fields") || path.contains("SearchAttributes.indexed_fields")
}

/// The decoder's own words are dropped: they can quote the bytes they stumbled over.
fn unreadable(_: prost::DecodeError) -> Status {
    Status::failed_precondition("request held back: it is not a message of its own type")
}

#[cfg(test)]
mod tests {
    use sealane_codec::{CodecOptions, EncryptionCodec, Key, KeyRing, SharedKeyRing, is_encrypted};
    use temporalio_common::protos::temporal::api::{
        common::v1::Payload,
        workflowservice::v1::{
            StartNexusOperationExecutionRequest, UpdateWorkerDeploymentVersionMetadataRequest,
        },
    };
    use tonic::Code;

    use super::{Egress, Message, UNSEALED};
    use crate::payload::from_json;

    fn egress() -> Egress {
        let id: sealane_codec::KeyId = "a".parse().unwrap();
        let keys = [(id.clone(), Key::from_bytes(&[7; 32]).unwrap())];
        let ring = SharedKeyRing::new(KeyRing::new(id, keys).unwrap());
        Egress::new(EncryptionCodec::new(ring, CodecOptions::default()))
    }

    fn plain() -> Payload {
        from_json(&"plain".into())
    }

    #[tokio::test]
    async fn what_only_other_code_sends_is_sealed_too() {
        let nexus = StartNexusOperationExecutionRequest {
            input: Some(plain()),
            ..StartNexusOperationExecutionRequest::default()
        };
        let version = UpdateWorkerDeploymentVersionMetadataRequest {
            upsert_entries: [("note".to_owned(), plain())].into(),
            ..UpdateWorkerDeploymentVersionMetadataRequest::default()
        };

        let rpc = "StartNexusOperationExecution";
        let nexus = egress().seal(rpc, nexus.encode_to_vec().into()).await;
        let rpc = "UpdateWorkerDeploymentVersionMetadata";
        let version = egress().seal(rpc, version.encode_to_vec().into()).await;

        let nexus = StartNexusOperationExecutionRequest::decode(nexus.unwrap()).unwrap();
        assert!(is_encrypted(&nexus.input.unwrap()));
        let version = UpdateWorkerDeploymentVersionMetadataRequest::decode(version.unwrap());
        assert!(is_encrypted(&version.unwrap().upsert_entries["note"]));
    }

    #[tokio::test]
    async fn what_cannot_be_sealed_does_not_leave() {
        for rpc in UNSEALED {
            let status = egress().seal(rpc, Vec::new().into()).await.unwrap_err();

            assert_eq!(status.code(), Code::FailedPrecondition);
            assert!(status.message().contains(rpc), "{status}");
        }
    }
}
