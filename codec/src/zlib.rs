//! Payloads within payloads, compressed: encoding `binary/zlib` as Temporal's Go SDK writes it.
//!
//! The data is a zlib stream (RFC 1950) of a serialised payload. Compression comes before
//! encryption, because ciphertext does not shrink.

use std::collections::HashMap;

use flate2::{Compress, Decompress, FlushCompress, FlushDecompress, Status};
use prost::{
    Message,
    encoding::{DecodeContext, decode_key, skip_field},
};
use temporalio_common::protos::temporal::api::common::v1::Payload;

use crate::metadata::{ENCODING, ZLIB};

/// Longest payload that decompression will produce, in bytes (64 MiB).
///
/// Far above the 2 MiB that a Temporal server takes in one payload by default, and low enough
/// that a few kilobytes of crafted zlib cannot exhaust a worker's memory.
pub const MAX_INFLATED: usize = 64 * 1024 * 1024;

/// Shortest payload worth compressing: below, zlib's framing eats what it saves.
const MIN_DEFLATED: usize = 128;

/// Room that decompression asks for at least, in bytes.
const MIN_ROOM: usize = 4096;

/// Most fields of a payload from strangers. A metadata entry of a few bytes takes a hundred in memory.
const MAX_FIELDS: usize = 1024;

/// Why a `binary/zlib` payload could not be read.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum InflateError {
    /// The data is no zlib stream, is cut off, or fails its checksum.
    #[error("payload of {len} bytes with encoding \"binary/zlib\" is not a whole zlib stream")]
    Corrupt {
        /// Length of the compressed data.
        len: usize,
    },

    /// The stream unpacks to more than there is [room](InflateRoom) for.
    #[error(
        "payload of {len} bytes with encoding \"binary/zlib\" unpacks to more than {limit} bytes"
    )]
    TooLarge {
        /// Length of the compressed data.
        len: usize,
        /// The room there was, in bytes.
        limit: usize,
    },

    /// The stream is sound, but what it holds is no payload.
    #[error(
        "payload of {len} bytes with encoding \"binary/zlib\" does not hold a Temporal payload"
    )]
    NotAPayload {
        /// Length of the compressed data.
        len: usize,
    },
}

/// How much decompression may still produce, for callers that decode what strangers send.
///
/// By default [`MAX_INFLATED`], once.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct InflateRoom {
    each: usize,
    left: usize,
    fields: usize,
}

impl InflateRoom {
    /// Returns room for payloads of up to `each` bytes and 1024 metadata entries, and for `all` bytes of
    /// them together.
    ///
    /// What turns out to be no payload takes as much room as it was unpacked to. Never more than
    /// [`MAX_INFLATED`] for one.
    #[must_use]
    pub fn of(each: usize, all: usize) -> Self {
        Self {
            each: each.min(MAX_INFLATED),
            left: all,
            fields: MAX_FIELDS,
        }
    }

    fn next(self) -> usize {
        self.each.min(self.left)
    }

    fn take(&mut self, len: usize) {
        self.left = self.left.saturating_sub(len);
    }
}

impl Default for InflateRoom {
    fn default() -> Self {
        Self {
            fields: usize::MAX,
            ..Self::of(MAX_INFLATED, MAX_INFLATED)
        }
    }
}

/// Wraps `payload` if that makes it smaller, and returns it as it was if not.
pub(crate) fn compress(payload: Payload) -> Payload {
    if !(MIN_DEFLATED..=MAX_INFLATED).contains(&payload.encoded_len()) {
        return payload;
    }
    match wrap(&payload) {
        Some(wrapped) if wrapped.encoded_len() < payload.encoded_len() => wrapped,
        _ => payload,
    }
}

/// Wraps `payload` whatever its size; `None` only if the compressor breaks down or the result
/// could not be [unwrapped](inflate).
pub(crate) fn wrap(payload: &Payload) -> Option<Payload> {
    let plain = payload.encode_to_vec();
    if plain.len() > MAX_INFLATED {
        return None;
    }
    Some(Payload {
        metadata: HashMap::from([(ENCODING.to_owned(), ZLIB.into())]),
        data: deflate(&plain)?,
        ..Payload::default()
    })
}

/// Reads the payload inside `payload`, whose encoding is `binary/zlib`, and takes `room` for it.
pub(crate) fn inflate(payload: &Payload, room: &mut InflateRoom) -> Result<Payload, InflateError> {
    let len = payload.data.len();
    let mut plain = Vec::new();
    let unpacked = unpack(&payload.data, room.next(), &mut plain);
    room.take(plain.len());
    unpacked?;
    if !has_fields(&plain, room.fields) {
        return Err(InflateError::NotAPayload { len });
    }
    Payload::decode(plain.as_slice()).map_err(|_| InflateError::NotAPayload { len })
}

/// Whether `message` has at most `limit` fields, as far as it can be read.
fn has_fields(mut message: &[u8], limit: usize) -> bool {
    let mut fields = 0;
    while let Ok((tag, kind)) = decode_key(&mut message) {
        fields += 1;
        let skipped = skip_field(kind, tag, &mut message, DecodeContext::default());
        if fields > limit || skipped.is_err() {
            break;
        }
    }
    fields <= limit
}

fn deflate(plain: &[u8]) -> Option<Vec<u8>> {
    let mut deflater = Compress::new(flate2::Compression::default(), true);
    let mut packed = Vec::with_capacity(plain.len() / 2 + MIN_DEFLATED);
    loop {
        let rest = plain.get(usize::try_from(deflater.total_in()).ok()?..)?;
        let status = deflater.compress_vec(rest, &mut packed, FlushCompress::Finish);
        match status.ok()? {
            Status::StreamEnd => return Some(packed),
            Status::Ok | Status::BufError => packed.reserve(packed.len().max(MIN_ROOM)),
        }
    }
}

/// Appends what `data` unpacks to, at most `limit` bytes and one that tells that there are more.
fn unpack(data: &[u8], limit: usize, plain: &mut Vec<u8>) -> Result<(), InflateError> {
    let len = data.len();
    let corrupt = InflateError::Corrupt { len };
    let mut inflater = Decompress::new(true);
    plain.reserve_exact(len.saturating_mul(2).max(MIN_ROOM).min(limit + 1));
    loop {
        let (read, written) = (inflater.total_in(), plain.len());
        let rest = usize::try_from(read).ok().and_then(|read| data.get(read..));
        let status = inflater
            .decompress_vec(rest.ok_or(corrupt)?, plain, FlushDecompress::None)
            .map_err(|_| corrupt)?;
        let stuck = inflater.total_in() == read && plain.len() == written;
        if plain.len() > limit {
            return Err(InflateError::TooLarge { len, limit });
        }
        match status {
            Status::StreamEnd => return Ok(()),
            _ if plain.len() == plain.capacity() => grow(plain, limit + 1),
            // With room to write into, only the lack of input can stop it.
            _ if stuck => return Err(corrupt),
            _ => {}
        }
    }
}

/// Doubles the room, up to `limit` bytes.
fn grow(plain: &mut Vec<u8>, limit: usize) {
    plain.reserve_exact(plain.len().min(limit - plain.len()));
}

#[cfg(test)]
mod tests {
    use super::{
        InflateError, InflateRoom, MAX_INFLATED, MIN_DEFLATED, Payload, compress, deflate, wrap,
    };
    use crate::metadata::{ZLIB, encoding};

    fn inflate(payload: &Payload) -> Result<Payload, InflateError> {
        super::inflate(payload, &mut InflateRoom::default())
    }

    fn payload(data: Vec<u8>) -> Payload {
        Payload {
            data,
            ..Payload::default()
        }
    }

    #[test]
    fn what_shrinks_is_wrapped_and_comes_back() {
        let original = payload(vec![b'x'; 100_000]);

        let wrapped = compress(original.clone());

        assert_eq!(encoding(&wrapped), ZLIB.as_bytes());
        assert!(wrapped.data.len() < 1000);
        assert_eq!(inflate(&wrapped), Ok(original));
    }

    #[test]
    fn what_would_not_shrink_stays_as_it_is() {
        let noise = crate::key::random::<4096>().unwrap();
        for data in [vec![], vec![0; MIN_DEFLATED / 2], noise.to_vec()] {
            assert_eq!(compress(payload(data.clone())), payload(data));
        }
    }

    #[test]
    fn a_stream_cut_off_anywhere_is_corrupt() {
        let whole = wrap(&payload((0..=255).collect())).unwrap();
        for len in 0..whole.data.len() {
            let cut = payload(whole.data[..len].to_vec());
            assert_eq!(inflate(&cut), Err(InflateError::Corrupt { len }));
        }
    }

    #[test]
    fn a_wrong_checksum_is_corrupt() {
        let mut wrapped = wrap(&payload(vec![b'x'; 500])).unwrap();
        *wrapped.data.last_mut().unwrap() ^= 1;

        assert!(matches!(
            inflate(&wrapped),
            Err(InflateError::Corrupt { .. })
        ));
    }

    #[test]
    fn a_stream_of_something_else_is_refused() {
        let wrapped = payload(deflate(b"\xff\xff\xff").unwrap());

        assert!(matches!(
            inflate(&wrapped),
            Err(InflateError::NotAPayload { .. })
        ));
    }

    #[test]
    fn a_small_stream_cannot_unpack_to_more_than_the_limit() {
        let bomb = payload(deflate(&vec![0; MAX_INFLATED + 1]).unwrap());

        assert!(bomb.data.len() < 100_000, "{} bytes", bomb.data.len());
        assert!(matches!(inflate(&bomb), Err(InflateError::TooLarge { .. })));
    }

    #[test]
    fn callers_may_set_a_limit_for_each_and_for_all() {
        let large = wrap(&payload(vec![b'x'; 10_000])).unwrap();
        let len = large.data.len();

        let refused = super::inflate(&large, &mut InflateRoom::of(9_999, 1 << 20));
        let mut room = InflateRoom::of(20_000, 25_000);
        let taken = [(); 3].map(|()| super::inflate(&large, &mut room).map(|it| it.data.len()));

        assert_eq!(refused, Err(InflateError::TooLarge { len, limit: 9_999 }));
        assert_eq!(taken[..2], [Ok(10_000); 2]);
        // Tag and length of the data are 3 bytes.
        let limit = 25_000 - 2 * 10_003;
        assert_eq!(taken[2], Err(InflateError::TooLarge { len, limit }));
    }

    #[test]
    fn what_holds_no_payload_takes_room_as_well() {
        let nothing = payload(deflate(&[0xff; 1000]).unwrap());
        let mut room = InflateRoom::of(2000, 2500);

        let outcomes = [(); 3].map(|()| super::inflate(&nothing, &mut room));

        assert!(matches!(outcomes[1], Err(InflateError::NotAPayload { .. })));
        assert!(matches!(
            outcomes[2],
            Err(InflateError::TooLarge { limit: 500, .. })
        ));
    }

    #[test]
    fn entries_are_bounded_for_strangers_only() {
        let entries = |count: usize| Payload {
            metadata: (0..count).map(|it| (it.to_string(), vec![])).collect(),
            ..Payload::default()
        };
        let mut room = InflateRoom::of(1 << 20, 1 << 20);

        let [most, more] = [1024, 1025].map(|count| wrap(&entries(count)).unwrap());

        assert_eq!(super::inflate(&most, &mut room), Ok(entries(1024)));
        assert!(matches!(
            super::inflate(&more, &mut room),
            Err(InflateError::NotAPayload { .. })
        ));
        assert_eq!(inflate(&more), Ok(entries(1025)));
    }
}
