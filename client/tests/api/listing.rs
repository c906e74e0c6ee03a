//! Lists, page by page.

use std::collections::BTreeSet;

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::Value;

use crate::service::Service;

#[tokio::test]
async fn a_list_is_read_page_by_page() -> anyhow::Result<()> {
    let service = Service::alone().await?;
    let mut started = BTreeSet::new();
    for number in 0..3 {
        let id = format!("{}-{number}", service.world.id("listed"));
        let body = serde_json::json!({"type": "Idle", "workflowId": id});
        service.post("/api/v1/workflows", &body).await.is(202);
        started.insert(id);
    }
    let query = format!("TaskQueue = '{}'", service.world.task_queue());
    let path = format!("/api/v1/workflows?query={}", query.replace(' ', "%20"));

    // Lists lag behind.
    let all = |answer: &crate::answer::Answer| ids(&answer.is(200)).len() == 3;
    service.until(&path, all).await;
    let first = service.get(&format!("{path}&pageSize=2")).await.is(200);
    let page = first["nextPage"].as_str().unwrap_or_default();
    let path = format!("{path}&pageSize=2&page={page}");
    let second = service.get(&path).await.is(200);

    assert_eq!(ids(&first).len(), 2);
    let both: BTreeSet<_> = ids(&first).union(&ids(&second)).cloned().collect();
    assert_eq!(both, started);
    assert_eq!(second["nextPage"], Value::Null);
    Ok(())
}

#[tokio::test]
async fn a_bad_query_and_a_bad_page_are_refused() -> anyhow::Result<()> {
    let service = Service::alone().await?;

    for query in [
        "query=Nothing%20=%201",
        "query=(",
        "pageSize=0",
        "pageSize=1001",
        "pageSize=many",
        "page=!",
        "page=aaaa",
        "limit=5",
        &format!("page={}", made_up(b"token")),
        &format!("page={}", made_up(&[0, 255])),
    ] {
        let answer = service.get(&format!("/api/v1/workflows?{query}")).await;
        answer.is_problem(400, "bad-request");
    }
    let answer = service.get("/api/v1/workflows?pagesize=5").await;
    let detail = answer.is_problem(400, "bad-request")["detail"].to_string();
    assert!(detail.contains("`pageSize`"), "{detail}");
    Ok(())
}

/// A page of the list of everything, with a token that the server has not given.
fn made_up(token: &[u8]) -> String {
    let digest = digest(&SHA256, &[&0_u64.to_be_bytes(), token].concat());
    let sum = digest.as_ref().iter().take(8).copied();
    let page: Vec<_> = sum.chain(token.iter().copied()).collect();
    BASE64_URL_SAFE_NO_PAD.encode(page)
}

fn ids(page: &Value) -> BTreeSet<String> {
    let rows = page["workflows"].as_array().into_iter().flatten();
    rows.filter_map(|row| row["workflowId"].as_str())
        .map(str::to_owned)
        .collect()
}
