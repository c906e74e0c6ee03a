use futures_util::FutureExt;
use sealane_codec::{CodecOptions, Compression, InflateRoom};
use sealane_service::http::Admission;
use serde_json::json;

use super::{
    super::{Limits, task::Task},
    Bench, MIB, Operation, Refusal, bench, job, plain, ring, text, written,
};
use temporalio_common::protos::temporal::api::common::v1::Payload;

/// A payload of encoding `binary/zlib` that unpacks to about `len` bytes.
fn packed(len: usize) -> Payload {
    let options = CodecOptions {
        compression: Compression::Zlib,
        ..CodecOptions::default()
    };
    let codec = Bench::new(7, options).transcoder.codec.clone();
    let sealed = codec.encode_payload(plain(&"x".repeat(len))).unwrap();
    ring(7).open(&sealed).unwrap()
}

#[tokio::test]
async fn a_payload_that_unpacks_to_more_than_a_payload_may_be_ends_the_request() {
    let bench = bench();
    let bomb = packed(2 * MIB);
    assert!(bomb.data.len() < 10_000);

    let decoded = bench.decode(&[packed(1000), plain("y")]).await.unwrap();
    let refused = bench.decode(&[plain("y"), bomb]).await.unwrap_err();

    assert_eq!(decoded, [plain(&"x".repeat(1000)), plain("y")]);
    let problem = text(refused);
    let named = (&problem["status"], &problem["index"], &problem["limit"]);
    assert_eq!(named, (&json!(413), &json!(1), &json!(MIB)));
}

#[tokio::test]
async fn payloads_that_hold_nothing_do_not_unpack_for_ever() {
    let bench = bench();
    // Cut off: it unpacks to a quarter of a MiB or so, and holds nothing.
    let mut nothing = packed(MIB / 2);
    let inner = nothing.data.len() / 2;
    nothing.data.truncate(inner);

    let few = bench.decode(&vec![nothing.clone(); 2]).await.unwrap_err();
    let many = bench.decode(&vec![nothing; 2000]).await.unwrap_err();

    assert_eq!(text(few)["status"], 400);
    assert_eq!(text(many)["status"], 413);
}

#[tokio::test]
async fn small_bodies_that_unpack_to_large_ones_are_worked_on_elsewhere() {
    let bench = bench();
    let mut places = Vec::new();
    while let Some(place) = bench.transcoder.limits.place().now_or_never() {
        places.push(place.unwrap());
    }
    let (small, large) = ([packed(MIB / 32)], [packed(MIB / 2)]);

    let here = bench.decode(&small).now_or_never();
    let elsewhere = bench.decode(&large);
    tokio::pin!(elsewhere);

    assert!(here.unwrap().is_ok());
    assert!((&mut elsewhere).now_or_never().is_none());
    places.pop();
    assert_eq!(elsewhere.await.unwrap()[0].data.len(), MIB / 2);
}

#[tokio::test]
async fn work_ends_when_nobody_waits_for_it_any_more() {
    let bench = bench();
    let body = written(&vec![plain("1"); 100]);
    let (task, asker) = Task::new(job(Operation::Decode, body), Admission::default());
    let room = InflateRoom::default();
    assert!(bench.transcoder.encode(&task, room).is_ok());

    drop(asker);

    let refused = bench.transcoder.encode(&task, room).unwrap_err();
    assert_eq!(refused, Refusal::Abandoned);
    let refused = bench
        .transcoder
        .decode(&task, room)
        .map(|_| ())
        .unwrap_err();
    assert_eq!(refused, Refusal::Abandoned);
    for outcome in ["done", "failed"] {
        let labels = format!(r#"operation="encode",outcome="{outcome}""#);
        let count = if outcome == "done" { 100 } else { 0 };
        let line = format!("sealane_codec_server_payloads_total{{{labels}}} {count}");
        assert!(bench.shows(&line), "{line}");
    }
}

#[tokio::test]
async fn answers_that_nobody_reads_leave_no_room_for_more() {
    let bench = bench();
    let body = written(&[plain(&"x".repeat(MIB / 2))]);
    let mut unread = Vec::new();

    let refused = loop {
        match bench.ask(Operation::Decode, body.clone()).await {
            Ok(answer) => unread.push(answer),
            Err(refused) => break refused,
        }
    };

    let held: usize = unread.iter().map(|answer| answer.len()).sum();
    assert!((15 * MIB..=16 * MIB).contains(&held), "{held}");
    assert_eq!(text(refused)["status"], 429);
    unread.pop();
    assert!(bench.ask(Operation::Decode, body).await.is_ok());
}

#[tokio::test]
async fn there_is_a_place_to_work_for_each_core() {
    let limits = Limits::of(MIB);
    let mut places = Vec::new();
    while let Some(place) = limits.place().now_or_never() {
        places.push(place.unwrap());
    }

    let cores = std::thread::available_parallelism().unwrap().get();
    assert_eq!(places.len(), cores);
    places.pop();
    assert!(limits.place().now_or_never().is_some());
}
