//! Payloads within payloads, compressed: encoding `binary/zlib` as Temporal's Go SDK writes it.
//!
//! The data is a zlib stream (RFC 1950) of a serialised payload. Compression comes before
//! encryption, because ciphertext does not shrink.

use std::collections::HashMap;

use flate2::{Compress, Decompress, FlushCompress, FlushDecompress, Status};
use prost::Message;
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

    /// The stream unpacks to more than [`MAX_INFLATED`].
    #[error("payload of {len} bytes with encoding \"binary/zlib\" unpacks to more than 64 MiB")]
    TooLarge {
        /// Length of the compressed data.
        len: usize,
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

/// Reads the payload inside `payload`, whose encoding is `binary/zlib`.
pub(crate) fn inflate(payload: &Payload) -> Result<Payload, InflateError> {
    let len = payload.data.len();
    let plain = unpack(&payload.data)?;
    Payload::decode(plain.as_slice()).map_err(|_| InflateError::NotAPayload { len })
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

fn unpack(data: &[u8]) -> Result<Vec<u8>, InflateError> {
    let corrupt = InflateError::Corrupt { len: data.len() };
    let mut inflater = Decompress::new(true);
    let mut plain = Vec::with_capacity(data.len().saturating_mul(2).clamp(MIN_ROOM, MAX_INFLATED));
    loop {
        let (read, written) = (inflater.total_in(), plain.len());
        let rest = usize::try_from(read).ok().and_then(|read| data.get(read..));
        let status = inflater
            .decompress_vec(rest.ok_or(corrupt)?, &mut plain, FlushDecompress::None)
            .map_err(|_| corrupt)?;
        let stuck = inflater.total_in() == read && plain.len() == written;
        if plain.len() > MAX_INFLATED {
            return Err(InflateError::TooLarge { len: data.len() });
        }
        match status {
            Status::StreamEnd => return Ok(plain),
            _ if plain.len() == plain.capacity() => grow(&mut plain),
            // With room to write into, only the lack of input can stop it.
            _ if stuck => return Err(corrupt),
            _ => {}
        }
    }
}

/// Doubles the room, up to one byte more than is accepted.
fn grow(plain: &mut Vec<u8>) {
    let limit = MAX_INFLATED + 1;
    plain.reserve_exact(plain.len().min(limit - plain.len()));
}

#[cfg(test)]
mod tests {
    use super::{
        InflateError, MAX_INFLATED, MIN_DEFLATED, Payload, compress, deflate, inflate, wrap,
    };
    use crate::metadata::{ZLIB, encoding};

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
}
