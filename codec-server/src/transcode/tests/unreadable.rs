use std::sync::Arc;

use prometheus::Registry;
use sealane_codec::{CodecOptions, DecodePolicy, EncryptionCodec, Key, KeyRing, SharedKeyRing};
use serde_json::json;
use temporalio_common::protos::temporal::api::common::v1::Payload;

use super::{Bench, MIB, Transcoder, bench, plain, ring, text};

#[tokio::test]
async fn plain_payloads_are_refused_by_a_strict_codec() {
    let options = CodecOptions {
        decode: DecodePolicy::Strict,
        ..CodecOptions::default()
    };
    let bench = Bench::new(7, options);
    let sealed = bench.encode(&[plain("1")]).await.unwrap().remove(0);

    let refused = bench.decode(&[sealed, plain("secret")]).await.unwrap_err();

    let problem = text(refused);
    assert_eq!(
        (&problem["status"], &problem["index"]),
        (&json!(400), &json!(1))
    );
    assert!(!problem.to_string().contains("secret"), "{problem}");
}

#[tokio::test]
async fn a_payload_that_does_not_open_stays_as_it_is_beside_those_that_do() {
    let bench = bench();
    let mut sealed = bench
        .encode(&[plain("1"), plain("2"), plain("3")])
        .await
        .unwrap();
    let last = sealed[1].data.len() - 1;
    sealed[1].data[last] ^= 1;

    let decoded = bench.decode(&sealed).await.unwrap();

    assert_eq!(decoded, [plain("1"), sealed[1].clone(), plain("3")]);
    assert!(
        bench.shows(r#"sealane_codec_server_decode_failures_total{key_id="a",reason="altered"} 1"#)
    );
    for (outcome, count) in [("done", 2), ("failed", 1)] {
        let line = format!(
            r#"sealane_codec_server_payloads_total{{operation="decode",outcome="{outcome}"}} {count}"#
        );
        assert!(bench.shows(&line), "{line}");
    }
}

#[tokio::test]
async fn a_request_of_which_nothing_opens_is_refused_by_place_and_key() {
    let bench = bench();
    let mut sealed = bench.encode(&[plain("secret")]).await.unwrap().remove(0);
    let foreign = b"old\"\n/key".to_vec();
    sealed
        .metadata
        .insert("encryption-key-id".to_owned(), foreign);

    let refused = bench.decode(&[plain("x"), sealed]).await.unwrap_err();

    let expected = json!({
        "type": "urn:sealane:problem:payload-unreadable",
        "title": "A payload cannot be decrypted",
        "status": 400,
        "detail": r#"payload 1 is encrypted under key "old\"\n/key", which is not here"#,
        "index": 1,
    });
    assert_eq!(text(refused), expected);
    assert!(bench.shows(
        r#"sealane_codec_server_decode_failures_total{key_id="other",reason="unknown_key"} 1"#
    ));
}

#[tokio::test]
async fn a_key_that_nobody_finds_is_missed_once_for_each_payload() {
    let bench = bench();
    let mut sealed = bench.encode(&[plain("1"), plain("2")]).await.unwrap();
    for payload in &mut sealed {
        payload
            .metadata
            .insert("encryption-key-id".to_owned(), b"b".to_vec());
    }

    bench.decode(&sealed).await.unwrap_err();

    assert_eq!(bench.transcoder.codec.unknown_keys(), 2);
}

#[tokio::test]
async fn each_kind_of_damage_has_its_own_words() {
    let bench = bench();
    let sealed = bench.encode(&[plain("1")]).await.unwrap().remove(0);
    let damaged = |damage: fn(&mut Payload)| {
        let mut payload = sealed.clone();
        damage(&mut payload);
        payload
    };
    for (payload, words) in [
        (
            damaged(|it| drop(it.metadata.remove("encryption-key-id"))),
            "does not say how",
        ),
        (damaged(|it| it.data.truncate(20)), "was altered"),
        (damaged(|it| it.data.clear()), "was altered"),
        (
            damaged(|it| {
                drop(
                    it.metadata
                        .insert("encoding".to_owned(), b"encrypted/aesgcm".to_vec()),
                )
            }),
            "does not say how",
        ),
        (
            damaged(|it| {
                drop(
                    it.metadata
                        .insert("encoding".to_owned(), b"binary/zlib".to_vec()),
                )
            }),
            "no Temporal payload",
        ),
    ] {
        let problem = text(bench.decode(&[payload]).await.unwrap_err());
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(words), "{detail}");
    }
}

#[tokio::test]
async fn a_key_that_arrives_meanwhile_opens_what_waited_for_it() {
    let elsewhere = bench();
    let sealed = elsewhere.encode(&[plain("1")]).await.unwrap();
    let keys = [("b".parse().unwrap(), Key::from_bytes(&[8; 32]).unwrap())];
    let (shared, mut requests) =
        SharedKeyRing::with_refresh(KeyRing::new("b".parse().unwrap(), keys).unwrap());
    let here = Bench {
        transcoder: Arc::new(Transcoder::new(
            EncryptionCodec::new(shared.clone(), CodecOptions::default()),
            bench().transcoder.counters.clone(),
            MIB,
            MIB,
        )),
        ring: shared.clone(),
        registry: Registry::new(),
    };
    let source = async {
        requests.next().await;
        requests.begin();
        shared.replace(ring(7));
        requests.end();
        std::future::pending::<()>().await;
    };

    let decoded = tokio::select! {
        decoded = here.decode(&sealed) => decoded.unwrap(),
        () = source => vec![],
    };

    assert_eq!(decoded, [plain("1")]);
}

#[tokio::test]
async fn keys_that_are_replaced_count_for_the_next_request() {
    let bench = bench();
    let sealed = bench.encode(&[plain("1")]).await.unwrap();

    bench.ring.replace(ring(9));

    let refused = bench.decode(&sealed).await.unwrap_err();
    assert!(
        text(refused)["detail"]
            .as_str()
            .unwrap()
            .contains("another key than the \"a\"")
    );
}
