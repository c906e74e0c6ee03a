//! Neither the vault nor Entra can be reached.

use sealane_tests::azure::Endpoint;

use super::scene::{DAY, Scene, lines};

const FAILURES: &str = r#"sealane_key_refresh_failures_total{reason="unreachable"}"#;
const LAST_SUCCESS: &str = "sealane_key_refresh_last_success_timestamp_seconds";

/// Refreshes that fail before a test believes that nothing else does.
const REFRESHES: usize = 5;

#[tokio::test]
async fn a_vault_that_stays_away_after_the_start_is_noticed_by_metrics_alone() -> anyhow::Result<()>
{
    let scene = Scene::open(&[("SEALANE_KEY_REFRESH", "1s")]).await?;
    let fake = &scene.vault.fake;
    scene.vault.add_key(DAY);
    let worker = scene.start_worker().await?;
    let client = scene.vault.client().await?;

    fake.vault_down();
    fake.entra_down();
    worker.reaches(FAILURES, |failures| failures >= 1.0).await?;
    let last_success = worker.metric(LAST_SUCCESS).await?;
    for number in 0..REFRESHES {
        let greeting = scene.greet(&client, &format!("no. {number}")).await?;
        scene.greeted(&greeting, &format!("no. {number}")).await?;
        let failures = u32::try_from(number + 2)?;
        worker.reaches(FAILURES, |it| it >= failures.into()).await?;
        let (status, document) = worker.ready().await?;
        assert_eq!(status, 200, "{document}");
    }

    assert_eq!(worker.metric(LAST_SUCCESS).await?, last_success);
    for kept in scene.histories(&client).await? {
        assert_eq!(kept.troubles(), [""; 0]);
    }
    let log = worker.close(&scene.secrets()?).await?;
    let told = lines(&log, "keys are not refreshed");
    assert_eq!(told.len(), 1, "{told:#?}");
    assert!(told[0].contains(r#""level":"WARN""#), "{told:?}");
    assert!(
        told[0].contains("https://unit.vault.azure.net/"),
        "{told:?}"
    );
    Ok(())
}

#[tokio::test]
async fn keys_that_were_not_refreshed_for_too_long_make_a_worker_unready_until_they_are()
-> anyhow::Result<()> {
    let settings = [
        ("SEALANE_KEY_REFRESH", "1s"),
        ("SEALANE_KEY_STALE_AFTER", "2s"),
    ];
    let scene = Scene::open(&settings).await?;
    let fake = &scene.vault.fake;
    scene.vault.add_key(DAY);
    let worker = scene.start_worker().await?;
    let client = scene.vault.client().await?;
    worker.answers_ready_with(200).await?;

    fake.vault_down();
    fake.entra_down();
    let stale = worker.answers_ready_with(503).await?;
    let greeting = scene.greet(&client, "during").await?;
    scene.greeted(&greeting, "during").await?;
    let listed = fake.count(Endpoint::ListVersions);
    fake.vault_up();
    fake.entra_up();
    worker.answers_ready_with(200).await?;

    let reason = stale["checks"]["key_ring"]["reason"]
        .as_str()
        .unwrap_or_default();
    assert!(
        reason.starts_with("keys were last refreshed ") && reason.contains("s ago: "),
        "{stale}"
    );
    assert!(reason.contains("https://unit.vault.azure.net/"), "{stale}");
    assert_eq!(stale["checks"]["pollers"]["ok"], true, "{stale}");
    assert!(fake.count(Endpoint::ListVersions) > listed);
    let log = worker.close(&scene.secrets()?).await?;
    assert_eq!(lines(&log, "keys are not refreshed").len(), 1);
    assert_eq!(lines(&log, "keys are refreshed again").len(), 1);
    Ok(())
}
