//! What outlives every blob, and so is never in one.
//!
//! A memo is carried from run to run as it is stored, and a worker decodes it before any code of the
//! workflow runs: with its blob gone, no run of the chain would ever begin. The input of a workflow
//! with a cron schedule is that of all its runs, and schedules have no end either.

use sealane_codec::is_stored;
use temporalio_common::protos::temporal::api::{
    command::v1::{Command, command::Attributes},
    common::v1::{Memo, Payload, Payloads},
};

/// Whether the payload visitor says of a field that it is a memo.
pub(super) fn is_memo(path: &str) -> bool {
    path.ends_with("Memo.fields")
}

/// References of `command` that have to be what they refer to. The SDK's codec, which stored it, does not
/// know what it encodes.
pub(super) fn stored(command: &mut Command) -> Vec<&mut Payload> {
    let (memo, input) = match command.attributes.as_mut() {
        Some(Attributes::StartChildWorkflowExecutionCommandAttributes(it)) => {
            let lasts = !it.cron_schedule.is_empty();
            (it.memo.as_mut(), it.input.as_mut().filter(|_| lasts))
        }
        Some(Attributes::ContinueAsNewWorkflowExecutionCommandAttributes(it)) => {
            let lasts = !it.cron_schedule.is_empty();
            (it.memo.as_mut(), it.input.as_mut().filter(|_| lasts))
        }
        Some(Attributes::ModifyWorkflowPropertiesCommandAttributes(it)) => {
            (it.upserted_memo.as_mut(), None)
        }
        _ => (None, None),
    };
    let memo = memo
        .into_iter()
        .flat_map(|Memo { fields }| fields.values_mut());
    let input = input.into_iter().flat_map(|Payloads { payloads }| payloads);
    memo.chain(input).filter(|it| is_stored(it)).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use temporalio_common::protos::temporal::api::{
        command::v1::{
            Command, ModifyWorkflowPropertiesCommandAttributes,
            StartChildWorkflowExecutionCommandAttributes, command::Attributes,
        },
        common::v1::{Memo, Payload, Payloads},
    };

    use super::stored;

    fn reference() -> Payload {
        let hash = "0".repeat(64);
        let data = serde_json::json!({
            "driverName": "azure.blobdriver",
            "claimData": {
                "container": "https://unit.blob.core.windows.net/payloads",
                "key": format!("v0/ns/orders/d/sha256/{hash}"),
                "hash_algorithm": "sha256",
                "hash_value": hash,
            },
        });
        let kind = "temporal.api.sdk.v1.ExternalStorageReference";
        let metadata = [("encoding", "json/protobuf"), ("messageType", kind)];
        Payload {
            metadata: metadata
                .map(|(name, value)| (name.to_owned(), value.into()))
                .into(),
            data: data.to_string().into(),
            ..Payload::default()
        }
    }

    fn memo() -> Option<Memo> {
        let fields = [("note", reference()), ("small", Payload::default())];
        let fields: HashMap<_, _> = fields.map(|(name, it)| (name.to_owned(), it)).into();
        Some(Memo { fields })
    }

    fn found(attributes: Attributes) -> usize {
        let mut command = Command {
            attributes: Some(attributes),
            ..Command::default()
        };
        stored(&mut command).len()
    }

    #[test]
    fn memos_and_the_input_of_what_has_a_cron_schedule_are_found() {
        let child = |cron_schedule: &str| {
            let attributes = StartChildWorkflowExecutionCommandAttributes {
                memo: memo(),
                input: Some(Payloads {
                    payloads: vec![reference()],
                }),
                cron_schedule: cron_schedule.to_owned(),
                ..StartChildWorkflowExecutionCommandAttributes::default()
            };
            found(Attributes::StartChildWorkflowExecutionCommandAttributes(
                attributes,
            ))
        };
        let upsert = ModifyWorkflowPropertiesCommandAttributes {
            upserted_memo: memo(),
        };

        assert_eq!(child(""), 1);
        assert_eq!(child("0 3 * * *"), 2);
        let upserted = Attributes::ModifyWorkflowPropertiesCommandAttributes(upsert);
        assert_eq!(found(upserted), 1);
    }
}
