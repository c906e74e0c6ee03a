use std::collections::HashMap;

use prost::Message;
use temporalio_common::protos::temporal::api::{
    common::v1::{Header, Memo, Payload, Payloads, RetryPolicy, SearchAttributes},
    schedule::v1::{Schedule, ScheduleAction, schedule_action::Action},
    sdk::v1::UserMetadata,
    workflow::v1::NewWorkflowExecutionInfo,
};

use super::{MEMO, Malformed, SCHEDULE, embed, embedded, payloads, put_varint, replace};
use crate::audit::Needs;

fn payload(data: &str) -> Payload {
    Payload {
        data: data.as_bytes().to_vec(),
        ..Payload::default()
    }
}

fn fields(data: &str) -> HashMap<String, Payload> {
    [("name".to_owned(), payload(data))].into()
}

/// A schedule with a payload wherever one can be, and with other fields between them.
fn schedule() -> Schedule {
    let workflow = NewWorkflowExecutionInfo {
        workflow_id: "w".to_owned(),
        input: Some(Payloads {
            payloads: vec![payload("first"), payload("second")],
        }),
        retry_policy: Some(RetryPolicy {
            backoff_coefficient: 1.5,
            ..RetryPolicy::default()
        }),
        memo: Some(Memo {
            fields: fields("memo"),
        }),
        search_attributes: Some(SearchAttributes {
            indexed_fields: fields("indexed"),
        }),
        header: Some(Header {
            fields: fields("header"),
        }),
        user_metadata: Some(UserMetadata {
            summary: Some(payload("summary")),
            details: Some(payload("details")),
        }),
        ..NewWorkflowExecutionInfo::default()
    };
    Schedule {
        action: Some(ScheduleAction {
            action: Some(Action::StartWorkflow(workflow)),
        }),
        ..Schedule::default()
    }
}

/// What no build knows: a field of every wire type, under a number that nobody has given out.
fn unknown() -> Vec<u8> {
    let mut bytes = Vec::new();
    put_varint(&mut bytes, 3000 << 3);
    put_varint(&mut bytes, u64::MAX);
    put_varint(&mut bytes, 3001 << 3 | 1);
    bytes.extend_from_slice(&[1; 8]);
    put_varint(&mut bytes, 3002 << 3 | 5);
    bytes.extend_from_slice(&[2; 4]);
    embed(&mut bytes, 3003, b"from the future");
    bytes
}

/// Puts `inside` around `message` and the other way round, as deep as `path` says.
fn nested(path: &[u64], message: &[u8]) -> Vec<u8> {
    let Some((number, deeper)) = path.split_first() else {
        return message.to_vec();
    };
    let mut bytes = unknown();
    embed(&mut bytes, *number, &nested(deeper, message));
    bytes.extend(unknown());
    bytes
}

fn texts(message: &[u8]) -> Vec<String> {
    let found = payloads(message, &SCHEDULE).unwrap().into_iter();
    let decoded = found.map(|it| Payload::decode(it.bytes).unwrap());
    decoded
        .map(|it| String::from_utf8(it.data).unwrap())
        .collect()
}

#[test]
fn payloads_are_found_wherever_a_schedule_can_have_them() {
    let bytes = schedule().encode_to_vec();

    let mut found = texts(&bytes);
    found.sort();

    assert_eq!(
        found,
        ["details", "first", "header", "memo", "second", "summary"]
    );
    let headers = payloads(&bytes, &SCHEDULE).unwrap();
    assert_eq!(headers.iter().filter(|it| it.header).count(), 1);
}

/// A field that the SDK's visitor knows and this module does not would be sealed on its way out, by
/// a message that has lost its unknown fields.
#[tokio::test]
async fn the_sdk_knows_no_other_places_but_search_attributes_and_plain_headers() {
    let mut needs = Needs::default();
    needs.count(&mut schedule()).await;

    let counted: u64 = needs.iter().map(|(_, payloads)| payloads).sum();

    let bytes = schedule().encode_to_vec();
    let sealed = payloads(&bytes, &SCHEDULE).unwrap().into_iter();
    assert_eq!(counted, sealed.filter(|it| !it.header).count() as u64);
}

#[test]
fn without_a_replacement_every_byte_stays() {
    let bytes = nested(&[2, 1], &nested(&[4, 1], &payload("a").encode_to_vec()));
    let found = payloads(&bytes, &SCHEDULE).unwrap().len();

    let same = replace(&bytes, &SCHEDULE, vec![None; found]).unwrap();

    assert_eq!(found, 1);
    assert_eq!(same, bytes);
}

#[test]
fn unknown_fields_of_every_wire_type_and_depth_survive_a_replacement() {
    for path in [
        &[2, 1, 4, 1][..],
        &[2, 1, 11, 1, 2],
        &[2, 1, 13, 1, 2],
        &[2, 1, 14, 1],
        &[2, 1, 14, 2],
    ] {
        let (old, new) = (vec![7; 5], vec![8; 500]);
        let bytes = nested(path, &old);

        let replaced = replace(&bytes, &SCHEDULE, [Some(new.clone())]).unwrap();

        assert_eq!(replaced, nested(path, &new), "{path:?}");
    }
}

#[test]
fn one_payload_can_be_replaced_and_its_neighbours_stay() {
    let bytes = schedule().encode_to_vec();
    let before = texts(&bytes);

    let place = before.iter().position(|text| text == "second").unwrap();
    let replacements = (0..before.len())
        .map(|number| (number == place).then(|| payload("changed").encode_to_vec()));
    let replaced = replace(&bytes, &SCHEDULE, replacements).unwrap();

    let mut expected = schedule();
    let action = expected.action.as_mut().unwrap().action.as_mut().unwrap();
    let Action::StartWorkflow(workflow) = action;
    workflow.input.as_mut().unwrap().payloads[1] = payload("changed");
    assert_eq!(Schedule::decode(replaced.as_slice()).unwrap(), expected);
}

#[test]
fn tags_and_lengths_that_are_longer_than_they_need_be_are_kept() {
    // Field 3 of a schedule, which holds no payload: its length 1 is written in two bytes.
    let mut bytes = vec![0x1a, 0x81, 0x00, 0x08];
    bytes.extend(schedule().encode_to_vec());
    let found = payloads(&bytes, &SCHEDULE).unwrap().len();

    let replaced = replace(&bytes, &SCHEDULE, vec![Some(vec![]); found]).unwrap();

    assert!(replaced.starts_with(&[0x1a, 0x81, 0x00, 0x08]));
}

#[test]
fn a_field_that_comes_in_parts_is_read_as_one() {
    let mut bytes = Vec::new();
    embed(&mut bytes, 1, b"one ");
    embed(&mut bytes, 3, b"other");
    embed(&mut bytes, 1, b"field");

    assert_eq!(embedded(&bytes, 1), Ok(Some(b"one field".to_vec())));
    assert_eq!(embedded(&bytes, 2), Ok(None));
}

#[test]
fn what_is_no_message_is_refused() {
    for bytes in [
        &[0x0a][..],
        &[0x0a, 5, 1],
        &[0x08, 0x80],
        &[0x0b],
        &[0x09, 1],
        &[0xff; 12],
    ] {
        assert_eq!(payloads(bytes, &MEMO), Err(Malformed), "{bytes:?}");
        assert_eq!(embedded(bytes, 1), Err(Malformed), "{bytes:?}");
    }
}

#[test]
fn two_values_where_one_belongs_are_refused() {
    let mut entry = Vec::new();
    embed(&mut entry, 2, b"");
    embed(&mut entry, 2, b"");
    let mut memo = Vec::new();
    embed(&mut memo, 1, &entry);

    assert_eq!(payloads(&memo, &MEMO), Err(Malformed));
}
