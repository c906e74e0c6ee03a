//! Which pod is asked whether workers poll.

use serde_json::json;

use super::stage::{Stage, objects};
use crate::harness::Reply;

#[test]
fn whether_workers_poll_is_asked_of_a_new_pod_that_stays() {
    let image = format!(
        "sealanedemoa1b2c3.azurecr.io/sealane@{}",
        super::stage::DIGEST
    );
    let mut leaving = objects::pod("leaving", &image);
    leaving["metadata"]["deletionTimestamp"] = json!("2026-11-22T10:00:00Z");
    let old = objects::pod("old", "sealanedemoa1b2c3.azurecr.io/sealane@sha256:0");
    let list = |pods: &[&serde_json::Value]| json!({"items": pods});

    let world = Stage::deployed().world();
    let new = objects::pod("new", &image);
    world.answer("kubectl get pods", list(&[&leaving, &old, &new]));
    let outcome = world.run("deploy", &["demo", "--yes"]);
    outcome.succeeds().called("kubectl exec new");
    assert_eq!(outcome.count("kubectl exec"), 1);

    let world = Stage::deployed().world();
    let mut asked = 0;
    let (early, late) = (list(&[&leaving, &old]), list(&[&new]));
    world.on(move |call| {
        call.is("kubectl get pods").then(|| {
            asked += 1;
            if asked > 2 {
                late.clone()
            } else {
                early.clone()
            }
            .into()
        })
    });
    world
        .run("deploy", &["demo", "--yes"])
        .succeeds()
        .called("kubectl exec new");

    let world = Stage::deployed().world();
    world.answer("kubectl get pods", list(&[&leaving, &old]));
    world
        .run("deploy", &["demo", "--yes"])
        .fails(1, "rollout-failed")
        .never("kubectl exec");

    let world = Stage::deployed().world();
    world.answer("kubectl get pods", list(&[&leaving]));
    world
        .run("deploy", &["demo", "--yes"])
        .succeeds()
        .says("no worker runs");

    for reply in [
        Reply::fail(1, "Error from server (Forbidden)"),
        Reply::ok(""),
        Reply::ok("{}"),
    ] {
        let world = Stage::deployed().world();
        world.answer("kubectl get pods", reply);
        world
            .run("deploy", &["demo", "--yes"])
            .fails(1, "cluster-unreadable");
    }
}
