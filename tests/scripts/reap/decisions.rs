//! What happens to which group.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;

use super::subscription::{FUTURE, Groups, PAST, decisions, reap, world};
use crate::{
    environment::SUBSCRIPTION,
    harness::{Reply, repository},
};

#[test]
fn what_has_expired_is_deleted_and_proven_gone() {
    let groups = Groups::default();
    groups.add("demo-old", PAST).add("demo-new", FUTURE);
    let world = world(&groups);

    let outcome = reap(&world, &[]);

    outcome.succeeds().in_order(&[
        "az account show",
        "az group list",
        "az group show --name demo-old",
        "az lock list --resource-group demo-old",
        "az group delete --name demo-old --yes",
        "az group exists --name demo-old",
    ]);
    assert_eq!(outcome.count("az group delete"), 1);
    assert_eq!(groups.names(), ["demo-new"]);
    assert_eq!(
        decisions(&outcome),
        [
            "demo-new keep not-expired",
            "demo-old delete expired",
            "demo-old deleted expired"
        ]
    );
    assert_eq!(outcome.summary()["deleted"], 1);
    assert_eq!(
        world.read(".sealane/reap/audit.jsonl"),
        Some(outcome.stdout.clone())
    );
    for call in outcome
        .calls
        .iter()
        .filter(|call| call.is("az group") || call.is("az lock"))
    {
        assert_eq!(
            call.value("--subscription"),
            Some(SUBSCRIPTION),
            "{}",
            call.line()
        );
    }
}

#[test]
fn a_second_run_finds_nothing_to_do_and_goes_on_with_the_log() {
    let groups = Groups::default();
    groups.add("demo-old", PAST);
    let world = world(&groups);

    reap(&world, &[]).succeeds();
    let again = reap(&world, &[]);

    again.succeeds().never("az group delete");
    assert_eq!(again.stdout, "");
    assert_eq!(
        world
            .read(".sealane/reap/audit.jsonl")
            .unwrap()
            .lines()
            .count(),
        2
    );
}

#[test]
fn only_groups_that_say_so_themselves_go() {
    let groups = Groups::default();
    let ours = json!({"part-of": "sealane", "auto-destroy": "true", "expires-at": PAST});
    groups
        .add("other-old", PAST)
        .add("demo-forever", "")
        .add_with(
            "demo-foreign",
            &json!({"tags": {"part-of": "shop", "auto-destroy": "true", "expires-at": PAST}}),
        )
        .add_with(
            "demo-held",
            &json!({"tags": {"part-of": "sealane", "auto-destroy": "false", "expires-at": PAST}}),
        )
        .add_with("demo-untagged", &json!({"tags": null}))
        .add_with(
            "demo-nodes",
            &json!({"tags": ours, "managedBy": "/subscriptions/x/managedClusters/y"}),
        )
        .add_with(
            "demo-leaving",
            &json!({"tags": ours, "properties": {"provisioningState": "Deleting"}}),
        );

    let outcome = reap(&world(&groups), &[]);

    outcome.succeeds().never("az group delete");
    assert_eq!(
        decisions(&outcome),
        [
            "demo-forever keep no-expiry",
            "demo-foreign skip not-ours",
            "demo-held keep no-expiry",
            "demo-untagged skip not-ours",
            "demo-nodes skip managed-by-resource",
            "demo-leaving skip leaving-already",
        ]
    );
}

#[test]
fn a_date_that_is_not_strict_is_warned_of_and_keeps_the_group() {
    let dates = [
        "2026-01-02",
        "2026-01-02T03:04:05",
        "2026-01-02 03:04:05Z",
        "2026-01-02t03:04:05z",
        "2026-02-30T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "2026-01-02T24:00:00Z",
        "2026-01-02T03:04:60Z",
        "2026-01-02T03:04:05+24:00",
        "1970-01-01T00:00:00Z",
        "yesterday",
        "0",
        "2026-01-02T03:04:05Z; rm -rf /",
        "2026-01-02T03:04:05Z\n",
        "$(id)",
        "2025-02-29T00:00:00Z",
    ];
    let groups = Groups::default();
    for (index, date) in dates.iter().enumerate() {
        groups.add(&format!("demo-{index}"), date);
    }

    let outcome = reap(&world(&groups), &["--most", "50"]);

    outcome.succeeds().never("az group delete");
    assert_eq!(
        outcome.stderr.matches(": warning: ").count(),
        dates.len(),
        "{outcome}"
    );
    for (index, line) in decisions(&outcome).iter().enumerate() {
        assert_eq!(
            *line,
            format!("demo-{index} skip expiry-unreadable"),
            "{:?}",
            dates[index]
        );
    }
    assert_eq!(decisions(&outcome).len(), dates.len());
}

#[test]
fn offsets_and_fractions_are_read() {
    let groups = Groups::default();
    groups
        .add("demo-a", "2024-02-29T23:59:59.25+14:00")
        .add("demo-b", "2026-01-02T03:04:05-00:00")
        .add("demo-c", "2099-12-31T23:59:59.999999-08:30");

    let outcome = reap(&world(&groups), &[]);

    outcome.succeeds();
    assert_eq!(groups.names(), ["demo-c"]);
}

/// RFC 3339 for a number of minutes from now, as a clock in that zone shows it, computed apart from the script.
fn minutes_from_now(minutes: i64, zone: &str, written: &str) -> String {
    let output = std::process::Command::new("date")
        .env("TZ", zone)
        .args(["-d", &format!("{minutes} minutes"), "+%Y-%m-%dT%H:%M:%S"])
        .output()
        .unwrap();
    format!(
        "{}{written}",
        String::from_utf8(output.stdout).unwrap().trim()
    )
}

#[test]
fn offsets_east_and_west_are_told_apart() {
    let groups = Groups::default();
    // What POSIX calls -5 is five hours east.
    groups
        .add(
            "demo-east-ahead",
            &minutes_from_now(120, "EAST-5", "+05:00"),
        )
        .add(
            "demo-east-over",
            &minutes_from_now(-120, "EAST-5", "+05:00"),
        )
        .add("demo-west-ahead", &minutes_from_now(120, "WEST5", "-05:00"))
        .add("demo-west-over", &minutes_from_now(-120, "WEST5", "-05:00"));

    reap(&world(&groups), &[]).succeeds();

    assert_eq!(groups.names(), ["demo-east-ahead", "demo-west-ahead"]);
}

#[test]
fn nothing_goes_before_its_grace_is_over() {
    let groups = Groups::default();
    groups
        .add("demo-ahead", &minutes_from_now(2, "UTC", "Z"))
        .add("demo-grace", &minutes_from_now(-28, "UTC", "Z"))
        .add("demo-over", &minutes_from_now(-32, "UTC", "Z"));

    let outcome = reap(&world(&groups), &["--grace", "30"]);

    outcome.succeeds();
    assert_eq!(
        decisions(&outcome),
        [
            "demo-ahead keep not-expired",
            "demo-grace keep grace",
            "demo-over delete expired",
            "demo-over deleted expired"
        ]
    );
}

#[test]
fn a_dry_run_decides_and_deletes_nothing() {
    let groups = Groups::default();
    groups.add("demo-old", PAST).add("demo-new", FUTURE);

    let outcome = reap(&world(&groups), &["--dry-run"]);

    outcome
        .succeeds()
        .never("az group delete")
        .called("az lock list");
    assert_eq!(
        decisions(&outcome),
        ["demo-new keep not-expired", "demo-old would-delete expired"]
    );
    assert_eq!(outcome.summary()["dry_run"], true);
}

#[test]
fn a_lock_holds_a_group_and_so_does_not_knowing() {
    let groups = Groups::default();
    groups
        .add("demo-held", PAST)
        .add("demo-unknown", PAST)
        .add("demo-old", PAST);
    let world = world(&groups);
    world.answer("az lock list --resource-group demo-held", "1");
    world.answer(
        "az lock list --resource-group demo-unknown",
        Reply::fail(1, "ERROR: (AuthorizationFailed) no"),
    );

    let outcome = reap(&world, &[]);

    outcome
        .fails(1, "groups-left")
        .says("demo-unknown")
        .says("AuthorizationFailed");
    assert_eq!(groups.names(), ["demo-held", "demo-unknown"]);
    assert!(decisions(&outcome).contains(&"demo-held skip locked".to_owned()));
    assert!(decisions(&outcome).contains(&"demo-unknown failed locks-unknown".to_owned()));
}

#[test]
fn a_group_that_was_prolonged_meanwhile_stays() {
    let groups = Groups::default();
    groups.add("demo-old", PAST);
    let world = world(&groups);
    let id = format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/demo-old");
    world.answer(
        "az group show",
        json!({"id": id, "tags": {"part-of": "sealane", "auto-destroy": "true", "expires-at": FUTURE}}),
    );

    let outcome = reap(&world, &[]);

    outcome.succeeds().never("az group delete");
    assert_eq!(decisions(&outcome), ["demo-old skip changed-meanwhile"]);
}

#[test]
fn a_group_of_which_nothing_is_said_stays() {
    for nothing in ["", "null", "[]", "<html>"] {
        let groups = Groups::default();
        groups.add("demo-old", PAST);
        let world = world(&groups);
        world.answer("az group show", Reply::ok(nothing));

        reap(&world, &[]).succeeds().never("az group delete");
    }
}

#[test]
fn one_that_cannot_be_deleted_does_not_keep_the_others() {
    let groups = Groups::default();
    groups.add("demo-bad", PAST).add("demo-old", PAST);
    let world = world(&groups);
    world.answer(
        "az group delete --name demo-bad",
        Reply::fail(1, "ERROR: (AuthorizationFailed) may not delete"),
    );

    let outcome = reap(&world, &[]);

    outcome.fails(1, "groups-left").says("may not delete");
    assert_eq!(groups.names(), ["demo-bad"]);
    assert_eq!(outcome.summary()["failed"], 1);
}

#[test]
fn a_deletion_that_only_says_so_is_found_out() {
    let groups = Groups::default();
    groups.add("demo-old", PAST);
    let mut world = world(&groups);
    world.hurried().answer("az group delete", Reply::ok(""));

    reap(&world, &[]).fails(1, "groups-left").says("demo-old");
}

#[test]
fn a_slow_deletion_is_waited_for() {
    let groups = Groups::default();
    groups.add("demo-old", PAST);
    let world = world(&groups);
    let asked = AtomicUsize::new(0);
    world.on(move |call| {
        let early = call.is("az group exists") && asked.fetch_add(1, Ordering::Relaxed) < 5;
        early.then(|| "true".into())
    });

    let outcome = reap(&world, &[]);

    outcome.succeeds();
    assert_eq!(outcome.count("sleep"), 5);
}

#[test]
fn the_tags_are_those_that_terraform_sets() {
    let script = std::fs::read_to_string(repository().join("infra/scripts/lib/groups.sh")).unwrap();
    let module = std::fs::read_to_string(
        repository().join("infra/terraform/modules/resource-group/main.tf"),
    )
    .unwrap();
    let root = std::fs::read_to_string(repository().join("infra/terraform/main.tf")).unwrap();

    for tag in ["auto-destroy", "expires-at"] {
        assert!(
            script.contains(&format!(".tags[\"{tag}\"]")) && module.contains(&format!("{tag} =")),
            "{tag}"
        );
    }
    assert!(
        script.contains(".tags[\"part-of\"] == \"sealane\"")
            && root.contains("part-of = \"sealane\"")
    );
}
