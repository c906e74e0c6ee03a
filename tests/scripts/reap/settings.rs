//! What outlives a group unless it goes first.

use super::subscription::{Groups, PAST, reap, world};
use crate::harness::Reply;

#[test]
fn diagnostic_settings_go_before_their_group_and_never_keep_it() {
    let groups = Groups::default();
    groups.add("demo-old", PAST);
    let world = world(&groups);
    world
        .answer(
            "az resource list --resource-group demo-old",
            "/x/cluster\n/x/vault",
        )
        .answer(
            "az monitor diagnostic-settings list --resource /x/cluster",
            "audit",
        )
        .answer(
            "az monitor diagnostic-settings list --resource /x/vault",
            Reply::fail(1, "ERROR: forbidden"),
        )
        .answer("az monitor diagnostic-settings delete", Reply::ok(""));

    let outcome = reap(&world, &[]);

    outcome
        .succeeds()
        .says("diagnostic settings of /x/vault stay")
        .in_order(&[
            "az lock list",
            "az monitor diagnostic-settings delete --name audit --resource /x/cluster",
            "az group delete --name demo-old",
        ]);
    assert_eq!(outcome.count("az monitor diagnostic-settings delete"), 1);

    let groups = Groups::default();
    groups.add("demo-old", PAST);
    let world = super::subscription::world(&groups);
    world.answer("az resource list", Reply::fail(1, "ERROR: throttled"));
    reap(&world, &["--dry-run"])
        .succeeds()
        .never("az resource list");
    reap(&world, &[]).succeeds().called("az group delete");
}
