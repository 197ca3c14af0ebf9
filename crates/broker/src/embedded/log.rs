//! The writing end of a topic's log: the newest segment.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::disk::Disk;
use super::segment::{self, HEADER, Segment};

/// How far ahead of the records a segment is allocated: beyond the first record of such a piece, a sync need not change the
/// file's length, which takes a third off its time.
const AHEAD: u64 = 4 * 1024 * 1024;

#[derive(Debug)]
pub(super) struct Log {
    disk: Arc<dyn Disk>,
    directory: PathBuf,
    segment_bytes: u64,
    file: File,
    segment: Segment,
    /// Length of the file: zeros follow the records up to there.
    allocated: u64,
    /// The name of the file may not be on the medium.
    new_name: bool,
    /// There may be bytes of a failed write behind the segment.
    dirty_tail: bool,
}

/// What a failed step means.
#[derive(Debug)]
pub(super) enum Failure {
    /// Nothing of it counts, and the log is as before.
    Write(io::Error),
    /// Nobody knows what is on the medium.
    Sync(PathBuf, io::Error),
}

impl Log {
    /// Goes on behind `segment`, whose bytes are synced.
    pub(super) fn resume(
        disk: Arc<dyn Disk>,
        directory: PathBuf,
        segment_bytes: u64,
        segment: Segment,
    ) -> io::Result<Self> {
        let file = File::options().write(true).open(segment::path(&directory, segment.base))?;
        let allocated = segment.bytes;
        Ok(Self { disk, directory, segment_bytes, file, segment, allocated, new_name: false, dirty_tail: false })
    }

    pub(super) fn next_sequence(&self) -> u64 {
        self.segment.end
    }

    pub(super) fn path(&self) -> PathBuf {
        segment::path(&self.directory, self.segment.base)
    }

    /// Appends records and brings them to the medium. Answers with the segment as it is then, and where they begin.
    pub(super) fn append(&mut self, records: &[u8], count: u64, accepted_at: u64) -> Result<(Segment, u64), Failure> {
        if self.dirty_tail {
            self.cut_tail().map_err(Failure::Write)?;
        }
        if self.segment.bytes > HEADER && self.segment.bytes + records.len() as u64 > self.segment_bytes {
            self.roll().map_err(Failure::Write)?;
        }
        let offset = self.segment.bytes;
        self.allocate(offset + records.len() as u64);
        if let Err(error) = self.disk.write(&self.file, records, offset) {
            self.dirty_tail = true;
            if let Err(error) = self.cut_tail() {
                tracing::warn!(path = %self.path().display(), %error, "could not cut off a failed write; trying again");
            }
            return Err(Failure::Write(error));
        }
        self.disk.sync(&self.file).map_err(|error| Failure::Sync(self.path(), error))?;
        if self.new_name {
            sync_directory(&*self.disk, &self.directory)
                .map_err(|error| Failure::Sync(self.directory.clone(), error))?;
            self.new_name = false;
        }
        if self.segment.first_accepted_at == 0 {
            self.segment.first_accepted_at = accepted_at;
        }
        self.segment.end += count;
        self.segment.bytes += records.len() as u64;
        Ok((self.segment, offset))
    }

    fn allocate(&mut self, needed: u64) {
        if needed <= self.allocated {
            return;
        }
        let target = needed.max(self.segment_bytes.min(needed + AHEAD));
        // Where it can't be done, the write finds out whether there is room.
        if self.disk.allocate(&self.file, self.allocated, target - self.allocated).is_ok() {
            self.allocated = target;
        }
    }

    /// Leaves nothing behind the records.
    pub(super) fn cut_tail(&mut self) -> io::Result<()> {
        self.file.set_len(self.segment.bytes)?;
        self.allocated = self.segment.bytes;
        self.dirty_tail = false;
        Ok(())
    }

    /// Begins a new segment. What was allocated ahead in the old one stays there.
    fn roll(&mut self) -> io::Result<()> {
        let (file, segment) = create(&*self.disk, &self.directory, self.segment.end)?;
        self.file = file;
        self.segment = segment;
        self.allocated = segment.bytes;
        self.new_name = true;
        Ok(())
    }
}

/// Makes an empty segment. Neither its header nor its name is synced.
pub(super) fn create(disk: &dyn Disk, directory: &Path, base: u64) -> io::Result<(File, Segment)> {
    let path = segment::path(directory, base);
    let file = File::options().write(true).create(true).truncate(true).open(&path)?;
    if let Err(error) = disk.write(&file, &segment::header(base), 0) {
        drop(fs::remove_file(&path));
        return Err(error);
    }
    Ok((file, Segment { base, end: base, bytes: HEADER, first_accepted_at: 0 }))
}

pub(super) fn sync_directory(disk: &dyn Disk, directory: &Path) -> io::Result<()> {
    disk.sync(&File::open(directory)?)
}
