//! The targets of cargo-fuzz without it: over their corpora, and over what is made of those in a repeatable way.

#![expect(
    clippy::unwrap_used,
    reason = "the lint knows tests by their attribute and misses what they share"
)]

mod corpus;
mod mutation;

use std::{collections::BTreeSet, time::Instant};

use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};
use sealane_fuzz::{Outcome, TARGETS, Target};

/// Inputs made for each target, unless `SEALANE_FUZZ_CASES` says otherwise.
const CASES: u32 = 2000;

/// Largest input in the repository: they are examples, not loads.
const MAX_INPUT: usize = 4096;

/// Most inputs of one target in the repository.
const MAX_INPUTS: usize = 200;

fn target(name: &str) -> Target {
    *TARGETS.iter().find(|it| it.name == name).unwrap()
}

fn cases() -> u32 {
    let wanted = std::env::var("SEALANE_FUZZ_CASES").ok();
    wanted.map_or(CASES, |it| it.parse().unwrap())
}

/// Runs the corpus and what is made of it; fails with the smallest input that breaks a promise.
fn hold(name: &str) {
    let (target, corpus) = (target(name), corpus::of(name));
    let began = Instant::now();
    let outcomes: BTreeSet<_> = corpus.iter().map(|input| (target.run)(input)).collect();
    assert_eq!(
        outcomes.into_iter().collect::<Vec<_>>(),
        [Outcome::Accepted, Outcome::Refused],
        "a corpus without both proves half of it"
    );

    let config = Config {
        cases: cases(),
        failure_persistence: None,
        max_shrink_iters: 2000,
        ..Config::default()
    };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(config, rng);
    let made = runner.run(&mutation::inputs(corpus, target.words), |input| {
        run(target, &input)
    });
    match made {
        Ok(()) => eprintln!("{name}: {} inputs in {:?}", cases(), began.elapsed()),
        Err(TestError::Fail(reason, input)) => {
            panic!("{name}: {reason}\n{}", input.escape_ascii())
        }
        Err(other) => panic!("{name}: {other}"),
    }
}

fn run(target: Target, input: &[u8]) -> Result<(), TestCaseError> {
    (target.run)(input);
    Ok(())
}

#[test]
fn payloads_of_every_format_keep_the_promises_of_the_codec() {
    hold("codec_decode");
}

#[test]
fn the_codec_server_reads_json_as_a_plain_reader_does() {
    hold("codec_server_json");
}

#[test]
fn a_configuration_file_means_what_it_says_and_shows_no_secret() {
    hold("config_env");
}

#[test]
fn a_key_ring_survives_being_written_and_no_error_shows_a_key() {
    hold("key_ring_json");
}

#[test]
fn no_answer_of_a_vault_breaks_a_process_or_gets_its_token() {
    hold("key_vault");
}

#[test]
fn corpora_are_small_and_every_target_has_one() {
    let names: BTreeSet<_> = TARGETS.iter().map(|it| it.name.to_owned()).collect();
    assert_eq!(corpus::names(), names);
    for name in &names {
        let inputs = corpus::of(name);
        assert!(
            (2..=MAX_INPUTS).contains(&inputs.len()),
            "{name}: {}",
            inputs.len()
        );
        let longest = inputs.iter().map(Vec::len).max().unwrap();
        assert!(longest <= MAX_INPUT, "{name}: {longest} bytes");
    }
}

#[test]
fn cargo_fuzz_knows_the_same_targets() {
    let manifest = corpus::text("libfuzzer/Cargo.toml");
    for target in TARGETS {
        let name = target.name;
        assert!(manifest.contains(&format!("name = \"{name}\"")), "{name}");
        let source = corpus::text(&format!("libfuzzer/fuzz_targets/{name}.rs"));
        assert!(
            source.contains(&format!("run(\"{name}\", input)")),
            "{source}"
        );
    }
}
