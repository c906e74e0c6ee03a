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

use prost::Message;
use sealane_codec::{CodecOptions, EncryptionCodec, Key, KeyRing, SharedKeyRing};
use temporalio_common::protos::temporal::api::common::v1::Payload;

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: every call goes to the system's allocator unchanged; the counter is a plain
// thread-local without a destructor, so touching it allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: the caller upholds the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller upholds the contract of `dealloc`, and `System` made the block.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, len: usize) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: the caller upholds the contract of `realloc`, and `System` made the block.
        unsafe { System.realloc(pointer, layout, len) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn counted<T>(work: impl FnOnce() -> T) -> (usize, T) {
    let before = ALLOCATIONS.get();
    let result = work();
    (ALLOCATIONS.get() - before, result)
}

fn metadata() -> HashMap<String, Vec<u8>> {
    HashMap::from([
        ("encoding".to_owned(), b"binary/encrypted".to_vec()),
        ("encryption-key-id".to_owned(), b"a".to_vec()),
    ])
}

#[test]
fn sealing_allocates_one_buffer_and_opening_none() {
    let keys = [("a".parse().unwrap(), Key::from_bytes(&[7; 32]).unwrap())];
    let ring = KeyRing::new("a".parse().unwrap(), keys).unwrap();
    let codec = EncryptionCodec::new(SharedKeyRing::new(ring), CodecOptions::default());
    let original = Payload {
        metadata: HashMap::from([("encoding".to_owned(), b"json/plain".to_vec())]),
        data: vec![b'x'; 10_000],
        ..Payload::default()
    };
    let serialised = original.encode_to_vec();

    let (for_metadata, _) = counted(metadata);
    let (sealing, sealed) = counted(|| codec.encode_payload(original.clone()));
    let (cloning, _) = counted(|| original.clone());
    let (parsing, _) = counted(|| Payload::decode(serialised.as_slice()));
    let (opening, opened) = counted(|| codec.decode_payload(sealed.unwrap()));

    assert_eq!(sealing - cloning, for_metadata + 1);
    assert_eq!(opening, parsing);
    assert_eq!(opened, Ok(original));
}
