//! A broker in a directory of its own.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use patchbay_broker::contract::Subject;
use patchbay_broker::embedded::{Disk, Embedded, Options, SystemDisk};
use patchbay_broker::{Broker, Error};
use patchbay_proto::Topic;
use tempfile::TempDir;

pub(crate) const TOPIC: Topic = Topic::TriggerFired;

/// A disk of a machine whose plug can be pulled: from then on nothing reaches the medium, and nothing is confirmed.
#[derive(Debug, Default)]
struct Plugged {
    is_pulled: AtomicBool,
}

impl Plugged {
    fn is_pulled(&self) -> bool {
        self.is_pulled.load(Ordering::SeqCst)
    }
}

impl Disk for Plugged {
    fn write(&self, file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
        if self.is_pulled() { Ok(()) } else { SystemDisk.write(file, bytes, offset) }
    }

    fn allocate(&self, file: &File, offset: u64, bytes: u64) -> io::Result<()> {
        if self.is_pulled() { Ok(()) } else { SystemDisk.allocate(file, offset, bytes) }
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        if self.is_pulled() { Err(io::Error::other("the plug is pulled")) } else { SystemDisk.sync(file) }
    }

    fn free_bytes(&self, directory: &Path) -> io::Result<u64> {
        SystemDisk.free_bytes(directory)
    }

    /// The process goes on, so that a test can; its broker does not.
    fn abort(&self) {}
}

/// Keeps the directories of earlier lives, which are copied at each crash.
#[derive(Debug)]
pub(crate) struct House {
    lives: Vec<TempDir>,
    tune: fn(Options) -> Options,
    disk: Arc<Plugged>,
    broker: Arc<Embedded>,
}

async fn move_in(directory: &Path, tune: fn(Options) -> Options) -> (Arc<Plugged>, Arc<Embedded>) {
    let disk = Arc::new(Plugged::default());
    let options = Options { disk: Arc::clone(&disk) as _, ..tune(Options::new(directory)) };
    (disk, Embedded::open(options).await.unwrap())
}

impl House {
    pub(crate) async fn new(tune: fn(Options) -> Options) -> Self {
        let directory = TempDir::new().unwrap();
        let (disk, broker) = move_in(directory.path(), tune).await;
        Self { lives: vec![directory], tune, disk, broker }
    }

    pub(crate) fn directory(&self) -> PathBuf {
        self.lives.last().unwrap().path().to_path_buf()
    }

    /// The files as they are at this moment are what the next life finds, and a piece of a write that was never confirmed.
    pub(crate) async fn crash_while_writing(&mut self, torn: &[u8]) {
        self.disk.is_pulled.store(true, Ordering::SeqCst);
        let copied = TempDir::new().unwrap();
        copy(&self.directory(), copied.path());
        let newest = segments(copied.path(), TOPIC).pop().unwrap();
        let end = fs::read(&newest).unwrap().iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        let file = fs::OpenOptions::new().write(true).open(newest).unwrap();
        file.write_all_at(torn, end.max(16) as u64).unwrap();
        (self.disk, self.broker) = move_in(copied.path(), self.tune).await;
        self.lives.push(copied);
    }
}

#[async_trait]
impl Subject for House {
    fn broker(&self) -> Arc<dyn Broker> {
        Arc::clone(&self.broker) as _
    }

    fn delivery_limit(&self) -> u32 {
        (self.tune)(Options::new("")).delivery_limit
    }

    async fn crash(&mut self) {
        self.crash_while_writing(&[]).await;
    }

    async fn restart(&mut self) {
        self.broker.close().await;
        (self.disk, self.broker) = move_in(&self.directory(), self.tune).await;
    }
}

/// Copies a directory. In the order of names the acknowledgements come behind the segments, as on a disk after a crash: a
/// segment is gone only when they say so.
pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    let mut entries: Vec<_> = fs::read_dir(from).unwrap().map(Result::unwrap).collect();
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
            continue;
        }
        match fs::copy(entry.path(), &target) {
            Ok(_) => {}
            // Renamed or removed between the listing and the copy.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => panic!("{error}"),
        }
    }
}

/// The segments of a topic, oldest first.
pub(crate) fn segments(directory: &Path, topic: Topic) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory.join(topic.name())).unwrap();
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "log"));
    paths.sort();
    paths
}

/// Opens a directory whose files a test has changed.
pub(crate) async fn open(directory: &Path) -> Result<Arc<Embedded>, Error> {
    Embedded::open(Options::new(directory)).await
}
