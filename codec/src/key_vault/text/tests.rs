use std::time::{Duration, SystemTime};

use super::{Text, TextProblem, newest};
use crate::rotation::Version;

const HOUR: Duration = Duration::from_hours(1);

fn version(name: &str, age: Duration, now: SystemTime) -> Version {
    Version {
        version: name.to_owned(),
        id: format!("k/{name}").parse().unwrap(),
        created: now - age,
        updated: now - age,
        not_before: None,
        expires: None,
        enabled: true,
    }
}

fn chosen(versions: &[Version], now: SystemTime) -> Option<String> {
    newest(versions.to_vec(), now).map(|version| version.version)
}

#[test]
fn the_newest_version_is_used_at_once() {
    let now = SystemTime::now();
    let versions = [
        version("new", Duration::ZERO, now),
        version("old", HOUR, now),
    ];

    assert_eq!(chosen(&versions, now).unwrap(), "new");
}

#[test]
fn a_version_is_passed_over_while_it_is_disabled_or_outside_its_times() {
    let now = SystemTime::now();
    let old = version("old", HOUR, now);
    let spoil: [fn(&mut Version, SystemTime); 4] = [
        |version, _| version.enabled = false,
        |version, now| version.not_before = Some(now + HOUR),
        |version, now| version.expires = Some(now - HOUR),
        |version, now| version.expires = Some(now),
    ];

    for spoil in spoil {
        let mut new = version("new", Duration::ZERO, now);
        spoil(&mut new, now);
        assert_eq!(chosen(&[old.clone(), new.clone()], now).unwrap(), "old");
        assert_eq!(chosen(&[new], now), None);
    }
    let mut new = version("new", Duration::ZERO, now);
    (new.not_before, new.expires) = (Some(now), Some(now + HOUR));
    assert_eq!(chosen(&[old, new], now).unwrap(), "new");
}

#[test]
fn of_two_versions_of_the_same_second_all_take_the_same() {
    let now = SystemTime::now();
    let (one, two) = (version("1", HOUR, now), version("2", HOUR, now));

    let orders = [[one.clone(), two.clone()], [two, one]];

    assert_eq!(orders.map(|order| chosen(&order, now).unwrap()), ["2", "2"]);
}

#[test]
fn a_text_is_what_a_header_can_hold_without_the_line_end_that_a_file_left_there() {
    let text = Text::new("  eyJ-key\n").unwrap();

    assert_eq!(text.expose(), "eyJ-key");
    assert_eq!(format!("{text:?}"), "<redacted>");
    assert_eq!(Text::new(" \n"), Err(TextProblem::Empty));
    for odd in ["two words", "schlüssel", "a\nb"] {
        assert_eq!(Text::new(odd), Err(TextProblem::Characters), "{odd}");
    }
}
