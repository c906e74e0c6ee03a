use clap::Parser;
use serde_json::json;

use super::{LoadCommand, padded, rate, size};
use crate::load::{Pace, Volume};

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    command: LoadCommand,
}

fn parse(flags: &[&str]) -> Result<LoadCommand, clap::Error> {
    Ok(Line::try_parse_from([&["load"], flags].concat())?.command)
}

#[test]
fn a_load_needs_an_end() {
    let error = parse(&["GreetingWorkflow"]).err().unwrap().to_string();

    assert!(
        error.contains("--count") && error.contains("--duration"),
        "{error}"
    );
    assert!(parse(&["GreetingWorkflow", "--count", "1", "--duration", "1s"]).is_err());
}

#[test]
fn values_out_of_their_domain_are_named() {
    for flags in [
        vec!["--count", "0"],
        vec!["--duration", "0s"],
        vec!["--rate", "0", "--count", "1"],
        vec!["--rate", "NaN", "--count", "1"],
        vec!["--concurrency", "0", "--count", "1"],
        vec!["--concurrency", "1000000", "--count", "1"],
        vec!["--payload-size", "2MiB", "--count", "1"],
        vec!["--timeout", "soon", "--count", "1"],
    ] {
        let error = parse(&[&["T"], &flags[..]].concat());
        let error = error.err().unwrap().to_string();
        assert!(
            error.contains(flags[0]) && error.contains(flags[1]),
            "{error}"
        );
    }
}

#[test]
fn what_a_strange_workflow_returns_has_to_be_said() {
    let command = parse(&["Mine", "--count", "1"]).unwrap();
    assert!(
        command
            .template()
            .unwrap_err()
            .to_string()
            .contains("--expect")
    );

    let command = parse(&["Mine", "--count", "1", "--expect", r#""{{id}}""#]).unwrap();
    command.template().unwrap();
}

#[test]
fn a_placeholder_that_is_not_known_is_refused_before_anything_starts() {
    for flags in [
        ["--input-template", r#""{{name}}""#],
        ["--expect", r#""{{name}}""#],
    ] {
        let command = parse(&[&["GreetingWorkflow", "--count", "1"], &flags[..]].concat()).unwrap();
        let error = command.template().unwrap_err().to_string();
        assert!(error.contains(r#""name""#), "{error}");
    }
}

#[test]
fn a_greeting_is_expected_for_the_name_that_is_given() {
    let command = parse(&["GreetingWorkflow", "--count", "1", "--payload-size", "4"]).unwrap();

    let (input, expected) = command.documents().unwrap();

    assert_eq!(padded(input[0].clone(), 4), json!("{{id}}...."));
    assert_eq!(
        padded(expected, 4),
        json!("Final result: Processed: Hello, {{id}}....!")
    );
}

#[test]
fn padding_that_goes_nowhere_is_refused() {
    let flags = ["GreetingWorkflow", "--count", "1", "--payload-size", "1KiB"];
    let command = parse(&[&flags[..], &["--input-template", r#""Ada""#]].concat()).unwrap();

    let error = command.template().unwrap_err().to_string();

    assert!(
        error.contains("1024") && error.contains("{{padding}}"),
        "{error}"
    );
}

#[test]
fn the_order_that_is_placed_is_an_order() {
    let command = parse(&["OrderWorkflow", "--count", "1"]).unwrap();

    let (input, _) = command.documents().unwrap();

    serde_json::from_value::<sealane_workflows::orders::Order>(input[0].clone()).unwrap();
    command.template().unwrap();
}

#[test]
fn flags_become_options() {
    let command = parse(&["GreetingWorkflow", "--duration", "5s", "--rate", "200/s"]).unwrap();
    let (input, expected) = command.template().unwrap();

    let options = command.options(input, expected, "queue");

    assert_eq!(
        options.volume,
        Volume::Duration(std::time::Duration::from_secs(5))
    );
    assert_eq!(options.pace, Pace::Open { per_second: 200.0 });
    assert_eq!(options.concurrency.get(), 10_000);
    assert_eq!(options.task_queue, "queue");
}

#[test]
fn sizes_and_rates_have_units() {
    assert_eq!(size("1KiB"), Ok(1024));
    assert_eq!(size("16"), Ok(16));
    assert!(size("1KB").is_err() && size("").is_err() && size("KiB").is_err());
    assert_eq!(rate("0.5"), Ok(0.5));
}
