//! Random histories against a model: what was published and not acknowledged is never missing, and is among the dead letters
//! when it came back too often.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytes::Bytes;
use patchbay_broker::contract::{Subject, acknowledge_until_empty, message};
use patchbay_broker::embedded::Options;
use patchbay_broker::{Consumer, Delivery, Message, dead_letter};
use patchbay_proto::Topic;
use proptest::prelude::*;
use tokio::time::timeout;

use crate::support::{House, TOPIC};

#[derive(Debug, Clone)]
enum Step {
    /// As many messages of this size.
    Publish(u64, usize),
    Receive(usize),
    /// Settle one of those held; the number picks it.
    Acknowledge(usize),
    Release(usize),
    /// Release one as often as it takes, if it comes back first.
    Poison(usize),
    /// With these bytes half-written behind the log.
    Crash(Vec<u8>),
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (1..20_u64, 0..600_usize).prop_map(|(count, size)| Step::Publish(count, size)),
        4 => (1..20_usize).prop_map(Step::Receive),
        8 => any::<usize>().prop_map(Step::Acknowledge),
        3 => any::<usize>().prop_map(Step::Release),
        1 => any::<usize>().prop_map(Step::Poison),
        1 => proptest::collection::vec(any::<u8>(), 0..60).prop_map(Step::Crash),
        1 => Just(Step::Restart),
    ]
}

const PREFETCH: usize = 30;
const LIMIT: u32 = 2;

fn tiny(options: Options) -> Options {
    Options { segment_bytes: 3000, memory_bytes: 6000, delivery_limit: LIMIT, ..options }
}

/// A broker, one consumer of it, and what must come out.
struct Life {
    house: House,
    consumer: Box<dyn Consumer>,
    published: u64,
    /// By key, what is not acknowledged.
    open: BTreeMap<Bytes, Message>,
    /// Acknowledged in this life, so a crash may forget it.
    unsaved: BTreeMap<Bytes, Message>,
    /// What crashes may have brought back.
    revived: BTreeMap<Bytes, Message>,
    /// How often each was released in this life.
    releases: BTreeMap<Bytes, u32>,
    /// Came back too often, in this life or before.
    spent: BTreeMap<Bytes, Message>,
    held: Vec<Delivery>,
}

impl Life {
    async fn new() -> Self {
        let house = House::new(tiny).await;
        let consumer = house.broker().subscribe(TOPIC, PREFETCH).await.unwrap();
        Self {
            house,
            consumer,
            published: 0,
            open: BTreeMap::new(),
            unsaved: BTreeMap::new(),
            revived: BTreeMap::new(),
            releases: BTreeMap::new(),
            spent: BTreeMap::new(),
            held: Vec::new(),
        }
    }

    async fn perform(&mut self, step: Step) {
        match step {
            Step::Publish(count, size) => {
                let messages: Vec<_> = (self.published..self.published + count)
                    .map(|number| Message { payload: vec![b'p'; size].into(), ..message(number) })
                    .collect();
                self.published += count;
                self.open.extend(messages.iter().map(|message| (message.key.clone(), message.clone())));
                self.house.broker().publish(TOPIC, messages).await.unwrap();
            }
            Step::Receive(limit) => self.receive(limit).await,
            Step::Acknowledge(pick) => {
                if let Some(delivery) = self.pick(pick) {
                    self.acknowledge(delivery);
                }
            }
            Step::Release(pick) => {
                if let Some(delivery) = self.pick(pick) {
                    self.release(delivery);
                }
            }
            Step::Poison(pick) => self.poison(pick).await,
            Step::Crash(torn) => {
                self.house.crash_while_writing(&torn).await;
                self.revived.append(&mut self.unsaved);
                self.resubscribe().await;
            }
            Step::Restart => {
                self.house.restart().await;
                self.unsaved.clear();
                self.resubscribe().await;
            }
        }
    }

    fn acknowledge(&mut self, delivery: Delivery) {
        let message = delivery.message.clone();
        self.open.remove(&message.key);
        self.revived.remove(&message.key);
        self.unsaved.insert(message.key.clone(), message);
        delivery.acknowledge();
    }

    fn release(&mut self, delivery: Delivery) {
        let message = delivery.message.clone();
        let releases = self.releases.entry(message.key.clone()).or_default();
        *releases += 1;
        if *releases > LIMIT {
            self.spent.insert(message.key.clone(), message);
        }
        delivery.release();
    }

    async fn poison(&mut self, pick: usize) {
        let Some(mut delivery) = self.pick(pick) else { return };
        let key = delivery.message.key.clone();
        loop {
            self.release(delivery);
            if !self.is_spent(&key) {
                self.receive(PREFETCH).await;
            }
            let Some(index) = self.held.iter().position(|held| held.message.key == key) else { return };
            delivery = self.held.swap_remove(index);
        }
    }

    fn is_spent(&self, key: &Bytes) -> bool {
        self.releases.get(key).is_some_and(|releases| *releases > LIMIT)
    }

    async fn resubscribe(&mut self) {
        self.releases.clear();
        self.held.clear();
        self.consumer = self.house.broker().subscribe(TOPIC, PREFETCH).await.unwrap();
    }

    fn pick(&mut self, pick: usize) -> Option<Delivery> {
        (!self.held.is_empty()).then(|| self.held.swap_remove(pick % self.held.len()))
    }

    /// Takes what there is. Every delivery is of an open message, whole, and not of one that is held or came back too often.
    async fn receive(&mut self, limit: usize) {
        if self.held.len() == PREFETCH {
            return;
        }
        for delivery in self.next(limit).await {
            let key = &delivery.message.key;
            let expected = self.open.get(key).or_else(|| self.revived.get(key));
            assert_eq!(expected, Some(&delivery.message));
            assert!(self.held.iter().all(|held| held.message.key != *key), "{key:?} twice");
            assert!(!self.is_spent(key), "{key:?} again");
            self.held.push(delivery);
        }
    }

    /// What there is, if anything: what is counted may become a dead letter meanwhile.
    async fn next(&mut self, limit: usize) -> Vec<Delivery> {
        for _ in 0..10_000 {
            if self.house.broker().progress(TOPIC).undelivered == 0 {
                return Vec::new();
            }
            if let Ok(batch) = timeout(Duration::from_millis(2), self.consumer.next_batch(limit)).await {
                return batch.unwrap();
            }
        }
        panic!("none of {:?} comes", self.house.broker().progress(TOPIC));
    }

    /// In the end everything open comes, or is a dead letter.
    async fn drain(&mut self) {
        while self.house.broker().progress(TOPIC).undelivered > 0 || !self.held.is_empty() {
            self.receive(PREFETCH).await;
            while let Some(delivery) = self.held.pop() {
                self.acknowledge(delivery);
            }
        }
        let letters = self.letters().await;
        for key in self.open.keys() {
            assert!(letters.contains(key), "{key:?} is lost");
        }
        for (key, releases) in &self.releases {
            assert!(*releases <= LIMIT || letters.contains(key), "{key:?} is lost");
        }
    }

    /// The keys of the dead letters, each of which is what it was and came back too often.
    async fn letters(&self) -> BTreeSet<Bytes> {
        let broker = self.house.broker();
        let mut consumer = broker.subscribe(Topic::DeadLetter, PREFETCH).await.unwrap();
        let mut keys = BTreeSet::new();
        for mut letter in acknowledge_until_empty(&*broker, Topic::DeadLetter, &mut *consumer).await {
            letter.headers.retain(|(name, _)| {
                ![dead_letter::TOPIC, dead_letter::REASON, dead_letter::ERROR].contains(&name.as_str())
            });
            assert_eq!(self.spent.get(&letter.key), Some(&letter));
            keys.insert(letter.key);
        }
        keys
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_published_and_unacknowledged_is_ever_missing(steps in proptest::collection::vec(step(), 1..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let mut life = Life::new().await;
            for step in steps {
                life.perform(step).await;
            }
            life.drain().await;
        });
    }
}
