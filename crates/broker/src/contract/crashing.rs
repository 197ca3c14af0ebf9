//! A crash in the midst of work.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use patchbay_proto::Topic;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::{Subject, message, wait_until};
use crate::{Broker, Delivery};

const TOPIC: Topic = Topic::TriggerFired;
const PUBLISHERS: u64 = 16;
/// Messages of a call.
const AT_ONCE: u64 = 3;
/// As many messages are confirmed before the crash, at least.
const BEFORE: u64 = 600;
/// Each publisher makes as many calls after the crash.
const CALLS_AFTER: u64 = 10;
/// From the crash to the last delivery.
const DEADLINE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(5);

/// What publishers, the reader and the case share.
struct Scene {
    /// As it is at present.
    broker: Mutex<Arc<dyn Broker>>,
    next: AtomicU64,
    confirmed: AtomicU64,
    crashed: AtomicBool,
    delivered: Mutex<BTreeSet<Bytes>>,
}

impl Scene {
    fn broker(&self) -> Arc<dyn Broker> {
        Arc::clone(&self.broker.lock().unwrap())
    }

    /// Publishes again what was not confirmed, as every publisher does.
    async fn publish(self: Arc<Self>) {
        let mut calls_left = CALLS_AFTER;
        while calls_left > 0 {
            calls_left -= u64::from(self.crashed.load(Ordering::SeqCst));
            let start = self.next.fetch_add(AT_ONCE, Ordering::SeqCst);
            while self.broker().publish(TOPIC, (start..start + AT_ONCE).map(message).collect()).await.is_err() {
                sleep(PAUSE).await;
            }
            self.confirmed.fetch_add(AT_ONCE, Ordering::SeqCst);
        }
    }

    /// Acknowledges all that comes, from each broker in turn.
    async fn read(self: Arc<Self>) {
        loop {
            let broker = self.broker();
            let Ok(mut consumer) = broker.subscribe(TOPIC, 40).await else {
                sleep(PAUSE).await;
                continue;
            };
            while Arc::ptr_eq(&broker, &self.broker()) {
                let Ok(waited) = timeout(10 * PAUSE, consumer.next_batch(17)).await else { continue };
                let Ok(batch) = waited else {
                    sleep(PAUSE).await;
                    continue;
                };
                self.delivered.lock().unwrap().extend(batch.iter().map(|delivery| delivery.message.key.clone()));
                Delivery::acknowledge_all(batch);
            }
        }
    }
}

/// Whoever was told that a message is accepted can rely on it, also when the broker dies among many that publish and read.
pub async fn delivers_all_that_was_confirmed_around_a_crash_under_load(mut subject: impl Subject) {
    let scene = Arc::new(Scene {
        broker: Mutex::new(subject.broker()),
        next: AtomicU64::new(0),
        confirmed: AtomicU64::new(0),
        crashed: AtomicBool::new(false),
        delivered: Mutex::new(BTreeSet::new()),
    });
    let mut publishers = JoinSet::new();
    for _ in 0..PUBLISHERS {
        publishers.spawn(Arc::clone(&scene).publish());
    }
    let mut reader = JoinSet::new();
    reader.spawn(Arc::clone(&scene).read());

    wait_until("some are confirmed", || scene.confirmed.load(Ordering::SeqCst) >= BEFORE).await;
    subject.crash().await;
    *scene.broker.lock().unwrap() = subject.broker();
    scene.crashed.store(true, Ordering::SeqCst);

    assert!(timeout(DEADLINE, publishers.join_all()).await.is_ok(), "not confirmed within {DEADLINE:?}");
    let published = 0..scene.next.load(Ordering::SeqCst);
    let expected: BTreeSet<_> = published.map(|number| message(number).key).collect();
    let delivered = || scene.delivered.lock().unwrap().len();
    let reading = async {
        while delivered() < expected.len() {
            sleep(PAUSE).await;
        }
    };
    let in_time = timeout(DEADLINE, reading).await;
    assert!(in_time.is_ok(), "{} of {} confirmed ones delivered within {DEADLINE:?}", delivered(), expected.len());
    assert_eq!(*scene.delivered.lock().unwrap(), expected);
}
