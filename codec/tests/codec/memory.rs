//! What is left of a key in memory when nobody has it any more.

use std::{
    any::Any,
    fs::{self, File},
    os::unix::fs::FileExt,
};

use base64::{Engine, prelude::BASE64_STANDARD};
use sealane_codec::{Key, KeyRing};
use zeroize::Zeroizing;

use crate::payload;

/// Bytes of a key with every bit turned, so that the test itself has no key in memory.
type Turned = [u8; 32];

/// So many that memory for others is not made of what all of them leave behind.
const HOLDERS: usize = 100;

/// Bytes read at once. What is looked for must not lie across two reads, so they overlap.
const CHUNK: usize = 1 << 20;

#[test]
fn a_key_that_is_dropped_is_nowhere_in_memory() {
    let turned: Turned = rand::random();
    // An allocator writes to the beginning of what is freed.
    let half = &turned[16..];

    for hold in [a_key, a_key_from_text, a_ring_that_was_used] {
        let held: Vec<_> = (0..HOLDERS).map(|_| hold(&turned)).collect();
        let copies = copies(half);
        assert!(copies >= 2 * HOLDERS, "{copies}: bytes and ciphers");
        drop(held);
        assert_eq!(self::copies(half), 0);
    }
}

fn bytes(turned: &Turned) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(turned.iter().map(|byte| !byte).collect())
}

fn a_key(turned: &Turned) -> Box<dyn Any> {
    Box::new(Key::from_bytes(&bytes(turned)).unwrap())
}

fn a_key_from_text(turned: &Turned) -> Box<dyn Any> {
    let text = Zeroizing::new(BASE64_STANDARD.encode(&*bytes(turned)));
    Box::new(Key::from_base64(&text).unwrap())
}

fn a_ring_that_was_used(turned: &Turned) -> Box<dyn Any> {
    let key = Key::from_bytes(&bytes(turned)).unwrap();
    let ring = KeyRing::new("a".parse().unwrap(), [("a".parse().unwrap(), key)]).unwrap();
    let sealed = ring.seal(&payload("json/plain", b"text")).unwrap();
    ring.open(&sealed).unwrap();
    Box::new(ring)
}

/// How often the key is in what this process can write to: heaps, stacks, statics.
fn copies(turned: &[u8]) -> usize {
    let memory = File::open("/proc/self/mem").unwrap();
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    let writable = maps.lines().filter(|line| line.contains(" rw"));
    writable
        .map(|line| {
            let (start, end) = line.split(' ').next().unwrap().split_once('-').unwrap();
            let start = u64::from_str_radix(start, 16).unwrap();
            let end = u64::from_str_radix(end, 16).unwrap();
            copies_between(&memory, start, end, turned)
        })
        .sum()
}

fn copies_between(memory: &File, start: u64, end: u64, turned: &[u8]) -> usize {
    let mut chunk = Zeroizing::new(vec![0; CHUNK + turned.len() - 1]);
    let mut found = 0;
    for at in (start..end).step_by(CHUNK) {
        let len = chunk.len().min(usize::try_from(end - at).unwrap());
        // Some mappings are the kernel's own and cannot be read.
        if memory.read_exact_at(&mut chunk[..len], at).is_err() {
            continue;
        }
        let windows = chunk[..len].windows(turned.len());
        found += windows.filter(|it| is_turned(it, turned)).count();
    }
    found
}

/// Compares without making either into the other, which would be one more copy to be found.
fn is_turned(bytes: &[u8], turned: &[u8]) -> bool {
    bytes
        .iter()
        .zip(turned)
        .all(|(byte, turned)| *byte == !turned)
}
