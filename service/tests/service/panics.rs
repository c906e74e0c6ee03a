use std::panic::catch_unwind;

use sealane_service::{
    settings::{Log, LogFormat},
    telemetry,
};

use crate::child;

/// Not in the environment or the source line, so that only a quoted panic can show it.
fn canary() -> String {
    ["can", "ary"].concat()
}

#[test]
#[ignore = "a process for the tests below"]
fn panics_after_logging_started() {
    if !child::is_child() {
        return;
    }
    let filter = std::env::var("FILTER").unwrap();
    telemetry::init(&Log::new(filter, LogFormat::Json)).unwrap();

    catch_unwind(|| panic!("{}", canary())).unwrap_err();
}

fn logged_with(filter: &str) -> String {
    let output = child::command("panics::panics_after_logging_started")
        .env("FILTER", filter)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn a_panic_is_logged_once_with_its_place_and_without_its_text() {
    let log = logged_with("trace");

    assert!(!log.contains(&canary()), "{log}");
    let event: serde_json::Value = serde_json::from_str(log.trim()).unwrap();
    assert_eq!(event["level"], "ERROR");
    assert_eq!(event["target"], "sealane::panic");
    assert_eq!(event["thread.name"], "panics::panics_after_logging_started");
    let place = event["panic.location"].as_str().unwrap();
    assert!(place.contains("panics.rs:"), "{place}");
}

#[test]
fn the_text_of_a_panic_is_logged_on_request() {
    let log = logged_with("info,sealane::panic_text=debug");

    assert_eq!(log.matches(&canary()).count(), 1, "{log}");
    assert_eq!(log.lines().count(), 2, "{log}");
}
