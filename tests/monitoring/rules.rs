//! Rules and alerts.

use std::{collections::BTreeSet, fs};

use anyhow::Context;

use crate::{
    component::{Alert, CASES, OPERATOR, POD_MONITOR, RULES, RUNBOOK, alerts, file},
    promtool::promtool,
};

/// The sections of the runbook, as links name them.
fn sections() -> BTreeSet<String> {
    anchors(RUNBOOK, "### ")
}

/// The headings of `page` that begin with `mark`, as links name them.
fn anchors(page: &str, mark: &str) -> BTreeSet<String> {
    let headings = page.lines().filter_map(|line| line.strip_prefix(mark));
    headings
        .map(|heading| heading.to_lowercase().replace(' ', "-"))
        .collect()
}

/// The expectations of the tests about `alert`: whether it fires.
fn expectations(alert: &Alert) -> BTreeSet<bool> {
    let asked = format!(r#"alertname="{}", alertstate="firing"}}'"#, alert.name);
    let cases = CASES.iter().flat_map(|cases| cases.split("- expr: "));
    let cases = cases.filter(|case| case.lines().next().is_some_and(|it| it.contains(&asked)));
    cases
        .map(|case| !case.contains("exp_samples: []"))
        .collect()
}

#[test]
fn promtool_accepts_the_rules() -> anyhow::Result<()> {
    promtool(["check".into(), "rules".into(), file("rules.yaml")])
}

#[test]
fn alerts_fire_when_they_should_and_not_before() -> anyhow::Result<()> {
    promtool([
        "test".into(),
        "rules".into(),
        file("tests/rules_test.yaml"),
        file("tests/months_test.yaml"),
    ])
}

#[test]
fn every_alert_is_tested_firing_and_quiet() {
    for alert in alerts() {
        assert_eq!(expectations(&alert).len(), 2, "{}", alert.name);
    }
}

#[test]
fn the_operator_is_told_the_same() {
    let (_, rules) = RULES.split_once("\ngroups:").unwrap();
    let indented = format!("groups:{rules}")
        .lines()
        .fold(String::new(), |text, line| {
            let indent = if line.is_empty() { "" } else { "  " };
            text + indent + line + "\n"
        });

    let (_, spec) = OPERATOR.split_once("\nspec:\n").unwrap();

    assert!(
        spec == indented,
        "prometheus-rule.yaml is not what rules.yaml is; its first lines say how to write it anew"
    );
}

#[test]
fn every_alert_says_how_bad_it_is_what_it_is_about_and_what_to_do() {
    let sections = sections();

    for alert in alerts() {
        let severity = alert.field("severity");
        assert!(
            matches!(severity, Some("warning" | "critical")),
            "{alert:?}"
        );
        let texts = [alert.field("summary"), alert.field("description")];
        assert!(texts.iter().all(Option::is_some), "{alert:?}");
        let anchor = alert.name.to_lowercase();
        let runbook = format!("docs/observability.md#{anchor}");
        assert_eq!(alert.field("runbook_url"), Some(runbook.as_str()));
        assert!(sections.contains(&anchor), "no section for {}", alert.name);
    }
}

#[test]
fn a_pod_is_warned_of_before_its_scrapes_are_refused() {
    let number = |text: &str, mark: &str| -> Option<u64> {
        let (_, rest) = text.split_once(mark)?;
        rest.lines().next()?.trim().parse().ok()
    };
    let limit = number(POD_MONITOR, "  sampleLimit: ");
    let warned = number(RULES, "scrape_samples_post_metric_relabeling > ");

    assert!(warned.is_some() && warned < limit, "{warned:?}, {limit:?}");
    let told = format!("From {} on it is refused", limit.unwrap_or_default());
    assert!(RULES.contains(&told), "{told}");
}

/// `increase` does not see the event that a series begins with.
#[test]
fn alerts_on_single_events_count_the_first_one() {
    let lines: Vec<_> = RULES.lines().map(str::trim).collect();
    let counted = lines.windows(3).filter(|window| {
        let [all, known, grown] = window else {
            return false;
        };
        all.starts_with("max_over_time(")
            && known.starts_with("unless max_over_time(")
            && grown.starts_with("or increase(")
    });
    let increases = lines.iter().filter(|line| line.contains("increase("));
    // A comment says how, and the nonces of 90 days are no alert on single ones.
    let events = increases.filter(|line| !line.starts_with('#') && !line.contains("[1h]"));

    assert_eq!(counted.count(), events.count());
}

#[test]
fn every_section_of_the_runbook_belongs_to_an_alert() {
    let alerts: BTreeSet<_> = alerts().iter().map(|it| it.name.to_lowercase()).collect();

    assert!(alerts.len() > 20, "the alerts were not found: {alerts:?}");
    assert_eq!(sections(), alerts);
}

#[test]
fn links_of_the_runbook_lead_somewhere() -> anyhow::Result<()> {
    let targets = RUNBOOK.split("](").skip(1);
    let targets = targets.filter_map(|rest| Some(rest.split_once(')')?.0));
    for target in targets.filter(|target| !target.starts_with("https://")) {
        let (page, anchor) = target.split_once('#').unwrap_or((target, ""));
        let path = file("../../../docs").join(page);
        let text = fs::read_to_string(&path).with_context(|| target.to_owned())?;
        let found = ["## ", "### "]
            .iter()
            .any(|mark| anchors(&text, mark).contains(anchor));
        assert!(anchor.is_empty() || found, "{target}");
    }
    Ok(())
}

#[test]
fn settings_that_runbook_and_alerts_name_exist() {
    let known = include_str!("../../docs/configuration.md");
    let text = [RUNBOOK, RULES].concat();
    let words = text.split(|it: char| !(it.is_ascii_uppercase() || it == '_'));
    let settings: BTreeSet<_> = words.filter(|word| word.starts_with("SEALANE_")).collect();

    assert!(settings.len() > 10, "{settings:?}");
    for name in settings {
        assert!(known.contains(&format!("| `{name}` |")), "{name}");
    }
}
