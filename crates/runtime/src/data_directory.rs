//! The directory that one process owns: its lock, and a reserve of disk space for hard times.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use rustix::fs::{FallocateFlags, fallocate, statvfs};

/// Why a data directory can't be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another process holds it.
    #[error(
        "data directory {path} is in use by another process (pid {pid})\nhint: stop that process, or choose another --data-dir"
    )]
    Locked {
        /// The directory.
        path: String,
        /// Who holds it, as the lock file says.
        pid: String,
    },
    /// The file system refused.
    #[error("data directory {path} can't be used")]
    Io {
        /// The directory.
        path: String,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// A data directory that this process alone may write, as long as this value lives.
#[derive(Debug)]
pub struct DataDirectory {
    path: PathBuf,
    reserve: Reserve,
    _lock: File,
}

impl DataDirectory {
    /// Makes the directory when it is missing, takes its lock, and sets `reserve_bytes` of disk aside.
    ///
    /// # Errors
    /// When another process holds it or the file system refuses.
    pub fn open(path: &Path, reserve_bytes: u64) -> Result<Self, Error> {
        let failed = |source| Error::Io { path: path.display().to_string(), source };
        create(path).map_err(failed)?;
        let lock_path = path.join("lock");
        let mut lock =
            OpenOptions::new().create(true).read(true).write(true).truncate(false).open(&lock_path).map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let pid = fs::read_to_string(&lock_path).unwrap_or_default().trim().to_owned();
                return Err(Error::Locked { path: path.display().to_string(), pid });
            }
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        // The number is for people only; a full disk must not keep the process from starting.
        let _ = lock.set_len(0).and_then(|()| lock.write_all(format!("{}\n", std::process::id()).as_bytes()));
        let reserve = Reserve::open(path, reserve_bytes);
        Ok(Self { path: path.to_owned(), reserve, _lock: lock })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The space set aside.
    #[must_use]
    pub const fn reserve(&self) -> &Reserve {
        &self.reserve
    }
}

/// Makes a data directory that only its owner can enter, when it is missing.
///
/// # Errors
/// When the file system refuses.
pub fn create(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Disk space set aside, so that what was accepted can be finished on a full disk.
/// It is a file of real blocks: given up when a write fails for want of space, taken back when there is room again.
#[derive(Debug, Clone)]
pub struct Reserve {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    directory: PathBuf,
    bytes: u64,
    spent: AtomicBool,
}

impl Reserve {
    fn open(directory: &Path, bytes: u64) -> Self {
        let inner = Inner {
            path: directory.join("reserve"),
            directory: directory.to_owned(),
            bytes,
            spent: AtomicBool::new(true),
        };
        let reserve = Self { inner: Arc::new(inner) };
        if !reserve.restore() {
            tracing::warn!(bytes, "disk has no room for the reserve: nothing is accepted until there is");
        }
        reserve
    }

    /// Whether the reserve is not there: nothing new may be accepted.
    #[must_use]
    pub fn is_spent(&self) -> bool {
        self.inner.spent.load(Ordering::Acquire)
    }

    /// Gives the space up for finishing what was accepted.
    pub fn spend(&self) {
        if self.inner.spent.swap(true, Ordering::AcqRel) {
            return;
        }
        tracing::error!("disk is full: the reserve is given up, nothing new is accepted until there is room");
        if let Err(error) = fs::remove_file(&self.inner.path) {
            tracing::error!(%error, "reserve file can't be removed");
        }
    }

    /// Takes the space back when twice as much is free. Returns whether the reserve is there.
    pub fn restore(&self) -> bool {
        if !self.is_spent() {
            return true;
        }
        let held = fs::metadata(&self.inner.path).map_or(0, |metadata| metadata.len());
        if held != self.inner.bytes && !self.has_room() {
            return false;
        }
        let allocated =
            OpenOptions::new().create(true).write(true).truncate(false).mode(0o600).open(&self.inner.path).and_then(
                |file| {
                    file.set_len(self.inner.bytes)?;
                    match self.inner.bytes {
                        0 => Ok(()),
                        bytes => fallocate(&file, FallocateFlags::empty(), 0, bytes).map_err(io::Error::from),
                    }
                },
            );
        if let Err(error) = allocated {
            tracing::debug!(%error, "reserve can't be restored yet");
            let _ = fs::remove_file(&self.inner.path);
            return false;
        }
        self.inner.spent.store(false, Ordering::Release);
        true
    }

    fn has_room(&self) -> bool {
        statvfs(&self.inner.directory)
            .is_ok_and(|status| status.f_bavail.saturating_mul(status.f_frsize) >= self.inner.bytes.saturating_mul(2))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_a_second_process_out_and_names_the_first() {
        let folder = tempfile::tempdir().unwrap();
        let first = DataDirectory::open(folder.path(), 0).unwrap();
        let error = DataDirectory::open(folder.path(), 0).unwrap_err();
        assert!(error.to_string().contains(&std::process::id().to_string()), "{error}");
        drop(first);
        DataDirectory::open(folder.path(), 0).unwrap();
    }

    #[test]
    fn spends_and_restores_its_reserve() {
        let folder = tempfile::tempdir().unwrap();
        let directory = DataDirectory::open(folder.path(), 4096).unwrap();
        let file = folder.path().join("reserve");
        assert_eq!(fs::metadata(&file).unwrap().len(), 4096);
        directory.reserve().spend();
        assert!(directory.reserve().is_spent());
        assert!(!file.exists());
        assert!(directory.reserve().restore());
        assert_eq!(fs::metadata(&file).unwrap().len(), 4096);
    }

    #[test]
    fn refuses_a_path_that_is_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        assert!(matches!(DataDirectory::open(&file, 0), Err(Error::Io { .. })));
    }
}
