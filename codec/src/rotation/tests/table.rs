//! The plan, rule by rule. Times are minutes, the delay is 15 of them.

use std::time::{Duration, SystemTime};

use crate::{
    KeyId,
    rotation::{Plan, Policy, Stage, Version, plan},
};

const POLICY: Policy = Policy {
    activation_delay: Duration::from_mins(15),
};

fn at(minute: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_mins(minute)
}

fn made(name: &str, created: u64) -> Version {
    Version {
        version: name.to_owned(),
        id: KeyId::try_from(name).unwrap(),
        created: at(created),
        updated: at(created),
        not_before: None,
        expires: None,
        enabled: true,
    }
}

impl Version {
    fn not_before(self, minute: u64) -> Self {
        let not_before = Some(at(minute));
        Self { not_before, ..self }
    }

    fn expires(self, minute: u64) -> Self {
        let expires = Some(at(minute));
        Self { expires, ..self }
    }

    fn updated(self, minute: u64) -> Self {
        let updated = at(minute);
        Self { updated, ..self }
    }

    fn disabled(self, minute: u64) -> Self {
        let enabled = false;
        Self { enabled, ..self }.updated(minute)
    }
}

/// Compares the plan for `versions` with `expected`, newest first.
#[track_caller]
fn check(now: u64, versions: impl IntoIterator<Item = Version>, expected: &str) {
    let versions = versions.into_iter().collect::<Vec<_>>();
    assert_eq!(told(&plan(&versions, at(now), POLICY)), expected);
}

fn told(plan: &Plan) -> String {
    let stages = plan.stages.iter();
    let told = stages.map(|(version, stage)| format!("{} {}", version.version, word(*stage)));
    told.collect::<Vec<_>>().join(", ")
}

fn word(stage: Stage) -> String {
    match stage {
        Stage::Active { expired, early } => {
            let expired = if expired { " expired" } else { "" };
            let early = if early { " early" } else { "" };
            format!("active{expired}{early}")
        }
        Stage::DecryptOnly => "opens".to_owned(),
        Stage::Pending { activates } => format!("pending until {}", minute(activates)),
        Stage::Retained { until } => format!("retained until {}", minute(until)),
        Stage::Dropped => "dropped".to_owned(),
    }
}

fn minute(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap();
    since.as_secs() / 60
}

#[test]
fn a_new_version_opens_for_a_delay_and_then_seals() {
    let versions = || [made("a", 0), made("b", 100)];

    check(100, versions(), "b pending until 115, a active");
    check(114, versions(), "b pending until 115, a active");
    check(115, versions(), "b active, a opens");
}

#[test]
fn the_order_of_the_list_does_not_matter() {
    check(
        500,
        [made("b", 100), made("c", 200), made("a", 0)],
        "c active, b opens, a opens",
    );
}

#[test]
fn versions_of_one_second_are_told_apart_by_name() {
    check(
        500,
        [made("a", 0), made("c", 0), made("b", 0)],
        "c active, b opens, a opens",
    );
}

#[test]
fn the_delay_starts_at_not_before_if_that_is_later() {
    let versions = || [made("a", 0), made("b", 100).not_before(130)];

    check(130, versions(), "b pending until 145, a active");
    check(145, versions(), "b active, a opens");
    check(
        114,
        [made("a", 0), made("b", 100).not_before(10)],
        "b pending until 115, a active",
    );
}

#[test]
fn a_version_passed_over_opens_only() {
    let versions = [made("a", 0), made("b", 100).not_before(900), made("c", 200)];

    check(300, versions, "c active, b opens, a opens");
}

#[test]
fn the_only_version_seals_at_once() {
    check(0, [made("a", 0)], "a active early");
    check(15, [made("a", 0)], "a active");
}

#[test]
fn before_any_is_due_the_oldest_seals_because_all_have_it() {
    let oldest = || made("a", 0);

    check(
        3,
        [oldest(), made("b", 2)],
        "b pending until 17, a active early",
    );
    check(
        3,
        [oldest().not_before(90), made("b", 2)],
        "b pending until 17, a active early",
    );
    check(
        3,
        [oldest().expires(1), made("b", 2)],
        "b pending until 17, a active expired early",
    );
    check(
        3,
        [oldest().disabled(1), made("b", 2)],
        "b active early, a retained until 17",
    );
}

#[test]
fn an_expired_version_opens_only() {
    let versions = || [made("a", 0), made("b", 100).expires(200)];

    check(199, versions(), "b active, a opens");
    check(200, versions(), "b opens, a active");
    check(
        200,
        [made("a", 0).expires(150), made("b", 100)],
        "b active, a opens",
    );
    check(
        110,
        [made("a", 0), made("b", 100).expires(105)],
        "b opens, a active",
    );
}

#[test]
fn if_all_that_are_due_have_expired_the_newest_of_them_seals() {
    let versions = || [made("a", 0).expires(50), made("b", 100).expires(150)];
    let [a, b] = versions();

    check(200, versions(), "b active expired, a opens");
    check(
        200,
        [a, b, made("c", 190)],
        "c pending until 205, b active expired, a opens",
    );
}

#[test]
fn without_an_enabled_version_nothing_is_active() {
    check(
        200,
        [made("a", 0).disabled(20), made("b", 100).disabled(120)],
        "b dropped, a dropped",
    );
    check(130, [made("b", 100).disabled(120)], "b retained until 135");
    check(0, [], "");
}

#[test]
fn a_version_disabled_a_delay_after_its_successor_took_over_is_dropped_at_once() {
    let successor = || made("b", 100);

    check(
        130,
        [made("a", 0).disabled(130), successor()],
        "b active, a dropped",
    );
    check(
        129,
        [made("a", 0).disabled(129), successor()],
        "b active, a retained until 144",
    );
    check(
        143,
        [made("a", 0).disabled(129), successor()],
        "b active, a retained until 144",
    );
    check(
        144,
        [made("a", 0).disabled(129), successor()],
        "b active, a dropped",
    );
}

#[test]
fn the_active_version_is_retained_when_it_is_disabled() {
    let versions = || [made("a", 0), made("b", 100).disabled(300)];

    check(301, versions(), "b retained until 315, a active");
    check(315, versions(), "b dropped, a active");
}

#[test]
fn a_version_disabled_before_it_could_seal_is_dropped_at_once() {
    check(
        105,
        [made("a", 0), made("b", 100).disabled(105)],
        "b dropped, a active",
    );
    check(
        108,
        [made("a", 0), made("b", 100).disabled(108)],
        "b retained until 123, a active",
    );
}

#[test]
fn times_that_came_with_the_disabling_prove_nothing() {
    let versions = [made("a", 0), made("b", 100).not_before(900).disabled(300)];

    check(301, versions, "b retained until 315, a active");
}

#[test]
fn a_successor_that_is_disabled_proves_nothing() {
    let versions = [
        made("a", 0),
        made("b", 100).disabled(300),
        made("c", 200).disabled(250),
    ];

    check(301, versions, "c dropped, b retained until 315, a active");
}

#[test]
fn a_successor_that_may_have_been_disabled_or_changed_proves_nothing() {
    let versions = |touched| [made("a", 0).disabled(300), made("b", 100).updated(touched)];

    check(301, versions(285), "b active, a dropped");
    check(301, versions(286), "b active, a retained until 315");
    check(301, versions(300), "b active, a retained until 315");
}

#[test]
fn a_successor_that_has_expired_or_soon_will_proves_nothing() {
    let versions = |expires| [made("a", 0).disabled(300), made("b", 100).expires(expires)];

    check(301, versions(290), "b active expired, a retained until 315");
    check(301, versions(305), "b active, a retained until 315");
    check(301, versions(308), "b active, a dropped");
}

#[test]
fn what_was_active_before_all_were_disabled_is_retained_until_all_have_something_else() {
    let versions = || [made("a", 0).disabled(100), made("b", 500)];

    check(501, versions(), "b active early, a retained until 515");
    check(515, versions(), "b active, a dropped");
}

#[test]
fn a_ring_holds_all_but_the_dropped() {
    let versions = [
        made("a", 0).disabled(290),
        made("b", 100),
        made("c", 200).disabled(299),
        made("d", 299),
    ];
    let plan = plan(&versions, at(300), POLICY);

    let held = plan.held().map(|version| version.version.as_str());

    assert_eq!(
        told(&plan),
        "d pending until 314, c retained until 314, b active, a dropped"
    );
    assert_eq!(held.collect::<Vec<_>>(), ["d", "c", "b"]);
    assert_eq!(plan.active().unwrap().version, "b");
}
