//! Sealing and opening happen once per payload on the SDK's poll loops, so what they allocate
//! beside what any payload needs is counted.

#![expect(
    unsafe_code,
    reason = "implementing an allocator is unsafe; this one only counts"
)]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
    collections::HashMap,
};

use sealane_codec::{CodecOptions, EncryptionCodec, Key, KeyRing, SharedKeyRing};
use temporalio_common::protos::temporal::api::common::v1::Payload;

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
    static BYTES: Cell<usize> = const { Cell::new(0) };
}

fn count(bytes: usize) {
    ALLOCATIONS.set(ALLOCATIONS.get() + 1);
    BYTES.set(BYTES.get() + bytes);
}

// SAFETY: every call goes to the system's allocator unchanged; the counters are plain
// thread-locals without destructors, so touching them allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: the caller upholds the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller upholds the contract of `dealloc`, and `System` made the block.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, len: usize) -> *mut u8 {
        count(len);
        // SAFETY: the caller upholds the contract of `realloc`, and `System` made the block.
        unsafe { System.realloc(pointer, layout, len) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Returns how often `work` asked for memory, for how many bytes in all, and its result.
fn counted<T>(work: impl FnOnce() -> T) -> (usize, usize, T) {
    let (calls, bytes) = (ALLOCATIONS.get(), BYTES.get());
    let result = work();
    (ALLOCATIONS.get() - calls, BYTES.get() - bytes, result)
}

fn metadata() -> HashMap<String, Vec<u8>> {
    HashMap::from([
        ("encoding".to_owned(), b"binary/encrypted".to_vec()),
        ("encryption-key-id".to_owned(), b"a".to_vec()),
    ])
}

#[test]
fn sealing_allocates_one_buffer_and_opening_goes_on_in_the_one_that_came() {
    let keys = [("a".parse().unwrap(), Key::from_bytes(&[7; 32]).unwrap())];
    let ring = KeyRing::new("a".parse().unwrap(), keys).unwrap();
    let codec = EncryptionCodec::new(SharedKeyRing::new(ring), CodecOptions::default());
    let original = Payload {
        metadata: HashMap::from([("encoding".to_owned(), b"json/plain".to_vec())]),
        data: vec![b'x'; 10_000],
        ..Payload::default()
    };

    let (for_metadata, _, _) = counted(metadata);
    let (sealing, _, sealed) = counted(|| codec.encode_payload(original.clone()));
    let (cloning, _, _) = counted(|| original.clone());
    let (opening, bytes, opened) = counted(|| codec.decode_payload(sealed.unwrap()));

    assert_eq!(sealing - cloning, for_metadata + 1);
    assert_eq!(
        opening, 4,
        "a map, its key and value, and a count of who uses the buffer"
    );
    assert!(bytes < 1000, "{bytes} bytes: the data was copied");
    assert_eq!(opened, Ok(original));
}
