//! Disks that fail.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use patchbay_broker::contract::{acknowledge_until_empty, message};
use patchbay_broker::embedded::{Disk, Embedded, Options, SystemDisk};
use patchbay_broker::{Broker, PublishError};
use tempfile::TempDir;

use crate::support::TOPIC;

/// A disk whose troubles are switched on and off.
#[derive(Debug)]
struct BadDisk {
    writes_fail: AtomicBool,
    syncs_fail: AtomicBool,
    free: AtomicU64,
    aborts: AtomicUsize,
}

impl Disk for BadDisk {
    fn write(&self, file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
        if !self.writes_fail.load(Ordering::SeqCst) {
            return SystemDisk.write(file, bytes, offset);
        }
        SystemDisk.write(file, &bytes[..bytes.len() / 2], offset)?;
        Err(io::ErrorKind::StorageFull.into())
    }

    fn allocate(&self, file: &File, offset: u64, bytes: u64) -> io::Result<()> {
        SystemDisk.allocate(file, offset, bytes)
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        if self.syncs_fail.load(Ordering::SeqCst) {
            return Err(io::Error::other("the medium is gone"));
        }
        SystemDisk.sync(file)
    }

    fn free_bytes(&self, _directory: &Path) -> io::Result<u64> {
        Ok(self.free.load(Ordering::SeqCst))
    }

    fn abort(&self) {
        self.aborts.fetch_add(1, Ordering::SeqCst);
    }
}

async fn on_a_bad_disk() -> (TempDir, Arc<BadDisk>, Arc<Embedded>) {
    let directory = TempDir::new().unwrap();
    let disk = Arc::new(BadDisk {
        writes_fail: AtomicBool::new(false),
        syncs_fail: AtomicBool::new(false),
        free: AtomicU64::new(u64::MAX),
        aborts: AtomicUsize::new(0),
    });
    let options = Options { disk: Arc::clone(&disk) as _, ..Options::new(directory.path()) };
    let broker = Embedded::open(options).await.unwrap();
    (directory, disk, broker)
}

#[tokio::test]
async fn aborts_after_a_failed_sync_and_confirms_nothing() {
    let (_directory, disk, broker) = on_a_bad_disk().await;
    disk.syncs_fail.store(true, Ordering::SeqCst);

    let first = broker.publish(TOPIC, vec![message(1)]).await;
    disk.syncs_fail.store(false, Ordering::SeqCst);
    let second = broker.publish(TOPIC, vec![message(2)]).await;

    assert_eq!(disk.aborts.load(Ordering::SeqCst), 1);
    assert!(matches!(first, Err(PublishError::Unavailable(_))), "{first:?}");
    assert!(matches!(second, Err(PublishError::Unavailable(_))), "{second:?}");
    broker.close().await;
}

#[tokio::test]
async fn takes_back_a_failed_write_whole_and_goes_on() {
    let (directory, disk, broker) = on_a_bad_disk().await;
    broker.publish(TOPIC, vec![message(1)]).await.unwrap();
    disk.writes_fail.store(true, Ordering::SeqCst);
    let refused = broker.publish(TOPIC, vec![message(2), message(3)]).await;
    disk.writes_fail.store(false, Ordering::SeqCst);
    broker.publish(TOPIC, vec![message(4)]).await.unwrap();
    broker.close().await;

    let broker = Embedded::open(Options::new(directory.path())).await.unwrap();
    let mut consumer = broker.subscribe(TOPIC, 10).await.unwrap();
    let kept = acknowledge_until_empty(&*broker, TOPIC, &mut *consumer).await;

    assert!(matches!(refused, Err(PublishError::Full(_))), "{refused:?}");
    assert_eq!(kept, [message(1), message(4)]);
}

#[tokio::test]
async fn keeps_the_reserve_free() {
    let (_directory, disk, broker) = on_a_bad_disk().await;
    disk.free.store(64 * 1024 * 1024, Ordering::SeqCst);
    let refused = broker.publish(TOPIC, vec![message(1)]).await;
    disk.free.store(65 * 1024 * 1024, Ordering::SeqCst);
    let accepted = broker.publish(TOPIC, vec![message(1)]).await;

    assert!(matches!(refused, Err(PublishError::Full(_))), "{refused:?}");
    assert_eq!(accepted, Ok(()));
}
