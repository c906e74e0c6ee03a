//! When it does not even begin.

use serde_json::json;

use super::subscription::{Groups, PAST, reap, world};
use crate::{
    environment::{SUBSCRIPTION, TENANT},
    harness::{Reply, World},
};

#[test]
fn the_prefix_is_required_and_cannot_mean_everything() {
    let world = World::new();
    for args in [
        &[][..],
        &["--prefix", ""],
        &["--prefix", "a"],
        &["--prefix", "*"],
        &["--prefix", "De-"],
        &["--prefix"],
    ] {
        let outcome = world.run("reap", args);

        assert_eq!(
            (outcome.code, outcome.calls.len()),
            (2, 0),
            "{args:?}: {outcome}"
        );
    }
}

#[test]
fn an_option_that_is_not_known_or_makes_no_sense_is_refused() {
    let world = World::new();
    for args in [
        ["--all-prefixes", "x"],
        ["--grace", "-1"],
        ["--grace", "soon"],
        ["--most", "0"],
        ["--subscription", "nightly"],
    ] {
        assert_eq!(reap(&world, &args).code, 2, "{args:?}");
    }
}

#[test]
fn another_subscription_or_tenant_is_refused() {
    let other = "33333333-3333-4333-8333-333333333333";
    let world = world(&Groups::default());

    reap(&world, &["--tenant", other])
        .ends_with(4)
        .says(TENANT)
        .never("az group list");
    reap(
        &world,
        &["--tenant", TENANT, "--subscription", SUBSCRIPTION],
    )
    .succeeds();
}

#[test]
fn nobody_logged_in_is_told_how() {
    let world = world(&Groups::default());
    world.answer(
        "az account show",
        Reply::fail(1, "ERROR: Please run 'az login' to setup account."),
    );

    let outcome = reap(&world, &[]);

    outcome.says("az login").never("az group list");
    assert_ne!(outcome.code, 0);
}

#[test]
fn too_many_at_once_are_refused_and_none_is_deleted() {
    let groups = Groups::default();
    for number in 0..11 {
        groups.add(&format!("demo-{number}"), PAST);
    }
    let world = world(&groups);

    reap(&world, &[])
        .fails(4, "too-many-expired")
        .never("az group delete")
        .says("demo-10");
    reap(&world, &["--most", "11"]).succeeds();
    assert!(groups.names().is_empty());
}

#[test]
fn a_second_reaper_is_refused_while_the_first_is_at_work() {
    let world = world(&Groups::default());
    world.write(".sealane/reap/lock", "");
    let lock = std::fs::File::open(world.root().join(".sealane/reap/lock")).unwrap();
    lock.lock().unwrap();

    reap(&world, &[])
        .fails(4, "reaper-running")
        .never("az group list");

    lock.unlock().unwrap();
    reap(&world, &[]).succeeds();
}

#[test]
fn an_answer_that_is_no_list_of_groups_is_no_empty_list() {
    for garbage in [
        "",
        "null",
        "{}",
        "[{\"name\": 3}]",
        "[1]",
        "<html>",
        "[{\"name\": \"demo-a\"}]",
    ] {
        let world = world(&Groups::default());
        world.answer("az group list", Reply::ok(garbage));

        reap(&world, &[]).fails(1, "groups-unreadable");
    }
}

#[test]
fn az_that_fails_hangs_or_is_missing_is_named() {
    let mut world = world(&Groups::default());
    world.hurried();
    world.answer(
        "az group list",
        Reply::fail(1, "ERROR: (TooManyRequests) later"),
    );
    reap(&world, &[])
        .fails(1, "groups-unreadable")
        .says("TooManyRequests");

    world.answer("az group list", Reply::hang("[]"));
    reap(&world, &[]).fails(1, "timed-out").says("az");
    assert_eq!(
        world.document(".sealane/reap/reap.json")["error"]["step"],
        json!("list")
    );

    reap(world.without("az"), &[])
        .fails(3, "prerequisites")
        .says("az is missing");
}
