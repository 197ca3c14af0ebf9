//! Counts what waits in the queues, while somebody looks.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use lapin::Channel;
use lapin::options::QueueDeclareOptions;
use lapin::types::FieldTable;
use patchbay_proto::Topic;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep, timeout};

use super::link::{Plan, State};
use super::shelf::Shelf;
use crate::Progress;

/// How often it counts.
const COUNT_EVERY: Duration = Duration::from_millis(500);
/// Who has not looked for this long does not look any more.
const ATTENTION: Duration = Duration::from_secs(5);

/// What is known of a topic.
#[derive(Debug, Clone, Copy, Default)]
struct Seen {
    looked_at: Option<Instant>,
    /// Messages that waited at the last count, and how many had been received when it began.
    ready: u64,
    received: u64,
    /// When nothing waited, or somebody looked for the first time.
    empty_at: Option<Instant>,
}

/// The consumers of a topic in this process.
#[derive(Debug, Default)]
struct Readers {
    received: Arc<AtomicU64>,
    shelves: Vec<Weak<Shelf>>,
    seen: Seen,
}

/// What this process knows of all topics.
#[derive(Debug, Default)]
pub(super) struct Counts {
    topics: Mutex<[Readers; Topic::ALL.len()]>,
    looked: Notify,
}

impl Counts {
    fn with<T>(&self, topic: Topic, work: impl FnOnce(&mut Readers) -> T) -> Option<T> {
        let index = Topic::ALL.iter().position(|each| *each == topic)?;
        self.topics.lock().unwrap_or_else(PoisonError::into_inner).get_mut(index).map(work)
    }

    /// A consumer joins.
    pub(super) fn join(&self, topic: Topic, make: impl FnOnce(Arc<AtomicU64>) -> Arc<Shelf>) -> Option<Arc<Shelf>> {
        self.with(topic, |readers| {
            let shelf = make(Arc::clone(&readers.received));
            readers.shelves.retain(|shelf| shelf.strong_count() > 0);
            readers.shelves.push(Arc::downgrade(&shelf));
            shelf
        })
    }

    /// What consumers complain about.
    pub(super) fn problems(&self) -> Vec<String> {
        let topics = self.topics.lock().unwrap_or_else(PoisonError::into_inner);
        let shelves = topics.iter().flat_map(|readers| &readers.shelves).filter_map(Weak::upgrade);
        shelves.filter_map(|shelf| shelf.problem()).collect()
    }

    /// The last count, less what came since to consumers of this process.
    pub(super) fn progress(&self, topic: Topic) -> Progress {
        let now = Instant::now();
        let progress = self.with(topic, |readers| {
            let counts = readers.shelves.iter().filter_map(Weak::upgrade).map(|shelf| shelf.counts());
            let (buffered, held) = counts.fold((0, 0), |sum, each| (sum.0 + each.0, sum.1 + each.1));
            let seen = &mut readers.seen;
            seen.looked_at = Some(now);
            let came = readers.received.load(Ordering::Relaxed).saturating_sub(seen.received);
            let undelivered = seen.ready.saturating_sub(came) + buffered;
            if undelivered == 0 || seen.empty_at.is_none() {
                seen.empty_at = Some(now);
            }
            let age = seen.empty_at.filter(|_| undelivered > 0).map(|at| now.duration_since(at));
            Progress { undelivered, unacknowledged: held, oldest_undelivered_age: age, bytes_on_disk: 0 }
        });
        self.looked.notify_one();
        progress.unwrap_or_default()
    }

    fn is_looked_at(&self, topic: Topic) -> bool {
        let looked_at = self.with(topic, |readers| readers.seen.looked_at).flatten();
        looked_at.is_some_and(|at| at.elapsed() < ATTENTION)
    }

    fn received(&self, topic: Topic) -> u64 {
        self.with(topic, |readers| readers.received.load(Ordering::Relaxed)).unwrap_or_default()
    }

    fn counted(&self, topic: Topic, ready: u64, received: u64) {
        self.with(topic, |readers| {
            let seen = &mut readers.seen;
            (seen.ready, seen.received) = (ready, received);
            if ready == 0 {
                seen.empty_at = Some(Instant::now());
            }
        });
    }
}

/// Counts until the broker is closed.
pub(super) async fn run(plan: Arc<Plan>, link: watch::Receiver<State>, counts: Arc<Counts>) {
    let closing = plan.closing.clone();
    closing.or(count(&plan, &link, &counts)).await;
}

async fn count(plan: &Plan, link: &watch::Receiver<State>, counts: &Counts) {
    let mut channel: Option<Channel> = None;
    loop {
        let looked_at: Vec<_> = Topic::ALL.into_iter().filter(|topic| counts.is_looked_at(*topic)).collect();
        if looked_at.is_empty() {
            // It costs the broker something.
            channel = None;
            counts.looked.notified().await;
            continue;
        }
        let counting = count_topics(plan, link, counts, &looked_at, channel.take());
        channel = timeout(plan.options.connect_timeout, counting).await.unwrap_or_default();
        sleep(COUNT_EVERY).await;
    }
}

/// Returns the channel when it can be used again.
async fn count_topics(
    plan: &Plan,
    link: &watch::Receiver<State>,
    counts: &Counts,
    topics: &[Topic],
    channel: Option<Channel>,
) -> Option<Channel> {
    let channel = match channel.filter(|channel| channel.status().connected()) {
        Some(channel) => channel,
        None => {
            let connection = match &*link.borrow() {
                State::Up(up) => Arc::clone(&up.connection),
                State::Connecting | State::Down(_) => return None,
            };
            connection.create_channel().await.ok()?
        }
    };
    for topic in topics {
        let received = counts.received(*topic);
        let mut ready = 0;
        for queue in plan.names.queues(*topic) {
            let options = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
            let queue = channel.queue_declare(queue.clone(), options, FieldTable::default()).await.ok()?;
            ready += u64::from(queue.message_count());
        }
        counts.counted(*topic, ready, received);
    }
    Some(channel)
}
