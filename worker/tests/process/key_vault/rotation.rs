//! Keys change while work goes on.

use std::{collections::BTreeSet, time::Duration};

use sealane_client::{audit::Need, handles::OrderHandle};
use sealane_tests::{
    VaultClient,
    azure::{Role, SECRET},
    orders::{order, patiently},
};
use sealane_workflows::orders::Receipt;

use super::{
    fleet::{Fleet, Trade},
    scene::{DAY, Scene, lines, until},
};

/// How long a new key only decrypts. Several refreshes, because a loaded machine may be late with one.
const DELAY: (&str, f64) = ("5s", 5.0);

/// How long packing takes, so that orders live long enough to be talked to, in milliseconds.
const PACKING_MS: u64 = 300;

/// The order that lasts from one rotation to another.
const LONG_ORDER: &str = "order-long";

#[tokio::test]
async fn three_rotations_a_disabled_key_and_an_outage_fail_no_workflow_and_hide_no_payload()
-> anyhow::Result<()> {
    let settings = [
        ("SEALANE_KEY_REFRESH", "1s"),
        ("SEALANE_KEY_ACTIVATION_DELAY", DELAY.0),
    ];
    let scene = Scene::open(&settings).await?;
    scene.vault.fake.grant(Role::SecretsOfficer);
    scene.gateway.turn(|knobs| {
        knobs.parcel_delay_ms = PACKING_MS;
        knobs.pause_at_parcel = Some(1);
    });
    let oldest = scene.vault.add_key(DAY);
    let fleet = Fleet::start(&scene).await?;
    let trade = Trade::default();

    let plot = async {
        let keys = rotate_three_times(&scene, &fleet, &trade, &oldest).await;
        trade.end();
        keys
    };
    let ((), newer) = tokio::try_join!(trade.go_on(&scene, &fleet.client), plot)?;

    assert_eq!(fleet.unknown_keys().await?, [Some(0.0); 3]);
    let Fleet {
        workers,
        trigger,
        client,
    } = fleet;
    let secrets = scene.secrets()?;
    let printed = trigger.close(&secrets).await?;
    let started = lines(&printed, r#""message":"workflow started""#).len();
    let long_order = 1;
    let all = started + trade.placed() + long_order;
    scene.all_end(&client, all).await?;
    for worker in workers {
        worker.close(&secrets).await?;
    }
    assert_right_results(&printed);

    let all_keys = [&[oldest][..], &newer].concat();
    assert_nothing_went_wrong(&scene, &client, &all_keys).await
}

/// Fails unless every workflow has completed without a task that failed, and every payload can be read with the
/// keys that are left: with the first of `keys`, which is disabled, only where nobody needs it any more.
async fn assert_nothing_went_wrong(
    scene: &Scene,
    client: &VaultClient,
    keys: &[String],
) -> anyhow::Result<()> {
    let keys: Vec<_> = keys.iter().cloned().map(Need::Key).collect();
    let everything = scene.vault.client_with(scene.vault.all_keys()?).await?;
    let mut used = BTreeSet::new();
    for kept in scene.histories(client).await? {
        let needs = kept.needs().await;
        let needs_the_oldest = needs.contains_key(&keys[0]);
        let reader = if needs_the_oldest {
            &everything
        } else {
            client
        };
        kept.assert_readable(&reader.workflows).await?;
        kept.assert_encrypted().await;
        assert_eq!(kept.troubles(), [""; 0]);
        assert_eq!(kept.listed.status, "COMPLETED", "{:?}", kept.listed);
        if kept.listed.workflow_id == scene.vault.world.id(LONG_ORDER) {
            let all = [&keys[1], &keys[3]].map(|key| needs.contains_key(key));
            assert_eq!(
                all, [true; 2],
                "it was not there for all the time: {needs:?}"
            );
        }
        used.extend(needs.into_keys());
    }
    assert_eq!(used, keys.into_iter().collect());
    Ok(())
}

/// Makes three keys, one after the other, each of which everybody comes to use. Returns their ids.
async fn rotate_three_times(
    scene: &Scene,
    fleet: &Fleet,
    trade: &Trade,
    oldest: &str,
) -> anyhow::Result<[String; 3]> {
    fleet.seals_under(oldest).await?;

    let second = scene.vault.add_key(Duration::ZERO);
    fleet.holds(&second).await?;
    fleet.seals_under(&second).await?;
    those_that_run_end(scene, fleet).await?;
    scene.vault.disable_key(oldest);
    let long = place_long_order(scene, fleet).await?;

    let third = rotate_by_command(scene).await?;
    fleet.holds(&third).await?;
    fleet.seals_under(&third).await?;
    fleet.forgets(oldest).await?;

    let fourth = scene.vault.add_key(Duration::ZERO);
    fleet.holds(&fourth).await?;
    scene.vault.fake.vault_down();
    let age = format!(r#"sealane_key_age_seconds{{key_id="{fourth}"}}"#);
    let failures = r#"sealane_key_refresh_failures_total{reason="unreachable"}"#;
    for worker in &fleet.workers {
        worker.reaches(failures, |failures| failures > 0.0).await?;
        worker.reaches(&age, |age| age > DELAY.1).await?;
    }
    trade.some_more().await?;
    scene.vault.fake.vault_up();
    fleet.seals_under(&fourth).await?;

    scene.gateway.turn(|knobs| knobs.pause_at_parcel = None);
    let receipt = patiently("the long order", long.result()).await?;
    assert!(matches!(receipt, Receipt::Shipped { .. }), "{receipt:?}");
    Ok([second, third, fourth])
}

/// Waits for the end of all workflows that run now.
async fn those_that_run_end(scene: &Scene, fleet: &Fleet) -> anyhow::Result<()> {
    let running = async || {
        let running = scene
            .list(&fleet.client, "ExecutionStatus = 'Running'")
            .await?;
        let runs = running.into_iter().map(|it| it.run_id);
        anyhow::Ok(runs.collect::<BTreeSet<_>>())
    };
    let now = running().await?;
    until("what runs to end", async || {
        Ok(running().await?.is_disjoint(&now))
    })
    .await
}

/// Places an order that stops between its two parcels.
async fn place_long_order(scene: &Scene, fleet: &Fleet) -> anyhow::Result<OrderHandle> {
    let order = order(LONG_ORDER, &["tea", "teapot"]);
    let options = scene.options(LONG_ORDER);
    let handle = OrderHandle::start(&fleet.client.client, order, options).await?;
    let paused = scene
        .gateway
        .wait_until(sealane_dev::gateway::State::is_paused);
    patiently("the second parcel", paused).await;
    Ok(handle)
}

/// Makes a key with `sealane keys rotate`, and returns its id.
async fn rotate_by_command(scene: &Scene) -> anyhow::Result<String> {
    let before = scene.vault.fake.versions(SECRET).len();
    let rotate = scene.start_sealane(&["keys", "rotate"])?;
    let said = patiently("the rotation", rotate.ends()).await?;
    let versions = scene.vault.fake.versions(SECRET);
    assert_eq!(
        (said.code, versions.len()),
        (Some(0), before + 1),
        "{said:?}"
    );
    scene
        .secrets()?
        .assert_absent("the output", &said.said.join("\n"));
    Ok(format!("{SECRET}/{}", versions[before].version))
}

/// Fails unless the trigger has printed results, and each as it should be.
fn assert_right_results(printed: &[String]) {
    let results = lines(printed, "Final result");
    assert!(results.len() > 10, "{results:?}");
    for result in results {
        let number = result.split('-').nth(1).unwrap_or_default();
        let expected = format!("\"Final result: Processed: Hello, no. {number}!\"");
        assert!(result.ends_with(&expected), "{result}");
    }
}
