//! What a topic's directory says after whatever happened to the process before.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::path::Path;

use super::acknowledged::Acknowledged;
use super::disk::Disk;
use super::log;
use super::notebook::Notebook;
use super::queue::Cursor;
use super::segment::{self, HEADER, Reader, Segment, Tail};
use crate::Error;

/// A topic's directory, read and mended.
#[derive(Debug)]
pub(super) struct Recovered {
    /// At least one.
    pub(super) segments: VecDeque<Segment>,
    pub(super) newest: Segment,
    pub(super) acknowledged: Acknowledged,
    pub(super) notebook: Notebook,
    /// The first message that is not acknowledged.
    pub(super) first_open: Option<Cursor>,
}

/// Reads all segments of a directory, and cuts off what a crash left half-written at the very end.
pub(super) fn recover(disk: &dyn Disk, directory: &Path) -> Result<Recovered, Error> {
    fs::create_dir_all(directory).map_err(|error| Error::io("create", directory, error))?;
    let (notebook, saved) = Notebook::open(directory)?;
    let bases = segment::list(directory)?;
    let known = saved.is_some();
    let mut acknowledged = saved.unwrap_or_else(|| Acknowledged::up_to(bases.first().copied().unwrap_or(0)));
    let mut segments = VecDeque::new();
    let mut first_open = None;
    let mut expected = acknowledged.below();
    for (index, base) in bases.iter().copied().enumerate() {
        if segments.back().is_some_and(|previous: &Segment| previous.end > base) {
            let what = "its messages are in the segment before it, too";
            return Err(Error::Damaged { path: segment::path(directory, base), offset: 0, what });
        }
        close_gap(directory, &mut acknowledged, known, expected, base)?;
        let next_base = bases.get(index + 1).copied();
        let (segment, open_here) = scan(disk, directory, base, next_base, &acknowledged)?;
        first_open = first_open.or(open_here);
        expected = expected.max(segment.end);
        segments.push_back(segment);
    }
    let end = acknowledged.end();
    let newest = match segments.back() {
        Some(newest) if newest.end >= end => *newest,
        _ => {
            let (_, segment) = log::create(disk, directory, end)
                .map_err(|error| Error::io("create a segment in", directory, error))?;
            segments.push_back(segment);
            segment
        }
    };
    sync(disk, directory, newest.base)?;
    Ok(Recovered { segments, newest, acknowledged, notebook, first_open })
}

/// Between what came before and the segment `base`, nothing may be missing that was not acknowledged.
fn close_gap(
    directory: &Path,
    acknowledged: &mut Acknowledged,
    known: bool,
    expected: u64,
    base: u64,
) -> Result<(), Error> {
    if acknowledged.covers(expected, base) {
        return Ok(());
    }
    let from = expected;
    if known {
        return Err(Error::Missing { directory: directory.to_path_buf(), from, until: base });
    }
    tracing::warn!(directory = %directory.display(), from, until = base, "going on without messages that are not there");
    (from..base).for_each(|sequence| acknowledged.insert(sequence));
    Ok(())
}

/// Reads a segment, and finds its first message that is not acknowledged.
fn scan(
    disk: &dyn Disk,
    directory: &Path,
    base: u64,
    next_base: Option<u64>,
    acknowledged: &Acknowledged,
) -> Result<(Segment, Option<Cursor>), Error> {
    let path = segment::path(directory, base);
    let length = fs::metadata(&path).map_err(|error| Error::io("look at", &path, error))?.len();
    let mut reader = Reader::open(path.clone(), 0, length)?;
    if !reader.take_header(base)? {
        let damage = reader.damaged("the header is not that of this segment");
        judge_tail(&reader, next_base, base, length, damage)?;
        let (_, segment) = log::create(disk, directory, base).map_err(|error| Error::io("create", &path, error))?;
        return Ok((segment, None));
    }
    let mut segment = Segment { base, end: base, bytes: HEADER, first_accepted_at: 0 };
    let mut first_open = None;
    let damage = loop {
        let offset = reader.offset();
        match reader.next() {
            Ok(None) => return Ok((segment, first_open)),
            Ok(Some((_, frame))) if frame.stamp.sequence != segment.end => {
                let what = "a record is not the one that follows";
                break Error::Damaged { path: path.clone(), offset, what };
            }
            Ok(Some((offset, frame))) => {
                let (sequence, accepted_at) = (frame.stamp.sequence, frame.stamp.accepted_at);
                if segment.first_accepted_at == 0 {
                    segment.first_accepted_at = accepted_at;
                }
                segment.end = sequence + 1;
                segment.bytes = offset + frame.size() as u64;
                if first_open.is_none() && !acknowledged.contains(sequence) {
                    first_open = Some(Cursor { sequence, base, offset, accepted_at });
                }
            }
            Err(error @ Error::Damaged { .. }) => break error,
            Err(error) => return Err(error),
        }
    };
    // Nothing is missing before the next segment, so what follows was allocated ahead.
    if next_base.is_some_and(|next_base| acknowledged.covers(segment.end, next_base)) {
        return Ok((segment, first_open));
    }
    judge_tail(&reader, next_base, segment.end, length, damage)?;
    if next_base.is_none() {
        let file = File::options().write(true).open(&path).map_err(|error| Error::io("open", &path, error))?;
        file.set_len(segment.bytes).map_err(|error| Error::io("cut", &path, error))?;
    }
    Ok((segment, first_open))
}

/// Only at the very end of the newest segment may a record be bad: nobody was told that it was accepted.
fn judge_tail(reader: &Reader, next_base: Option<u64>, sequence: u64, length: u64, damage: Error) -> Result<(), Error> {
    let Error::Damaged { path, offset, .. } = &damage else { return Err(damage) };
    let tail = segment::tail(reader.file(), *offset, length, sequence).map_err(|error| reader.io("read", error))?;
    match tail {
        Tail::Unused => Ok(()),
        Tail::Torn if next_base.is_none() => {
            let bytes = length - offset;
            tracing::warn!(path = %path.display(), offset, bytes, "cut off a write that a crash interrupted");
            Ok(())
        }
        Tail::Torn | Tail::Synced => Err(damage),
    }
}

/// What is in the newest segment now is on the medium before anything follows it.
fn sync(disk: &dyn Disk, directory: &Path, newest: u64) -> Result<(), Error> {
    let path = segment::path(directory, newest);
    let file = File::open(&path).map_err(|error| Error::io("open", &path, error))?;
    disk.sync(&file).map_err(|error| Error::io("sync", &path, error))?;
    log::sync_directory(disk, directory).map_err(|error| Error::io("sync", directory, error))
}
