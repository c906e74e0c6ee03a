//! Workflows of any type: started, looked at, waited for, ended.

use sealane_client::{
    decode::Decoder,
    workflow::{Execution, Workflows},
};
use sealane_service::encryption;
use sealane_tests::World;
use serde_json::json;
use temporalio_common::protos::temporal::api::history::v1::history_event::Attributes;

use crate::service::{Service, order_document};

#[tokio::test]
async fn a_workflow_is_started_and_its_result_waited_for() -> anyhow::Result<()> {
    let service = Service::start().await?;
    let id = service.world.id("greeting/ü");
    let body = json!({
        "type": "GreetingWorkflow",
        "workflowId": id,
        "input": ["Ada"],
        "memo": {"note": {"n": 1}},
        "executionTimeout": "1h",
        "runTimeout": "30m",
        "taskTimeout": "10s",
    });

    let started = service.post("/api/v1/workflows", &body).await;
    let location = started.header("location").to_owned();
    let result = service.get(&format!("{location}/result?wait=60s")).await;
    let described = service.get(&location).await.is(200);

    let ids = started.is(202);
    assert_eq!(ids["workflowId"], id);
    assert_eq!(ids["started"], true);
    assert!(location.contains("greeting%2F%C3%BC-"), "{location}");
    let result = result.is(200);
    assert_eq!(result["result"], "Final result: Processed: Hello, Ada!");
    assert_eq!(result["status"], "COMPLETED");
    assert_eq!(result["runId"], ids["runId"]);
    assert_eq!(described["memo"], json!({"note": {"n": 1}}));
    assert_eq!(described["type"], "GreetingWorkflow");
    Ok(())
}

#[tokio::test]
async fn an_id_that_is_taken_is_a_conflict_unless_the_policy_says_otherwise() -> anyhow::Result<()>
{
    let service = Service::alone().await?;
    let id = service.start_idle().await;
    let with = |policy: &str| json!({"type": "Idle", "workflowId": id, "idConflictPolicy": policy});

    let refused = service.post("/api/v1/workflows", &with("Fail")).await;
    let joined = service
        .post("/api/v1/workflows", &with("UseExisting"))
        .await;
    let replaced = service
        .post("/api/v1/workflows", &with("TerminateExisting"))
        .await;
    let rejected = json!({"type": "Idle", "workflowId": id, "idReusePolicy": "RejectDuplicate"});
    service
        .post(&format!("/api/v1/workflows/{id}/terminate"), &json!({}))
        .await
        .is(202);
    let rejected = service.post("/api/v1/workflows", &rejected).await;

    let both = json!({
        "type": "Idle",
        "idConflictPolicy": "TerminateExisting",
        "idReusePolicy": "RejectDuplicate",
    });
    let senseless = service.post("/api/v1/workflows", &both).await;

    senseless.is_problem(422, "unprocessable");
    let first = refused.is_problem(409, "workflow-already-started")["runId"].clone();
    let joined = joined.is(200);
    assert_eq!(joined["started"], false);
    assert_eq!(joined["runId"], first);
    assert_ne!(replaced.is(202)["runId"], first);
    rejected.is_problem(409, "workflow-already-started");
    Ok(())
}

#[tokio::test]
async fn a_workflow_that_runs_has_no_result_yet() -> anyhow::Result<()> {
    let service = Service::alone().await?;
    let id = service.start_idle().await;

    for path in [
        format!("/api/v1/workflows/{id}/result"),
        format!("/api/v1/workflows/{id}/result?wait=100ms"),
    ] {
        let answer = service.get(&path).await;

        assert_eq!(answer.is(202)["status"], "RUNNING");
        assert_eq!(answer.header("retry-after"), "1");
        let location = format!("/api/v1/workflows/{id}/result");
        assert_eq!(answer.header("location"), location);
    }
    Ok(())
}

#[tokio::test]
async fn every_ending_without_a_result_has_its_own_problem() -> anyhow::Result<()> {
    let service = Service::start().await?;
    let start = |name: &str, queue: &str, limit: &str| {
        let id = service.world.id(name);
        (
            json!({"type": "Idle", "workflowId": id, "taskQueue": queue, "runTimeout": limit}),
            format!("/api/v1/workflows/{id}"),
        )
    };

    let (body, late) = start("late", "nobody", "1s");
    service.post("/api/v1/workflows", &body).await.is(202);
    let (body, killed) = start("killed", "nobody", "1h");
    service.post("/api/v1/workflows", &body).await.is(202);
    let reason = json!({"reason": "no longer needed"});
    let path = format!("{killed}/terminate");
    service.post(&path, &reason).await.is(202);
    let cancelled = service.place_and_pause().await;
    let cancelled = format!("/api/v1/workflows/order-{cancelled}");
    let path = format!("{cancelled}/cancel");
    service.post(&path, &json!(null)).await.is(202);
    let invalid = service.world.id("invalid");
    let mut order = order_document("A-1");
    order["items"] = json!([]);
    let body = json!({"type": "OrderWorkflow", "workflowId": invalid, "input": [order]});
    service.post("/api/v1/workflows", &body).await.is(202);

    let end = |path: &str| format!("{path}/result?wait=60s");
    let late = service.get(&end(&late)).await;
    let killed = service.get(&end(&killed)).await;
    let cancelled = service.get(&end(&cancelled)).await;
    let invalid = format!("/api/v1/workflows/{invalid}");
    let invalid = service.get(&end(&invalid)).await;

    late.is_problem(422, "workflow-timed-out");
    let killed = killed.is_problem(422, "workflow-terminated");
    assert_eq!(killed["reason"], "no longer needed");
    cancelled.is_problem(422, "workflow-canceled");
    let failure = invalid.is_problem(422, "workflow-failed")["failure"].clone();
    assert_eq!(failure["type"], "InvalidOrder");
    let text = failure["message"].as_str().unwrap_or_default();
    assert!(text.contains("items is empty"), "{failure}");
    Ok(())
}

#[tokio::test]
async fn a_workflow_that_is_not_there_is_not_found_by_any_route() -> anyhow::Result<()> {
    let service = Service::alone().await?;
    let base = format!("/api/v1/workflows/{}", service.world.id("nothing"));

    for path in [base.clone(), format!("{base}/result?wait=5s")] {
        let answer = service.get(&path).await;
        answer.is_problem(404, "workflow-not-found");
    }
    for route in [
        "cancel",
        "terminate",
        "signals/s",
        "queries/q",
        "updates/u?wait=5s",
    ] {
        let answer = service.post(&format!("{base}/{route}"), &json!({})).await;
        answer.is_problem(404, "workflow-not-found");
    }
    Ok(())
}

#[tokio::test]
async fn what_has_ended_can_be_told_nothing() -> anyhow::Result<()> {
    let service = Service::alone().await?;
    let base = format!("/api/v1/workflows/{}", service.start_idle().await);
    let path = format!("{base}/terminate");
    service.post(&path, &json!({})).await.is(202);

    for route in ["cancel", "terminate", "signals/s", "updates/u?wait=5s"] {
        let answer = service.post(&format!("{base}/{route}"), &json!({})).await;
        answer.is_problem(409, "workflow-ended");
    }
    Ok(())
}

#[tokio::test]
async fn what_temporal_finds_too_large_is_refused_in_the_same_way_everywhere() -> anyhow::Result<()>
{
    let service = Service::start().await?;
    let order = service.place_and_pause().await;
    let base = format!("/api/v1/workflows/order-{order}");
    let large = "a".repeat(3_000_000);

    for (path, body) in [
        (
            "/api/v1/workflows".to_owned(),
            json!({"type": "Idle", "input": [large]}),
        ),
        (format!("{base}/signals/s"), json!({"input": [large]})),
        (
            format!("{base}/updates/change_address"),
            json!({"input": [large]}),
        ),
    ] {
        let answer = service.post(&path, &body).await;
        answer.is_problem(413, "payload-too-large");
    }
    let asked = service
        .post(
            &format!("{base}/queries/status"),
            &json!({"input": [large]}),
        )
        .await;
    asked.is_problem(413, "payload-too-large");
    Ok(())
}

#[tokio::test]
async fn names_that_look_like_others_are_refused() -> anyhow::Result<()> {
    let service = Service::alone().await?;

    for name in [".", "..", "a\nb", "a\u{202E}b", "\u{2066}a"] {
        let body = json!({"type": "Idle", "workflowId": name});
        let answer = service.post("/api/v1/workflows", &body).await;
        answer.is_problem(400, "bad-request");
        let mut order = order_document("A-1");
        order["id"] = json!(name);
        let answer = service.post("/orders", &order).await;
        answer.is_problem(400, "bad-request");
    }
    for name in ["a%0Ab", "%E2%80%AE"] {
        let answer = service.get(&format!("/api/v1/workflows/{name}")).await;
        answer.is_problem(400, "bad-request");
    }
    Ok(())
}

#[tokio::test]
async fn a_key_that_is_used_up_starts_nothing_and_says_so() -> anyhow::Result<()> {
    let mut world = World::new().await;
    world.set("SEALANE_KEY_SEAL_LIMIT", "1");
    world.set("SEALANE_KEY_EXHAUSTED", "refuse");
    let service = Service::alone_in(world).await?;
    service.start_idle().await;

    let body = json!({"type": "Idle", "input": ["canary"]});
    let answer = service.post("/api/v1/workflows", &body).await;

    let detail = answer.is_problem(503, "cannot-encrypt")["detail"].to_string();
    assert!(detail.contains("rotate it"), "{detail}");
    assert!(!detail.contains("canary"), "{detail}");
    Ok(())
}

#[tokio::test]
async fn arguments_are_sent_digit_for_digit() -> anyhow::Result<()> {
    let service = Service::alone().await?;
    let id = service.world.id("digits");
    let body =
        format!(r#"{{"type": "Idle", "workflowId": "{id}", "input": [12345678901234567890.10]}}"#);

    let json = |request: reqwest::RequestBuilder| {
        request
            .header("content-type", "application/json")
            .body(body)
    };
    service
        .send("POST", "/api/v1/workflows", json)
        .await
        .is(202);

    let sent = first_argument(&service, &id).await?;
    assert_eq!(sent, "12345678901234567890.10");
    Ok(())
}

/// The first argument of a workflow, decrypted, as it was sent.
async fn first_argument(service: &Service, id: &str) -> anyhow::Result<String> {
    let codec = encryption::codec(&service.world.settings().encryption).await?;
    let workflows = Workflows::new(service.world.client().await, codec.clone());
    let execution = Execution {
        workflow_id: id.to_owned(),
        run_id: None,
    };
    let mut history = workflows.encrypted_history(&execution).await?;
    Decoder::new(codec).open(&mut history).await?;
    let first = history.events.into_iter().next();
    let Some(Attributes::WorkflowExecutionStartedEventAttributes(started)) =
        first.and_then(|event| event.attributes)
    else {
        anyhow::bail!("the history does not begin with a start");
    };
    let input = started.input.unwrap_or_default().payloads;
    let first = input.into_iter().next().unwrap_or_default();
    Ok(String::from_utf8(first.data)?)
}
