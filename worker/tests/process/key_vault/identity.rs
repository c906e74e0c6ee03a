//! The federated token is rewritten while a worker runs, as Kubernetes does every hour or so.

use std::{fs, time::Duration};

use sealane_tests::azure::{Endpoint, token_file};

use super::scene::{DAY, Scene};

/// Exchanges that are looked at with each token.
const EXCHANGES: usize = 3;

#[tokio::test]
async fn a_rewritten_token_is_shown_at_the_next_exchange_and_the_old_one_never_again()
-> anyhow::Result<()> {
    let scene = Scene::open(&[("SEALANE_KEY_REFRESH", "1s")]).await?;
    let fake = &scene.vault.fake;
    // A token that is about to expire is not used again, so each refresh exchanges.
    fake.set_token_lifetime(Duration::from_secs(1));
    scene.vault.add_key(DAY);
    let file = token_file(scene.vault.world.folder());
    let worker = scene.start_worker().await?;
    let mut secrets = scene.secrets()?;

    let mut rewritten_at = Vec::new();
    for _ in 0..2 {
        fake.asked(Endpoint::Token, fake.assertions().len() + EXCHANGES)
            .await;
        let shown = fake.assertions().len();
        rewritten_at.push((shown, fake.write_token(&file)));
        secrets = secrets.and_token("a federated token", &fs::read_to_string(&file)?);
    }
    fake.asked(Endpoint::Token, fake.assertions().len() + EXCHANGES)
        .await;

    let shown = fake.assertions();
    let [(second_from, second), (third_from, third)] = &rewritten_at[..] else {
        panic!("rewritten twice: {rewritten_at:?}");
    };
    let first = &shown[0];
    assert!(
        shown[..*second_from].iter().all(|id| id == first),
        "{shown:?}"
    );
    // The exchange that was on its way may have read the file before.
    assert!(
        shown[second_from + 1..*third_from]
            .iter()
            .all(|id| id == second),
        "{shown:?}"
    );
    assert!(
        shown[third_from + 1..].iter().all(|id| id == third),
        "{shown:?}"
    );
    let metrics = worker.metrics().await?;
    assert!(
        !metrics.contains("sealane_key_refresh_failures_total{"),
        "{metrics}"
    );
    for token in fake.tokens() {
        secrets = secrets.and_token("an access token", &token);
    }
    worker.close(&secrets).await?;
    Ok(())
}
