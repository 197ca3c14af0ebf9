//! One message as bytes.
//!
//! ```text
//! u32 length of the body   u32 CRC-32 of length and body
//! body: u64 sequence   u32 place in its group   u64 accepted at, microseconds since 1970
//!       u32 length of the key, key   u32 number of headers, each: u32 length, name, u32 length, value
//!       payload up to the end
//! ```
//! All integers are little-endian. A group is what one write brought to disk; it begins only after the group before it was
//! synced. So a bad record with a record of a later group behind it is damage, and one without is a write that a crash cut.

use bytes::Bytes;

use crate::Message;

/// Length and checksum.
pub(super) const PREFIX: usize = 8;
/// The smallest body: no key, no headers, no payload.
pub(super) const SMALLEST_BODY: usize = 8 + 4 + 8 + 4 + 4;

/// What the log adds to a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp {
    pub(super) sequence: u64,
    /// Sequence of the first record of its group.
    pub(super) group: u64,
    /// Microseconds since 1970.
    pub(super) accepted_at: u64,
}

/// Bytes that a message takes in a segment.
pub(super) fn size_of(message: &Message) -> usize {
    let headers: usize = message.headers.iter().map(|(name, value)| 8 + name.len() + value.len()).sum();
    PREFIX + SMALLEST_BODY + message.key.len() + headers + message.payload.len()
}

/// Appends a message; its parts must be shorter than 4 GiB.
pub(super) fn encode(buffer: &mut Vec<u8>, stamp: Stamp, message: &Message) {
    let start = buffer.len();
    let size = size_of(message);
    buffer.reserve(size);
    put_length(buffer, size - PREFIX);
    buffer.extend_from_slice(&[0; 4]);
    buffer.extend_from_slice(&stamp.sequence.to_le_bytes());
    put_length(buffer, usize::try_from(stamp.sequence - stamp.group).unwrap_or(usize::MAX));
    buffer.extend_from_slice(&stamp.accepted_at.to_le_bytes());
    put_text(buffer, &message.key);
    put_length(buffer, message.headers.len());
    for (name, value) in &message.headers {
        put_text(buffer, name.as_bytes());
        put_text(buffer, value.as_bytes());
    }
    buffer.extend_from_slice(&message.payload);
    let checksum = checksum(&buffer[start..]);
    buffer[start + 4..start + PREFIX].copy_from_slice(&checksum.to_le_bytes());
}

fn put_length(buffer: &mut Vec<u8>, length: usize) {
    buffer.extend_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes());
}

fn put_text(buffer: &mut Vec<u8>, text: &[u8]) {
    put_length(buffer, text.len());
    buffer.extend_from_slice(text);
}

fn checksum(frame: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&frame[..4]);
    hasher.update(&frame[PREFIX..]);
    hasher.finalize()
}

/// Size of the whole record by its first bytes, if it can be one.
pub(super) fn announced_size(prefix: &[u8]) -> Option<usize> {
    let length = u32::from_le_bytes(*prefix.first_chunk()?);
    let length = usize::try_from(length).ok()?;
    (length >= SMALLEST_BODY).then_some(PREFIX + length)
}

/// A record whose checksum holds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame<'a> {
    pub(super) stamp: Stamp,
    bytes: &'a [u8],
}

impl<'a> Frame<'a> {
    /// `bytes` is one whole record.
    pub(super) fn new(bytes: &'a [u8]) -> Option<Self> {
        let stamp = Self::stamp_of(bytes)?;
        let stored = u32::from_le_bytes(*bytes[4..].first_chunk()?);
        (stored == checksum(bytes)).then_some(Self { stamp, bytes })
    }

    /// The same of bytes that were checked before.
    pub(super) fn parsed(bytes: &'a [u8]) -> Option<Self> {
        Some(Self { stamp: Self::stamp_of(bytes)?, bytes })
    }

    /// What a record says of itself, unchecked.
    pub(super) fn stamp_of(bytes: &[u8]) -> Option<Stamp> {
        let sequence = u64::from_le_bytes(*bytes.get(PREFIX..)?.first_chunk()?);
        let place = u32::from_le_bytes(*bytes.get(PREFIX + 8..)?.first_chunk()?);
        let accepted_at = u64::from_le_bytes(*bytes.get(PREFIX + 12..)?.first_chunk()?);
        Some(Stamp { sequence, group: sequence.checked_sub(u64::from(place))?, accepted_at })
    }

    pub(super) fn size(&self) -> usize {
        self.bytes.len()
    }

    /// The message in memory of its own.
    pub(super) fn message(&self) -> Option<Message> {
        let mut rest = Bytes::copy_from_slice(&self.bytes[PREFIX + 8 + 4 + 8..]);
        let key = take_text(&mut rest)?;
        let count = take_length(&mut rest)?;
        let mut headers = Vec::with_capacity(count.min(rest.len() / 8));
        for _ in 0..count {
            headers.push((take_string(&mut rest)?, take_string(&mut rest)?));
        }
        Some(Message { key, headers, payload: rest, ..Message::default() })
    }
}

fn take_length(rest: &mut Bytes) -> Option<usize> {
    let length = u32::from_le_bytes(*rest.first_chunk()?);
    let _length = rest.split_to(4);
    usize::try_from(length).ok()
}

fn take_text(rest: &mut Bytes) -> Option<Bytes> {
    let length = take_length(rest)?;
    (length <= rest.len()).then(|| rest.split_to(length))
}

fn take_string(rest: &mut Bytes) -> Option<String> {
    String::from_utf8(take_text(rest)?.to_vec()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message() -> Message {
        Message {
            key: Bytes::from_static(b"event-1"),
            headers: vec![("a".into(), String::new()), ("a".into(), "ä".into())],
            payload: Bytes::from_static(b"\0\xff body"),
            ..Message::default()
        }
    }

    const STAMP: Stamp = Stamp { sequence: 41, group: 40, accepted_at: 1_700_000_000_000_000 };

    #[test]
    fn reads_back_what_it_wrote() {
        let mut buffer = Vec::new();

        encode(&mut buffer, STAMP, &message());

        let frame = Frame::new(&buffer).unwrap();
        assert_eq!(announced_size(&buffer), Some(buffer.len()));
        assert_eq!(buffer.len(), size_of(&message()));
        assert_eq!((frame.stamp, frame.message()), (STAMP, Some(message())));
    }

    #[test]
    fn notices_every_flipped_bit() {
        let mut buffer = Vec::new();
        encode(&mut buffer, STAMP, &message());

        for bit in 0..buffer.len() * 8 {
            buffer[bit / 8] ^= 1 << (bit % 8);
            assert!(Frame::new(&buffer).is_none(), "bit {bit}");
            buffer[bit / 8] ^= 1 << (bit % 8);
        }
    }
}
