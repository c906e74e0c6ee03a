//! Lists, page by page.

use std::collections::BTreeSet;

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
    ] {
        let answer = service.get(&format!("/api/v1/workflows?{query}")).await;
        answer.is_problem(400, "bad-request");
    }
    Ok(())
}

fn ids(page: &Value) -> BTreeSet<String> {
    let rows = page["workflows"].as_array().into_iter().flatten();
    rows.filter_map(|row| row["workflowId"].as_str())
        .map(str::to_owned)
        .collect()
}
