//! Protobuf messages as they stand on the wire: payloads are found and replaced at the places that a
//! [`Shape`] names, and every other byte stays, that of fields which this build does not know too.
//!
//! The format is described at <https://protobuf.dev/programming-guides/encoding/>.

/// Where the payloads of a message are.
pub(super) enum Shape {
    /// The message itself is a payload that only workers and clients read.
    Payload,
    /// The message itself is a payload that peers in other languages may want in plaintext.
    Header,
    /// These fields of the message hold payloads.
    Message(&'static [Place]),
}

/// A field that holds payloads.
pub(super) struct Place {
    number: u64,
    repeated: bool,
    shape: Shape,
}

/// A payload, as it stands on the wire.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Found<'a> {
    /// The serialised `temporal.api.common.v1.Payload`.
    pub(super) bytes: &'a [u8],
    /// Whether it may stay in plaintext.
    pub(super) header: bool,
}

/// Bytes that are no message, or one that no known writer would write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Malformed;

/// `temporal.api.schedule.v1.Schedule`; field numbers are those of temporal/api/schedule/v1 and
/// temporal/api/workflow/v1.
pub(super) const SCHEDULE: Shape = Shape::Message(&[one(2, ACTION)]);
const ACTION: Shape = Shape::Message(&[one(1, WORKFLOW)]);
const WORKFLOW: Shape = Shape::Message(&[
    one(4, PAYLOADS),
    one(11, MEMO),
    one(13, HEADER),
    one(14, USER_METADATA),
]);

/// `temporal.api.common.v1.Memo`: a map, on the wire a list of entries whose field 2 is the value.
pub(super) const MEMO: Shape = Shape::Message(&[many(1, MEMO_ENTRY)]);
const MEMO_ENTRY: Shape = Shape::Message(&[one(2, Shape::Payload)]);
const HEADER: Shape = Shape::Message(&[many(1, HEADER_ENTRY)]);
const HEADER_ENTRY: Shape = Shape::Message(&[one(2, Shape::Header)]);
const PAYLOADS: Shape = Shape::Message(&[many(1, Shape::Payload)]);
const USER_METADATA: Shape = Shape::Message(&[one(1, Shape::Payload), one(2, Shape::Payload)]);

const fn one(number: u64, shape: Shape) -> Place {
    Place {
        number,
        repeated: false,
        shape,
    }
}

const fn many(number: u64, shape: Shape) -> Place {
    Place {
        number,
        repeated: true,
        shape,
    }
}

/// Returns the payloads in `message`, in the order of their bytes.
///
/// # Errors
///
/// [`Malformed`] if `message` is no message of that shape.
pub(super) fn payloads<'a>(message: &'a [u8], shape: &Shape) -> Result<Vec<Found<'a>>, Malformed> {
    let mut found = Vec::new();
    collect(message, shape, &mut found)?;
    Ok(found)
}

fn collect<'a>(
    message: &'a [u8],
    shape: &Shape,
    found: &mut Vec<Found<'a>>,
) -> Result<(), Malformed> {
    let places = match shape {
        Shape::Message(places) => *places,
        leaf => {
            let header = matches!(leaf, Shape::Header);
            let bytes = message;
            found.push(Found { bytes, header });
            return Ok(());
        }
    };
    let mut met = Vec::new();
    for field in Fields(message) {
        let field = field?;
        if let Some((place, content)) = field.at(places) {
            // Two of what there can be one of are merged by a reader, so neither can be replaced.
            if !place.repeated && met.contains(&place.number) {
                return Err(Malformed);
            }
            met.push(place.number);
            collect(content, &place.shape, found)?;
        }
    }
    Ok(())
}

/// Returns `message` with its payloads replaced by `replacements`, one for each that [`payloads`]
/// finds; `None` leaves a payload as it is. All other bytes stay as they are, but for the lengths of
/// what a new payload is in.
///
/// # Errors
///
/// As for [`payloads`].
pub(super) fn replace(
    message: &[u8],
    shape: &Shape,
    replacements: impl IntoIterator<Item = Option<Vec<u8>>>,
) -> Result<Vec<u8>, Malformed> {
    let replacement = rebuild(message, shape, &mut replacements.into_iter())?;
    Ok(replacement.unwrap_or_else(|| message.to_vec()))
}

/// Returns the message that takes the place of `message`, `None` if nothing changes.
fn rebuild(
    message: &[u8],
    shape: &Shape,
    replacements: &mut dyn Iterator<Item = Option<Vec<u8>>>,
) -> Result<Option<Vec<u8>>, Malformed> {
    let Shape::Message(places) = shape else {
        return Ok(replacements.next().flatten());
    };
    let (mut new, mut changed) = (Vec::with_capacity(message.len()), false);
    for field in Fields(message) {
        let field = field?;
        let inner = match field.at(places) {
            Some((place, content)) => rebuild(content, &place.shape, replacements)?,
            None => None,
        };
        match inner {
            Some(inner) => {
                new.extend_from_slice(field.tag);
                put_varint(&mut new, inner.len() as u64);
                new.extend_from_slice(&inner);
                changed = true;
            }
            None => new.extend_from_slice(field.whole),
        }
    }
    Ok(changed.then_some(new))
}

/// Returns field `number` of `message`, the parts of one that comes in several joined, as every
/// reader does. `None` if it is not there.
///
/// # Errors
///
/// [`Malformed`] if `message` is no message.
pub(super) fn embedded(message: &[u8], number: u64) -> Result<Option<Vec<u8>>, Malformed> {
    let mut joined = None;
    for field in Fields(message) {
        let field = field?;
        if let (true, Some(content)) = (field.number == number, field.content) {
            joined
                .get_or_insert_with(Vec::new)
                .extend_from_slice(content);
        }
    }
    Ok(joined)
}

/// Appends `content` to `message` as its field `number`.
pub(super) fn embed(message: &mut Vec<u8>, number: u64, content: &[u8]) {
    put_varint(message, number << 3 | LENGTH_DELIMITED);
    put_varint(message, content.len() as u64);
    message.extend_from_slice(content);
}

/// One field on the wire.
struct Field<'a> {
    number: u64,
    /// Number and wire type.
    tag: &'a [u8],
    /// What is inside, if a length stands before it.
    content: Option<&'a [u8]>,
    /// All of it.
    whole: &'a [u8],
}

impl<'a> Field<'a> {
    /// Returns which of `places` the field is, and what is inside.
    fn at(&self, places: &'static [Place]) -> Option<(&'static Place, &'a [u8])> {
        let place = places.iter().find(|place| place.number == self.number)?;
        Some((place, self.content?))
    }
}

/// The wire types, in the lowest three bits of a tag.
const VARINT: u64 = 0;
const EIGHT_BYTES: u64 = 1;
const LENGTH_DELIMITED: u64 = 2;
const FOUR_BYTES: u64 = 5;

/// The fields of a message, up to the first that is malformed. Groups (wire types 3 and 4), which
/// nobody writes any more, count as that.
struct Fields<'a>(&'a [u8]);

impl<'a> Iterator for Fields<'a> {
    type Item = Result<Field<'a>, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = take_field(&mut self.0);
        if field.is_err() {
            self.0 = &[];
        }
        Some(field)
    }
}

fn take_field<'a>(rest: &mut &'a [u8]) -> Result<Field<'a>, Malformed> {
    let start = *rest;
    let tag = take_varint(rest)?;
    let tag_len = start.len() - rest.len();
    let content = match tag & 7 {
        VARINT => take_varint(rest).map(|_| None),
        EIGHT_BYTES => take(rest, 8).map(|_| None),
        FOUR_BYTES => take(rest, 4).map(|_| None),
        LENGTH_DELIMITED => {
            let len = take_varint(rest)?;
            take(rest, len).map(Some)
        }
        _ => Err(Malformed),
    }?;
    Ok(Field {
        number: tag >> 3,
        tag: &start[..tag_len],
        content,
        whole: &start[..start.len() - rest.len()],
    })
}

fn take<'a>(rest: &mut &'a [u8], len: u64) -> Result<&'a [u8], Malformed> {
    let len = usize::try_from(len).map_err(|_| Malformed)?;
    let (taken, left) = rest.split_at_checked(len).ok_or(Malformed)?;
    *rest = left;
    Ok(taken)
}

/// Seven bits a byte, the lowest first; the highest bit says that more follow.
fn take_varint(rest: &mut &[u8]) -> Result<u64, Malformed> {
    let mut value = 0;
    for shift in (0..u64::BITS).step_by(7) {
        let byte = take(rest, 1)?[0];
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(Malformed)
}

fn put_varint(into: &mut Vec<u8>, mut value: u64) {
    while value > 0x7f {
        into.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    into.push(value.to_le_bytes()[0]);
}

#[cfg(test)]
mod tests;
