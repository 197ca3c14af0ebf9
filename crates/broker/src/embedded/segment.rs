//! One file of a topic's log: a header, then records in order of their sequence.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::record::{Frame, PREFIX, announced_size};
use crate::Error;

const MAGIC: &[u8; 8] = b"PBLOG001";
/// Bytes before the first record.
pub(super) const HEADER: u64 = 16;
const READ_AHEAD: usize = 256 * 1024;

/// What is known of a segment: as far as it is synced, and all of it readable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Segment {
    /// Sequence of its first record, and its name.
    pub(super) base: u64,
    /// One past the sequence of its last record.
    pub(super) end: u64,
    pub(super) bytes: u64,
    /// When its first record was accepted, in microseconds since 1970; 0 when there is none.
    pub(super) first_accepted_at: u64,
}

pub(super) fn path(directory: &Path, base: u64) -> PathBuf {
    directory.join(format!("{base:020}.log"))
}

/// The bases of all segments in a topic's directory, in order.
pub(super) fn list(directory: &Path) -> Result<Vec<u64>, Error> {
    let failed = |error| Error::io("list", directory, error);
    let mut bases = Vec::new();
    for entry in fs::read_dir(directory).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name();
        let base = name.to_str().and_then(|name| name.strip_suffix(".log")).and_then(|base| base.parse::<u64>().ok());
        bases.extend(base);
    }
    bases.sort_unstable();
    Ok(bases)
}

pub(super) fn header(base: u64) -> [u8; 16] {
    let mut header = [0; 16];
    header[..8].copy_from_slice(MAGIC);
    header[8..].copy_from_slice(&base.to_le_bytes());
    header
}

/// Reads the records of a segment in order.
#[derive(Debug)]
pub(super) struct Reader {
    file: File,
    path: PathBuf,
    offset: u64,
    limit: u64,
    /// Bytes of the file from `offset` on are at `start..`.
    buffer: Vec<u8>,
    start: usize,
    /// How far to read ahead.
    ahead: usize,
}

impl Reader {
    /// Reads from `offset` to before `limit`.
    pub(super) fn open(path: PathBuf, offset: u64, limit: u64) -> Result<Self, Error> {
        let file = File::open(&path).map_err(|error| Error::io("open", &path, error))?;
        Ok(Self { file, path, offset, limit, buffer: Vec::new(), start: 0, ahead: READ_AHEAD })
    }

    /// Reads one record only, so reads ahead little.
    pub(super) fn open_at(path: PathBuf, offset: u64, limit: u64) -> Result<Self, Error> {
        Ok(Self { ahead: 4096, ..Self::open(path, offset, limit)? })
    }

    /// Where the next record begins.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    pub(super) fn file(&self) -> &File {
        &self.file
    }

    pub(super) fn damaged(&self, what: &'static str) -> Error {
        Error::Damaged { path: self.path.clone(), offset: self.offset, what }
    }

    pub(super) fn io(&self, action: &'static str, error: io::Error) -> Error {
        Error::io(action, &self.path, error)
    }

    /// Whether the file begins as the segment `base`; moves to the first record.
    pub(super) fn take_header(&mut self, base: u64) -> Result<bool, Error> {
        let expected = header(base);
        if !self.fill(expected.len())? || self.buffer[self.start..][..expected.len()] != expected {
            return Ok(false);
        }
        self.advance(expected.len());
        Ok(true)
    }

    /// The next record, and where it begins; nothing at the end. Damage is an error, and the offset stays before it.
    pub(super) fn next(&mut self) -> Result<Option<(u64, Frame<'_>)>, Error> {
        if self.offset == self.limit {
            return Ok(None);
        }
        if !self.fill(PREFIX)? {
            return Err(self.damaged("a record is cut short"));
        }
        let Some(size) = announced_size(&self.buffer[self.start..]) else {
            return Err(self.damaged("a record has an impossible length"));
        };
        if !self.fill(size)? {
            return Err(self.damaged("a record is longer than the file"));
        }
        let start = self.start;
        if Frame::new(&self.buffer[start..start + size]).is_none() {
            return Err(self.damaged("the checksum of a record does not match"));
        }
        let offset = self.offset;
        self.advance(size);
        // Checked above; looked at again because a loan can't outlive the change of the place.
        Ok(Frame::parsed(&self.buffer[start..start + size]).map(|frame| (offset, frame)))
    }

    fn advance(&mut self, bytes: usize) {
        self.start += bytes;
        self.offset += bytes as u64;
    }

    /// Has at least `wanted` bytes of the place in the buffer; `false` when the file ends before.
    fn fill(&mut self, wanted: usize) -> Result<bool, Error> {
        if self.limit - self.offset < wanted as u64 {
            return Ok(false);
        }
        if self.buffer.len() - self.start >= wanted {
            return Ok(true);
        }
        self.buffer.drain(..self.start);
        self.start = 0;
        let held = self.buffer.len();
        let left = usize::try_from(self.limit - self.offset).unwrap_or(usize::MAX);
        let target = wanted.max(self.ahead).min(left);
        self.buffer.resize(target, 0);
        self.file
            .read_exact_at(&mut self.buffer[held..], self.offset + held as u64)
            .map_err(|error| Error::io("read", &self.path, error))?;
        Ok(true)
    }
}

/// What lies behind the last good record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tail {
    /// Zeros that were allocated ahead.
    Unused,
    /// Pieces of one write.
    Torn,
    /// A group that began after the bad record, which was synced then.
    Synced,
}

/// Looks at what lies at `offset`, where the record `sequence` should be.
pub(super) fn tail(file: &File, offset: u64, limit: u64, sequence: u64) -> io::Result<Tail> {
    let mut bytes = vec![0; usize::try_from(limit - offset).unwrap_or(usize::MAX)];
    file.read_exact_at(&mut bytes, offset)?;
    let Some(last) = bytes.iter().rposition(|byte| *byte != 0) else { return Ok(Tail::Unused) };
    let possible = sequence..sequence.saturating_add(bytes.len() as u64);
    let is_later = |start: usize| {
        let rest = &bytes[start..];
        let Some(record) = announced_size(rest).and_then(|size| rest.get(..size)) else { return false };
        let Some(stamp) = Frame::stamp_of(record) else { return false };
        possible.contains(&stamp.sequence) && stamp.group > sequence && Frame::new(record).is_some()
    };
    Ok(if (0..=last).any(is_later) { Tail::Synced } else { Tail::Torn })
}
