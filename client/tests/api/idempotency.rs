//! Requests that are repeated.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use serde_json::json;

use crate::{continued::continue_with_a_note, service::Service};

#[tokio::test]
async fn a_hundred_requests_with_one_key_start_one_workflow() -> anyhow::Result<()> {
    let service = Service::start().await?;
    let key = service.world.id("key");
    let body = json!({"type": "GreetingWorkflow", "input": ["Ada"]});

    let requests = (0..100).map(|_| service.post_once(&key, "/api/v1/workflows", &body));
    let answers = join_all(requests).await;

    let first: Vec<_> = answers.iter().filter(|it| it.status == 202).collect();
    assert_eq!(first.len(), 1, "{} said that they started it", first.len());
    let ids: BTreeSet<_> = answers
        .iter()
        .map(|answer| {
            assert!(matches!(answer.status, 200 | 202), "{answer}");
            let ids = answer.is(answer.status);
            (ids["workflowId"].to_string(), ids["runId"].to_string())
        })
        .collect();
    assert_eq!(ids.len(), 1, "{ids:?}");
    let query = format!("TaskQueue = '{}'", service.world.task_queue()).replace(' ', "%20");
    let path = format!("/api/v1/workflows?query={query}");
    let rows =
        |answer: &crate::answer::Answer| answer.is(200)["workflows"].as_array().map_or(0, Vec::len);
    assert_eq!(rows(&service.until(&path, |it| rows(it) > 0).await), 1);
    Ok(())
}

#[tokio::test]
async fn a_key_belongs_to_one_request_even_after_its_workflow_has_ended() -> anyhow::Result<()> {
    let service = Service::start().await?;
    let key = service.world.id("key");
    let body = json!({"type": "GreetingWorkflow", "input": ["Ada"]});
    let first = service.post_once(&key, "/api/v1/workflows", &body).await;
    let location = first.header("location").to_owned();
    service
        .get(&format!("{location}/result?wait=60s"))
        .await
        .is(200);

    let again = service.post_once(&key, "/api/v1/workflows", &body).await;
    let mut first = first.is(202);
    first["started"] = json!(false);
    assert_eq!(again.is(200), first);
    for other in [
        json!({"type": "GreetingWorkflow", "input": ["Bob"]}),
        json!({"type": "OrderWorkflow", "input": ["Ada"]}),
        json!({"type": "GreetingWorkflow", "input": ["Ada"], "taskQueue": "other"}),
    ] {
        let answer = service.post_once(&key, "/api/v1/workflows", &other).await;
        answer.is_problem(422, "idempotency-key-reused");
    }
    let described = service.get(&location).await.is(200);
    assert!(described.get("memo").is_none(), "{described}");
    Ok(())
}

#[tokio::test]
async fn a_key_still_belongs_to_a_workflow_that_went_on_with_notes_of_its_own() -> anyhow::Result<()>
{
    let service = Service::alone().await?;
    let key = service.world.id("key");
    let body = json!({"type": "Idle", "input": ["Ada"]});
    let first = service.post_once(&key, "/api/v1/workflows", &body).await;
    let location = first.header("location").to_owned();
    let mut first = first.is(202);
    let client = service.world.client().await;

    continue_with_a_note(&client, service.world.task_queue()).await?;

    let described = service.get(&location).await.is(200);
    assert_eq!(described["memo"], json!({"note": "mine"}));
    assert_ne!(described["runId"], first["runId"]);
    let again = service.post_once(&key, "/api/v1/workflows", &body).await;
    first["started"] = json!(false);
    assert_eq!(again.is(200), first);
    let other = json!({"type": "Idle", "input": ["Bob"]});
    let answer = service.post_once(&key, "/api/v1/workflows", &other).await;
    answer.is_problem(422, "idempotency-key-reused");
    Ok(())
}

#[tokio::test]
async fn a_key_beside_an_id_means_the_id() -> anyhow::Result<()> {
    let service = Service::alone().await?;
    let id = service.world.id("named");
    let body = json!({"type": "Idle", "workflowId": id});

    let first = service.post_once("key-1", "/api/v1/workflows", &body).await;
    let again = service.post_once("key-2", "/api/v1/workflows", &body).await;
    let foreign = json!({"type": "Idle", "workflowId": service.start_idle().await});
    let foreign = service
        .post_once("key-3", "/api/v1/workflows", &foreign)
        .await;

    let first = first.is(202);
    assert_eq!(first["workflowId"], id);
    assert_eq!(again.is(200)["runId"], first["runId"]);
    foreign.is_problem(422, "idempotency-key-reused");
    Ok(())
}

#[tokio::test]
async fn a_bad_key_and_a_key_with_policies_are_refused() -> anyhow::Result<()> {
    let service = Service::alone().await?;
    let body = json!({"type": "Idle"});

    let long = "k".repeat(256);
    for key in ["", "two words", long.as_str()] {
        let answer = service.post_once(key, "/api/v1/workflows", &body).await;
        answer.is_problem(400, "bad-request");
    }
    let body = json!({"type": "Idle", "idReusePolicy": "AllowDuplicate"});
    let answer = service.post_once("key", "/api/v1/workflows", &body).await;
    answer.is_problem(422, "unprocessable");
    Ok(())
}
