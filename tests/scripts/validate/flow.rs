//! The workflow that it starts, and the proof that the server holds nothing else than ciphertext of it.

use serde_json::{Value, json};

use super::{
    cluster::{Cluster, validate},
    history::{KEY, payload, plain},
};
use crate::harness::{Outcome, Reply};

/// Validates with a history that was spoilt.
fn spoilt(spoil: fn(&mut Value, &str)) -> Outcome {
    let cluster = Cluster::healthy();
    cluster.things().spoil = spoil;
    validate(&cluster.world(), &["--once"])
}

fn input(history: &mut Value) -> &mut Value {
    &mut history["events"][0]["attributes"]["WorkflowExecutionStartedEventAttributes"]
}

#[test]
fn the_word_goes_in_encrypted_only() {
    let cluster = Cluster::healthy();
    let outcome = validate(&cluster.world(), &["--once"]);

    outcome.succeeds();
    for (id, word) in cluster.api.started.lock().unwrap().iter() {
        assert!(
            word.len() >= 32 && !id.contains(word.as_str()),
            "{id} {word}"
        );
        assert!(
            !outcome
                .calls
                .iter()
                .any(|call| call.program != "jq" && call.line().contains(word.as_str()))
        );
    }
}

#[test]
fn a_payload_that_is_not_encrypted_is_found_wherever_it_is() {
    spoilt(|history, _| input(history)["input"]["payloads"][0] = plain("somebody"))
        .fails(1, "history-plaintext")
        .says("input.payloads.0");
    spoilt(|history, _| input(history)["memo"] = json!({"fields": {"note": plain("x")}}))
        .fails(1, "history-plaintext")
        .says("memo");
    spoilt(|history, _| history["events"][3]["user_metadata"] = json!({"summary": plain("x")}))
        .fails(1, "history-plaintext")
        .says("user_metadata");
    spoilt(|history, _| {
        history["events"][7]["attributes"]["WorkflowExecutionCompletedEventAttributes"]["result"]
            ["payloads"][0]["metadata"]["encoding"] = json!("");
    })
    .fails(1, "history-plaintext");
}

#[test]
fn plaintext_that_says_it_is_encrypted_is_found_by_the_word() {
    spoilt(|history, word| {
        input(history)["input"]["payloads"][0] = payload(
            "binary/encrypted",
            KEY,
            format!("{{\"name\": \"{word}\", \"more\": \"to be long enough\"}}").as_bytes(),
        )
    })
    .fails(1, "history-plaintext")
    .says("the word");
}

#[test]
fn the_word_is_found_in_ids_headers_and_keys() {
    spoilt(|history, word| input(history)["identity"] = json!(format!("client of {word}")))
        .fails(1, "history-plaintext");
    spoilt(|history, word| input(history)["header"]["fields"]["name"] = plain(word))
        .fails(1, "history-plaintext");
    spoilt(|history, word| input(history)["memo"] = json!({"fields": {(word): 1}}))
        .fails(1, "history-plaintext");
}

#[test]
fn a_payload_too_short_for_ciphertext_is_none() {
    spoilt(|history, _| {
        input(history)["input"]["payloads"][0] =
            payload("binary/encrypted", KEY, b"twenty-seven bytes are few.")
    })
    .fails(1, "history-plaintext");
}

#[test]
fn another_key_than_the_active_one_is_found() {
    spoilt(|history, _| {
        let noise = [200; 60];
        input(history)["input"]["payloads"][0] = payload("binary/encrypted", "old", &noise);
    })
    .fails(1, "history-key")
    .says("old");

    let cluster = Cluster::healthy();
    cluster.things().keys = json!([{"keyId": KEY, "stage": "decrypts"}]);
    validate(&cluster.world(), &["--once"]).fails(1, "history-key");
}

#[test]
fn a_history_that_is_not_whole_or_not_ours_proves_nothing() {
    spoilt(|history, _| *history = json!({"events": []})).fails(1, "history-unreadable");
    spoilt(|history, _| *history = json!({})).fails(1, "history-unreadable");
    spoilt(|history, _| input(history)["workflow_id"] = json!("another"))
        .fails(1, "history-unreadable");
    spoilt(|history, _| {
        history["events"].as_array_mut().unwrap().pop();
    })
    .fails(1, "history-unreadable");
    spoilt(|history, _| {
        history["events"].as_array_mut().unwrap().drain(1..5);
    })
    .fails(1, "history-unreadable")
    .says("expected 8");
}

#[test]
fn a_history_or_a_list_of_keys_that_cannot_be_read_proves_nothing() {
    for (pattern, slug) in [
        (
            "kubectl exec -- sealane workflow history",
            "history-unreadable",
        ),
        ("kubectl exec -- sealane keys list", "keys-unreadable"),
    ] {
        let world = Cluster::healthy().world();
        world.answer(pattern, Reply::fail(69, "sealane: no server"));
        validate(&world, &["--once"])
            .fails(1, slug)
            .says("no server");
    }
    for garbage in ["", "null", "<html>", "[]"] {
        let world = Cluster::healthy().world();
        world.answer(
            "kubectl exec -- sealane workflow history",
            Reply::ok(garbage),
        );
        validate(&world, &["--once"]).fails(1, "history-unreadable");
    }
}

#[test]
fn plaintext_that_somebody_else_put_there_is_found() {
    let world = Cluster::healthy().world();
    let plain = json!({"kind": "plaintext", "keyId": null, "payloads": 2, "workflows": 1, "examples": ["order-7"]});
    world.answer(
        "kubectl exec -- sealane keys audit",
        json!({"workflows": 9, "keys": [{"kind": "key", "workflows": 8}, plain]}),
    );

    let outcome = validate(&world, &["--once"]);

    outcome.fails(1, "history-plaintext").says("order-7");
    let asked = outcome.call("kubectl exec -- sealane keys audit --closed");
    let query = asked.value("--query").unwrap();
    assert!(
        query.starts_with("TaskQueue = 'sealane' AND StartTime > '20"),
        "{query}"
    );
}

#[test]
fn an_audit_that_cannot_be_read_proves_nothing() {
    for reply in [
        Reply::fail(69, "sealane: no server"),
        Reply::ok(""),
        Reply::ok("[]"),
        Reply::ok("{}"),
        Reply::ok("<html>"),
    ] {
        let world = Cluster::healthy().world();
        world.answer("kubectl exec -- sealane keys audit", reply);
        validate(&world, &["--once"]).fails(1, "history-unreadable");
    }
}

#[test]
fn a_result_that_another_input_makes_is_refused() {
    for (field, value) in [
        ("result", "Final result: Processed: Hello, World!"),
        ("workflowId", "another"),
        ("status", "FAILED"),
        ("result", ""),
    ] {
        let cluster = Cluster::healthy();
        let api = cluster.api.clone();
        cluster.api.instead(move |request| {
            let id = request.path.split('/').nth(4)?;
            request.path.contains("/result").then(|| {
                let mut answer = json!({"workflowId": id, "runId": "1", "status": "COMPLETED", "result": format!("Final result: Processed: Hello, {}!", api.word(id))});
                answer[field] = json!(value);
                (200, answer)
            })
        });
        validate(&cluster.world(), &["--once"]).fails(1, "wrong-result");
    }
}

#[test]
fn no_result_is_not_the_right_one() {
    let cluster = Cluster::healthy();
    cluster.api.instead(|request| {
        request
            .path
            .contains("/result")
            .then_some((200, Value::Null))
    });
    validate(&cluster.world(), &["--once"]).fails(1, "wrong-result");

    let world = Cluster::healthy().world();
    world.on(|call| {
        let asks = call.program == "curl" && call.line().contains("/result?");
        asks.then(|| Reply::ok("\n200 0.010000"))
    });
    validate(&world, &["--once"]).fails(1, "wrong-result");
}

#[test]
fn a_workflow_that_does_not_end_is_told_with_where_to_look() {
    let cluster = Cluster::healthy();
    cluster.api.instead(|request| {
        request
            .path
            .contains("/result")
            .then(|| (202, json!({"status": "RUNNING"})))
    });

    validate(&cluster.world(), &["--once"])
        .fails(1, "no-result")
        .says("sealane workflow describe");
}

#[test]
fn a_workflow_that_fails_is_told_by_its_problem() {
    let cluster = Cluster::healthy();
    cluster.api.instead(|request| {
        request.path.contains("/result").then(|| {
            (
                422,
                json!({"type": "urn:sealane:problem:workflow-failed", "status": 422}),
            )
        })
    });

    validate(&cluster.world(), &["--once"])
        .fails(1, "api-failed")
        .says("workflow-failed");
}

#[test]
fn an_id_that_was_taken_before_is_no_start() {
    let cluster = Cluster::healthy();
    cluster
        .api
        .instead(|request| (request.method == "POST").then(|| (200, json!({"workflowId": "x"}))));

    validate(&cluster.world(), &["--once"])
        .fails(1, "api-failed")
        .says("200");
}

#[test]
fn an_order_reaches_its_receipt() {
    let cluster = Cluster::healthy();

    let outcome = validate(&cluster.world(), &["--workflow", "order", "--once"]);

    outcome
        .succeeds()
        .called("kubectl exec -- sealane workflow history --workflow-id order-validate-*");
    let started = cluster.api.started.lock().unwrap();
    assert!(!started[0].1.is_empty(), "the word is in the address");
}

#[test]
fn an_order_that_was_not_shipped_is_wrong() {
    let cluster = Cluster::healthy();
    cluster.api.instead(|request| {
        let id = request.path.strip_prefix("/orders/")?;
        Some((200, json!({"order_id": id, "status": "COMPLETED", "receipt": {"status": "cancelled", "order_id": id}})))
    });

    validate(&cluster.world(), &["--workflow", "order", "--once"]).fails(1, "wrong-result");
}

#[test]
fn an_audit_of_nothing_proves_nothing_and_is_asked_for_again() {
    let empty = json!({"workflows": 0, "keys": []});
    let world = Cluster::healthy().world();
    world.answer("kubectl exec -- sealane keys audit", empty.clone());
    let outcome = validate(&world, &["--once"]);
    outcome
        .fails(1, "history-unreadable")
        .says("found no workflow");
    assert_eq!(outcome.count("kubectl exec -- sealane keys audit"), 12);

    let world = Cluster::healthy().world();
    let mut asked = 0;
    world.on(move |call| {
        let early = call.is("kubectl exec -- sealane keys audit") && asked < 2;
        early.then(|| {
            asked += 1;
            empty.clone().into()
        })
    });
    let outcome = validate(&world, &["--once"]);
    assert_eq!(outcome.succeeds().summary()["audited_workflows"], 3);
}
