//! What becomes of a corpus: inputs that are nearly right, which go further than bytes at random.

use std::sync::Arc;

use proptest::{collection::vec, prelude::*, sample::Index};

/// Longest input, in bytes.
const MAX_LEN: usize = 16 * 1024;

/// One change to an input.
#[derive(Clone, Debug)]
enum Change {
    Flip(Index, u8),
    Set(Index, u8),
    Insert(Index, Vec<u8>),
    Word(Index, &'static str),
    Delete(Index, Index),
    Repeat(Index, Index, u8),
    Splice(Index, Index),
}

/// Returns a strategy for inputs: those of `corpus` with a few changes, or any bytes.
pub(crate) fn inputs(
    corpus: Vec<Vec<u8>>,
    words: &'static [&'static str],
) -> impl Strategy<Value = Vec<u8>> {
    let corpus = Arc::new(corpus);
    let mutated = (any::<Index>(), vec(change(words), 1..6)).prop_map(move |(of, changes)| {
        let mut input = of.get(&corpus).clone();
        for change in changes {
            change.apply(&mut input, &corpus);
        }
        input.truncate(MAX_LEN);
        input
    });
    prop_oneof![9 => mutated, 1 => vec(any::<u8>(), 0..300)]
}

fn change(words: &'static [&'static str]) -> impl Strategy<Value = Change> {
    let at = any::<Index>;
    prop_oneof![
        (at(), 0..8_u8).prop_map(|(at, bit)| Change::Flip(at, bit)),
        (at(), any::<u8>()).prop_map(|(at, byte)| Change::Set(at, byte)),
        (at(), vec(any::<u8>(), 1..9)).prop_map(|(at, bytes)| Change::Insert(at, bytes)),
        (at(), prop::sample::select(words)).prop_map(|(at, word)| Change::Word(at, word)),
        (at(), at()).prop_map(|(from, to)| Change::Delete(from, to)),
        (at(), at(), 2..40_u8).prop_map(|(from, to, times)| Change::Repeat(from, to, times)),
        (at(), at()).prop_map(|(at, other)| Change::Splice(at, other)),
    ]
}

impl Change {
    fn apply(&self, input: &mut Vec<u8>, corpus: &[Vec<u8>]) {
        let place = |index: &Index| index.index(input.len() + 1);
        let range = |from: &Index, to: &Index| {
            let (from, to) = (place(from), place(to));
            from.min(to)..from.max(to)
        };
        match self {
            Self::Flip(at, bit) => change_byte(input, at, |byte| byte ^ 1 << bit),
            Self::Set(at, byte) => change_byte(input, at, |_| *byte),
            Self::Insert(at, bytes) => insert(input, place(at), bytes),
            Self::Word(at, word) => insert(input, place(at), word.as_bytes()),
            Self::Delete(from, to) => drop(input.drain(range(from, to))),
            Self::Repeat(from, to, times) => {
                let range = range(from, to);
                let part = input[range.clone()].repeat(usize::from(*times));
                insert(input, range.end, &part[..part.len().min(MAX_LEN)]);
            }
            Self::Splice(at, other) => {
                let other = other.get(corpus);
                input.truncate(place(at));
                input.extend_from_slice(&other[at.index(other.len() + 1)..]);
            }
        }
    }
}

fn change_byte(input: &mut [u8], at: &Index, change: impl Fn(u8) -> u8) {
    if !input.is_empty() {
        let at = at.index(input.len());
        input[at] = change(input[at]);
    }
}

fn insert(input: &mut Vec<u8>, at: usize, bytes: &[u8]) {
    input.splice(at..at, bytes.iter().copied());
}
