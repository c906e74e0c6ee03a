//! What must hold whatever comes in: one function for each boundary at which somebody else's bytes are read.
//!
//! A target takes any bytes and panics if a promise is broken. cargo-fuzz runs it (fuzz/libfuzzer), and so does an
//! ordinary test over the committed corpora and what it makes of them (fuzz/tests/replay).

#![forbid(unsafe_code)]

mod bytes;
mod codec;
mod codec_server;
mod config;
mod key_ring;
mod key_vault;
mod ring;

/// What a target did with its input: what is never accepted, or never refused, is not tested.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Outcome {
    /// The input was what it should be.
    Accepted,
    /// It was not, and an error said so.
    Refused,
}

/// One boundary.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Name, also of its corpus.
    pub name: &'static str,
    /// Panics if a promise is broken.
    pub run: fn(&[u8]) -> Outcome,
    /// Words of its language, to mutate with.
    pub words: &'static [&'static str],
}

/// All of them.
pub const TARGETS: [Target; 5] = [
    codec::TARGET,
    codec_server::TARGET,
    config::TARGET,
    key_ring::TARGET,
    key_vault::TARGET,
];

/// Stands for a secret: where an input has it as one, it must not be in a message.
pub const CANARY: &str = "S3cretCanary0815";

/// Runs the target called `name`.
///
/// # Panics
///
/// If a promise is broken, or if there is no such target.
pub fn run(name: &str, input: &[u8]) {
    let target = TARGETS.iter().find(|target| target.name == name);
    (target.expect("a target of that name").run)(input);
}
