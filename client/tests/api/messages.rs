//! Signals, queries and updates.

use sealane_tests::orders::address;
use serde_json::json;

use crate::service::Service;

#[tokio::test]
async fn an_open_order_takes_messages() -> anyhow::Result<()> {
    let service = Service::start().await?;
    service.gateway.take_down().await;
    let base = format!("/api/v1/workflows/order-{}", service.place().await);

    let path = format!("{base}/queries/status");
    let status = service.send("POST", &path, |request| request).await;
    let body = json!({"input": [address("Unter den Linden 5")], "updateId": "u1"});
    let path = format!("{base}/updates/change_address");
    let changed = service.post(&path, &body).await;
    let again = service.post(&path, &body).await;
    let body = json!({"input": ["ordered twice"]});
    let signalled = service.post(&format!("{base}/signals/cancel"), &body).await;
    service.gateway.bring_up().await?;
    let ended = service.get(&format!("{base}/result?wait=60s")).await;

    assert_eq!(status.is(200)["result"], "reserving");
    let changed = changed.is(200);
    assert_eq!(changed["result"]["street"], "Unter den Linden 5");
    assert_eq!(changed["updateId"], "u1");
    assert_eq!(again.is(200), changed);
    assert_eq!(signalled.is(202)["signal"], "cancel");
    assert_eq!(ended.is(200)["result"]["reason"], "ordered twice");
    Ok(())
}

#[tokio::test]
async fn what_a_workflow_does_not_know_or_refuses_is_told_in_its_words() -> anyhow::Result<()> {
    let service = Service::start().await?;
    let base = format!(
        "/api/v1/workflows/order-{}",
        service.place_and_pause().await
    );

    let unknown = service
        .post(&format!("{base}/queries/nothing"), &json!({}))
        .await;
    let unheard = service
        .post(&format!("{base}/updates/nothing"), &json!({}))
        .await;
    let late = json!({"input": [address("Unter den Linden 5")]});
    let late = service
        .post(&format!("{base}/updates/change_address"), &late)
        .await;

    unknown.is_problem(422, "query-failed");
    unheard.is_problem(422, "update-failed");
    let failure = late.is_problem(422, "update-failed")["failure"].to_string();
    assert!(failure.contains("only before shipping starts"), "{failure}");
    Ok(())
}

#[tokio::test]
async fn without_a_worker_questions_come_to_an_end() -> anyhow::Result<()> {
    let service = Service::alone().await?;
    let base = format!("/api/v1/workflows/{}", service.start_idle().await);

    let query = service
        .post(&format!("{base}/queries/status"), &json!({}))
        .await;
    let path = format!("{base}/updates/change?wait=1s");
    let update = service.post(&path, &json!({"updateId": "u1"})).await;

    query.is_problem(504, "no-worker");
    assert_eq!(update.is_problem(504, "no-worker")["updateId"], "u1");
    Ok(())
}

#[tokio::test]
async fn requests_that_make_no_sense_are_refused_without_being_quoted() -> anyhow::Result<()> {
    let service = Service::alone().await?;
    let base = format!("/api/v1/workflows/{}", service.start_idle().await);
    let deep = format!(
        r#"{{"input":[{}"canary"{}]}}"#,
        "[".repeat(128),
        "]".repeat(128)
    );
    let send = |route: &'static str, body: String, media: &'static str| {
        let path = format!("{base}/{route}");
        let service = &service;
        async move {
            let finish =
                |request: reqwest::RequestBuilder| request.header("content-type", media).body(body);
            service.send("POST", &path, finish).await
        }
    };

    let json = "application/json";
    for (body, media, status) in [
        (r#"{"canary": 1}"#.to_owned(), json, 400),
        (r#"{"input": "canary"}"#.to_owned(), json, 400),
        ("canary".to_owned(), json, 400),
        (deep, json, 422),
        ("{}".to_owned(), "text/canary", 415),
    ] {
        let answer = send("signals/s", body, media).await;

        assert_eq!(answer.status, status, "{answer}");
        assert!(!answer.text.contains("canary"), "{answer}");
        assert_eq!(answer.header("content-type"), "application/problem+json");
    }
    let answer = service
        .post(&format!("{base}/signals/s"), &json!({"input": "canary"}))
        .await;
    let detail = answer.is_problem(400, "bad-request")["detail"].to_string();
    assert!(detail.contains("`input`"), "{detail}");
    let answer = service.get(&format!("{base}/result?wait=canary")).await;
    let detail = answer.is_problem(400, "bad-request")["detail"].to_string();
    assert!(detail.contains("`wait`"), "{detail}");
    for path in [
        format!("{base}/result?wait=canary"),
        format!("{base}/result?canary=1"),
        format!("{base}?runId=canary"),
        format!("/api/v1/workflows/{}", "canary".repeat(34)),
    ] {
        let answer = service.get(&path).await;
        assert!(!answer.text.contains("canary"), "{answer}");
        answer.is_problem(400, "bad-request");
    }
    Ok(())
}
