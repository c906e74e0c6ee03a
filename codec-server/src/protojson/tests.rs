use std::{collections::HashMap, ops::ControlFlow};

use proptest::{collection, prelude::*};
use serde_json::{Value, json};
use temporalio_common::protos::temporal::api::common::v1::{
    Payload, payload::ExternalPayloadDetails,
};

use super::{Answer, Unread, each_payload};

const LIMIT: usize = 1 << 20;

fn read_within(limit: usize, json: &[u8]) -> Result<Vec<Payload>, Unread> {
    let mut payloads = Vec::new();
    each_payload(json, limit, &mut |payload| {
        payloads.push(payload);
        ControlFlow::Continue(())
    })?;
    Ok(payloads)
}

fn read(json: &str) -> Result<Vec<Payload>, Unread> {
    read_within(LIMIT, json.as_bytes())
}

fn written(payloads: &[Payload]) -> Vec<u8> {
    let mut answer = Answer::new(0, LIMIT);
    for payload in payloads {
        answer.push(payload).unwrap();
    }
    answer.finish()
}

#[test]
fn nothing_is_written_in_four_ways_and_means_no_payloads() {
    for json in [
        "{}",
        r#"{"payloads":[]}"#,
        r#"{"payloads":null}"#,
        r#"{"other":[{}]}"#,
    ] {
        assert_eq!(read(json), Ok(vec![]), "{json}");
    }
    assert_eq!(written(&[]), br#"{"payloads":[]}"#);
}

#[test]
fn whatever_is_missing_or_null_is_empty() {
    for payload in [
        "{}",
        r#"{"data":"","metadata":{}}"#,
        r#"{"data":null,"metadata":null,"externalPayloads":null}"#,
        r#"{"data":"","newer":{"than":["us"]}}"#,
    ] {
        let payloads = read(&format!(r#"{{"payloads":[{payload}]}}"#));
        assert_eq!(payloads, Ok(vec![Payload::default()]), "{payload}");
    }
}

#[test]
fn base64_of_both_alphabets_is_read_with_and_without_padding() {
    for text in ["+/8=", "+/8", "-_8=", "-_8", r"+\/8=", r"\u002b/8="] {
        let payloads = read(&format!(r#"{{"payloads":[{{"data":"{text}"}}]}}"#)).unwrap();
        assert_eq!(payloads[0].data, [0xfb, 0xff], "{text}");
    }
    for text in ["+_8=", "a", "====", "/ 8=", "ä"] {
        let refused = read(&format!(r#"{{"payloads":[{{"data":"{text}"}}]}}"#));
        assert!(matches!(refused, Err(Unread::NotPayloads { .. })), "{text}");
    }
}

#[test]
fn what_is_written_has_metadata_and_data_even_if_they_are_empty() {
    let json: Value = serde_json::from_slice(&written(&[Payload::default()])).unwrap();

    assert_eq!(json, json!({"payloads": [{"metadata": {}, "data": ""}]}));
}

#[test]
fn details_of_external_payloads_are_kept() {
    let size = |size_bytes| ExternalPayloadDetails { size_bytes };
    let json = r#"{"payloads":[{"externalPayloads":[{"sizeBytes":"9007199254740993"},{"sizeBytes":7},{}]}]}"#;

    let payloads = read(json).unwrap();

    let sizes = [size(9_007_199_254_740_993), size(7), size(0)];
    assert_eq!(payloads[0].external_payloads, sizes);
    assert_eq!(read_within(LIMIT, &written(&payloads)), Ok(payloads));
}

#[test]
fn mistakes_are_told_by_place_and_never_by_content() {
    for (json, expected) in [
        (
            "secret",
            "the body is not JSON: syntax error at line 1 column 1",
        ),
        (
            r#"{"payloads":["#,
            "the body is not JSON: unexpected end at line 1 column 13",
        ),
        (
            r#"{"payloads":[]} secret"#,
            "the body is not JSON: syntax error at line 1 column 17",
        ),
    ] {
        assert_eq!(read(json).unwrap_err().to_string(), expected, "{json}");
    }
    for json in [
        r#"["secret"]"#,
        r#""secret""#,
        r#"{"payloads":"secret"}"#,
        r#"{"payloads":["secret"]}"#,
        r#"{"payloads":[null]}"#,
        r#"{"payloads":[{"data":{"secret":1}}]}"#,
        r#"{"payloads":[{"data":"secret!"}]}"#,
        r#"{"payloads":[{"metadata":["secret"]}]}"#,
        r#"{"payloads":[{"metadata":{"secret":4711}}]}"#,
        r#"{"payloads":[{"externalPayloads":[{"sizeBytes":"secret"}]}]}"#,
        r#"{"payloads":[],"payloads":[]}"#,
        r#"{"payloads":[{"data":"","data":""}]}"#,
        r#"{"payloads":[{"metadata":{"a":"","a":""}}]}"#,
    ] {
        let error = read(json).unwrap_err();
        assert!(
            matches!(error, Unread::NotPayloads { .. }),
            "{json}: {error}"
        );
        assert!(!error.to_string().contains("secret"), "{error}");
        assert!(!error.to_string().contains("4711"), "{error}");
    }
}

#[test]
fn depth_is_limited_and_invalid_utf8_is_refused() {
    let deep = format!(
        r#"{{"payloads":{}{}}}"#,
        "[".repeat(10_000),
        "]".repeat(10_000)
    );
    assert!(read(&deep).is_err());
    let deep = format!(
        r#"{{"other":{}{}}}"#,
        "[".repeat(10_000),
        "]".repeat(10_000)
    );
    // Skipping takes no stack, so there is nothing to limit.
    assert_eq!(read(&deep), Ok(vec![]));
    let refused = read_within(LIMIT, b"{\"payloads\":[{\"metadata\":{\"\xff\":\"\"}}]}");
    assert_eq!(refused, Err(Unread::NotText));
}

#[test]
fn the_limit_of_a_payload_counts_names_values_and_data_to_the_byte() {
    let json = br#"{"payloads":[{"data":"YWJjZA=="},{"metadata":{"ab":"YWI="},"data":"YWI="}]}"#;

    assert!(read_within(6, json).is_ok());
    let refused = read_within(5, json);
    assert_eq!(refused, Err(Unread::TooLarge { index: 1, limit: 5 }));
    assert_eq!(
        read_within(3, json).unwrap_err().to_string(),
        "payload 0 is larger than 3 bytes"
    );
}

#[test]
fn lists_within_a_payload_have_few_entries() {
    let metadata = |count: usize| {
        let entries: Vec<_> = (0..count).map(|it| format!(r#""{it}":"""#)).collect();
        format!(r#"{{"metadata":{{{}}}}}"#, entries.join(","))
    };
    let external = |count: usize| {
        let entries = vec!["{}"; count].join(",");
        format!(r#"{{"externalPayloads":[{entries}]}}"#)
    };
    for payload in [metadata, external as fn(usize) -> String] {
        let most = format!(r#"{{"payloads":[{{}},{}]}}"#, payload(64));
        let more = format!(r#"{{"payloads":[{{}},{}]}}"#, payload(65));
        assert!(read(&most).is_ok());
        assert_eq!(read(&more), Err(Unread::TooMany { index: 1 }));
    }
}

#[test]
fn a_wrong_value_is_refused_where_it_begins() {
    for wrong in ["[", "{"] {
        let json = format!(r#"{{"payloads":[{{"externalPayloads":[{{"sizeBytes":{wrong}"#);
        let rest = "0,".repeat(1000);

        let refused = read(&format!("{json}{rest}")).unwrap_err();

        let Unread::NotPayloads { column, .. } = refused else {
            panic!("{refused}")
        };
        assert!(column <= json.len(), "{column}");
    }
}

#[test]
fn not_even_the_last_part_of_an_answer_overshoots() {
    let limit = 1000;
    let with = |name: &str, value: &[u8]| Payload {
        metadata: HashMap::from([(name.to_owned(), value.to_vec())]),
        ..Payload::default()
    };
    let size = ExternalPayloadDetails::default();
    for payload in [
        with(&"\u{1}".repeat(900), b""),
        with("name", &[0; 900]),
        Payload {
            external_payloads: vec![size; 100],
            ..Payload::default()
        },
    ] {
        let mut answer = Answer::new(0, limit);
        assert!(answer.push(&payload).is_err());
        assert!(answer.finish().len() <= limit);
    }
}

#[test]
fn an_answer_stops_growing_at_its_limit() {
    let payload = Payload {
        data: vec![0; 30],
        ..Payload::default()
    };
    let one = written(std::slice::from_ref(&payload)).len();

    for (limit, fits) in [(one, true), (one - 1, false), (10, false)] {
        let mut answer = Answer::new(0, limit);
        assert_eq!(answer.push(&payload).is_ok(), fits, "{limit}");
    }
}

#[test]
fn a_reader_that_wants_no_more_gets_no_more() {
    let mut taken = 0;
    let read = each_payload(br#"{"payloads":[{},{},{"#, LIMIT, &mut |_| {
        taken += 1;
        ControlFlow::Break(())
    });

    assert_eq!((read, taken), (Err(Unread::Stopped), 1));
}

fn any_payload() -> impl Strategy<Value = Payload> {
    let bytes = || collection::vec(any::<u8>(), 0..200);
    let sizes = collection::vec(any::<i64>(), 0..3);
    let metadata = collection::hash_map(any::<String>(), bytes(), 0..4);
    (metadata, bytes(), sizes).prop_map(
        |(metadata, data, sizes): (HashMap<_, _>, Vec<u8>, Vec<i64>)| Payload {
            metadata,
            data,
            external_payloads: sizes
                .into_iter()
                .map(|size_bytes| ExternalPayloadDetails { size_bytes })
                .collect(),
        },
    )
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(payloads in collection::vec(any_payload(), 0..5)) {
        let json = written(&payloads);
        prop_assert!(serde_json::from_slice::<Value>(&json).is_ok());
        prop_assert_eq!(read_within(LIMIT, &json), Ok(payloads));
    }

    #[test]
    fn garbage_is_an_error_and_no_panic(garbage in collection::vec(any::<u8>(), 0..200)) {
        let _ = read_within(LIMIT, &garbage);
    }

    #[test]
    fn a_text_that_was_damaged_is_no_panic(
        payloads in collection::vec(any_payload(), 1..4), at in any::<prop::sample::Index>(), byte in any::<u8>(),
    ) {
        let mut json = written(&payloads);
        let at = at.index(json.len());
        json[at] = byte;
        let _ = read_within(64, &json);
        json.truncate(at);
        let _ = read_within(LIMIT, &json);
    }
}
