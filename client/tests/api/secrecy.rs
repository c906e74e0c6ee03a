//! What is sent to the API reaches nobody but the worker.

use std::{fs, path::Path};

use sealane_dev::server::{DevServer, Options};
use sealane_tests::{World, temporal_cli};
use serde_json::json;

use crate::service::{Service, order_document};

/// Found nowhere by chance.
const CANARY: &str = "canary-3d81c0aa97f4";

/// What may be seen. Proves that the search finds what is there.
const VISIBLE: &str = "visible-3d81c0aa97f4";

#[tokio::test]
async fn neither_the_log_nor_the_database_shows_what_was_sent() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let options = Options {
        database: Some(folder.path().join("temporal.db")),
        ..Options::default()
    };
    let server = DevServer::start(&temporal_cli().await?, &options).await?;
    let mut world = World::on(&server);
    world.set("SEALANE_LOG", "trace");
    let service = Service::start_in(world).await?;

    talk(&service).await;

    service.process.signal("TERM").await?;
    let said = service.process.ends().await?.said;
    assert!(
        said.iter().any(|line| line.contains("TRACE")),
        "not everything was logged"
    );
    let told = said.iter().find(|line| line.contains(CANARY));
    assert_eq!(told, None);
    drop(server);
    assert_database_is_clean(folder.path())
}

/// Says the canary wherever something is said that a worker is to read.
async fn talk(service: &Service) {
    let mut order = order_document(VISIBLE);
    order["card_token"] = json!(CANARY);
    order["address"]["street"] = json!(CANARY);
    service.post("/orders", &order).await.is(202);
    let base = format!("/api/v1/workflows/order-{VISIBLE}");
    let body = json!({"input": [{"name": CANARY}]});
    service
        .post(&format!("{base}/updates/change_address"), &body)
        .await;
    service
        .post(&format!("{base}/queries/{VISIBLE}"), &body)
        .await;
    let body = json!({"input": [CANARY]});
    service.post(&format!("{base}/signals/cancel"), &body).await;
    let body = json!({"reason": CANARY});
    service
        .post(&format!("/orders/{VISIBLE}/cancel"), &body)
        .await;
    service.get(&format!("{base}/result?wait=60s")).await;
    let body = json!({
        "type": "GreetingWorkflow",
        "workflowId": format!("greeting-{VISIBLE}"),
        "input": [CANARY],
        "memo": {"note": CANARY},
    });
    service.post("/api/v1/workflows", &body).await.is(202);
    let shown = format!("/api/v1/workflows/greeting-{VISIBLE}");
    let shown = service.get(&shown).await.is(200);
    assert_eq!(shown["memo"]["note"], CANARY, "it was sent");
    let greeted = service.get(&format!("/sync?name={CANARY}&wait=60s")).await;
    assert!(greeted.is(200).to_string().contains(CANARY));
    let wrong = json!({"type": "GreetingWorkflow", "unknown": CANARY});
    service.post("/api/v1/workflows", &wrong).await.is(400);
}

fn assert_database_is_clean(folder: &Path) -> anyhow::Result<()> {
    let mut controls = 0;
    for file in fs::read_dir(folder)? {
        let path = file?.path();
        let bytes = fs::read(&path)?;
        let holds = |text: &str| bytes.windows(text.len()).any(|it| it == text.as_bytes());
        controls += usize::from(holds(VISIBLE));
        assert!(!holds(CANARY), "plaintext in {}", path.display());
    }
    assert!(
        controls > 0,
        "not even ids are found, so the search is blind"
    );
    Ok(())
}
