//! One broker a directory.

use std::fs::{self, File};
use std::path::Path;

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use crate::Error;

/// The directory is ours as long as this lives, and no longer than the process.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes a directory, and makes it when it is not there.
    pub(super) fn take(directory: &Path) -> Result<Self, Error> {
        fs::create_dir_all(directory).map_err(|error| Error::io("create", directory, error))?;
        let path = directory.join("lock");
        let file = File::create(&path).map_err(|error| Error::io("create", &path, error))?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Self { _file: file }),
            Err(Errno::WOULDBLOCK) => Err(Error::Locked { directory: directory.to_path_buf() }),
            Err(error) => Err(Error::io("lock", &path, error.into())),
        }
    }
}
