//! The few calls on which durability rests, as a value, so that tests can make them fail.

use std::fmt::Debug;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// The disk under the log.
pub trait Disk: Send + Sync + Debug + 'static {
    /// Writes all bytes at an offset.
    ///
    /// # Errors
    /// When not all were written; some may have been.
    fn write(&self, file: &File, bytes: &[u8], offset: u64) -> io::Result<()>;

    /// Lengthens a file by zeros that have a place on the medium, so that a sync of what is written there later has less to do.
    ///
    /// # Errors
    /// When the file system can't, or has no room.
    fn allocate(&self, file: &File, offset: u64, bytes: u64) -> io::Result<()>;

    /// Brings what was written to a file or directory to the medium.
    ///
    /// # Errors
    /// When it may not be there. Asking again proves nothing: the system may have dropped the pages.
    fn sync(&self, file: &File) -> io::Result<()>;

    /// Bytes that may still be written to the file system of a directory.
    ///
    /// # Errors
    /// When the system can't tell.
    fn free_bytes(&self, directory: &Path) -> io::Result<u64>;

    /// Ends the process, because nobody knows what is on the disk. Only a test's disk returns.
    fn abort(&self);
}

/// The real one.
#[derive(Debug, Clone, Copy)]
pub struct SystemDisk;

impl Disk for SystemDisk {
    fn write(&self, file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
        file.write_all_at(bytes, offset)
    }

    fn allocate(&self, file: &File, offset: u64, bytes: u64) -> io::Result<()> {
        Ok(rustix::fs::fallocate(file, rustix::fs::FallocateFlags::empty(), offset, bytes)?)
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        file.sync_data()
    }

    fn free_bytes(&self, directory: &Path) -> io::Result<u64> {
        let facts = rustix::fs::statvfs(directory)?;
        Ok(facts.f_bavail.saturating_mul(facts.f_frsize))
    }

    fn abort(&self) {
        std::process::abort();
    }
}
