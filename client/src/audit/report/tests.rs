//! What a walk says about each key, case by case.

use std::collections::BTreeSet;

use super::{Counted, EXAMPLES, Findings, KeyUse, KnownKeys, Need, Report};
use crate::audit::{Needs, Scope};

fn counted(id: &str, needs: &[(Need, u64)]) -> Counted {
    let needs = needs.iter().cloned();
    let needs: std::collections::BTreeMap<Need, u64> = needs.collect();
    let text = serde_json::to_string(&needs).unwrap();
    Counted {
        id: id.to_owned(),
        needs: serde_json::from_str::<Needs>(&text).unwrap(),
    }
}

fn key(id: &str) -> Need {
    Need::Key(id.to_owned())
}

fn known() -> KnownKeys {
    KnownKeys {
        active: [key("new")].into(),
        ring: ["new", "old", "older", "python"].map(str::to_owned).into(),
        legacy: Some("python".to_owned()),
        in_rotation: BTreeSet::new(),
    }
}

fn findings() -> Findings {
    Findings {
        workflows: vec![
            counted(
                "w-1",
                &[(key("new"), 4), (key("old"), 2), (Need::Nothing, 1)],
            ),
            counted(
                "w-2",
                &[(key("old"), 3), (key("lost"), 1), (Need::Legacy, 1)],
            ),
        ],
        schedules: vec![counted("s-1", &[(key("old"), 1)])],
        ..Findings::default()
    }
}

fn row<'a>(report: &'a Report, id: &str) -> &'a KeyUse {
    report.key(id).next().unwrap()
}

#[test]
fn payloads_workflows_and_schedules_are_summed_by_key() {
    let report = Report::new(&findings(), &known());

    let old = row(&report, "old");
    assert_eq!((old.payloads, old.workflows, old.schedules), (6, 2, 1));
    assert_eq!(old.examples, ["w-1", "w-2", "s-1"]);
    let plain = report.keys.iter().find(|row| row.kind == "plaintext");
    assert_eq!(plain.map(|row| row.payloads), Some(1));
}

#[test]
fn a_schedule_is_named_however_many_workflows_need_its_key() {
    let mut findings = findings();
    let workflows = (0..2 * EXAMPLES).map(|it| counted(&format!("w-{it}"), &[(key("old"), 1)]));
    findings.workflows = workflows.collect();

    let report = Report::new(&findings, &known());

    let old = row(&report, "old");
    assert_eq!(old.examples.len(), EXAMPLES);
    assert_eq!(old.schedule_examples, ["s-1"]);
}

#[test]
fn a_key_can_be_disabled_if_it_is_not_active_and_nothing_needs_it() {
    let report = Report::new(&findings(), &known());

    for (id, expected) in [("new", false), ("old", false), ("older", true)] {
        assert_eq!(row(&report, id).can_disable, Some(expected), "{id}");
    }
    assert!(row(&report, "new").active);
}

#[test]
fn a_key_that_others_may_encrypt_under_stays() {
    let mut known = known();
    known.in_rotation.insert("older".to_owned());

    let report = Report::new(&findings(), &known);

    assert_eq!(row(&report, "older").can_disable, Some(false));
}

#[test]
fn the_key_of_the_python_starter_is_needed_by_payloads_that_do_not_name_it() {
    let report = Report::new(&findings(), &known());

    let rows: Vec<_> = report.key("python").collect();
    assert_eq!(rows.len(), 2);
    assert!(rows.iter().all(|row| row.can_disable == Some(false)));
}

#[test]
fn a_key_that_the_ring_lacks_is_marked() {
    let report = Report::new(&findings(), &known());

    assert_eq!(row(&report, "lost").in_ring, Some(false));
    assert_eq!(row(&report, "old").in_ring, Some(true));
}

#[test]
fn payloads_that_do_not_show_their_key_may_need_any() {
    let mut known = known();
    known.legacy = None;
    let legacy = Report::new(&findings(), &known);
    let mut findings = findings();
    findings.schedules = vec![counted("s-2", &[(Need::Hidden, 1)])];
    let hidden = Report::new(&findings, &self::known());

    for report in [legacy, hidden] {
        assert_eq!(row(&report, "older").can_disable, None);
        assert_eq!(row(&report, "old").can_disable, Some(false));
        assert_eq!(row(&report, "new").can_disable, Some(false));
    }
}

#[test]
fn the_key_of_a_start_stays_where_data_keys_encrypt() {
    let mut known = known();
    let wrapping = "azurekeyvault://v/keys/k".to_owned();
    known.active.insert(Need::Envelope(wrapping.clone()));

    let report = Report::new(&findings(), &known);

    for id in [wrapping.as_str(), "new"] {
        assert!(row(&report, id).active, "{id}");
        assert_eq!(row(&report, id).can_disable, Some(false), "{id}");
    }
}

#[test]
fn a_part_of_the_workflows_proves_nothing_about_a_key() {
    let mut findings = findings();
    findings.scope = Scope {
        query: "WorkflowType = 'Order'".to_owned(),
        closed: false,
    };

    let report = Report::new(&findings, &known());

    assert!(report.keys.iter().all(|row| row.can_disable.is_none()));
}
