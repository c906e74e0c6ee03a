//! Payloads that Temporal does not take.

use serde_json::json;

use crate::service::Service;

#[tokio::test]
async fn what_temporal_does_not_take_is_refused_with_its_name_and_size() -> anyhow::Result<()> {
    let service = Service::alone().await?;
    let id = service.start_idle().await;
    let bulk = "x".repeat(2_200_000);

    let start = json!({"type": "Idle", "input": [bulk]});
    let started = service.post("/api/v1/workflows", &start).await;
    let signal = format!("/api/v1/workflows/{id}/signals/take");
    let signalled = service.post(&signal, &json!({"input": [bulk]})).await;

    for (answer, field) in [
        (started, r#"input of workflow "Idle""#),
        (signalled, r#"input of signal "take""#),
    ] {
        let problem = answer.documented().is_problem(413, "payload-too-large");
        let detail = problem["detail"].as_str().unwrap_or_default();
        let expected = format!("nothing was sent: {field} is 22");
        assert!(detail.starts_with(&expected), "{detail}");
        assert!(
            detail.contains("the limit of the namespace is 2097152"),
            "{detail}"
        );
    }
    Ok(())
}
