//! Random histories against a model: what was published and not acknowledged is never missing.

use std::collections::BTreeMap;

use bytes::Bytes;
use patchbay_broker::contract::{Subject, message, next};
use patchbay_broker::embedded::Options;
use patchbay_broker::{Consumer, Delivery, Message};
use proptest::prelude::*;

use crate::support::{House, TOPIC};

#[derive(Debug, Clone)]
enum Step {
    /// As many messages of this size.
    Publish(u64, usize),
    Receive(usize),
    /// Settle one of those held; the number picks it.
    Acknowledge(usize),
    Release(usize),
    /// With these bytes half-written behind the log.
    Crash(Vec<u8>),
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (1..20_u64, 0..600_usize).prop_map(|(count, size)| Step::Publish(count, size)),
        4 => (1..20_usize).prop_map(Step::Receive),
        8 => any::<usize>().prop_map(Step::Acknowledge),
        2 => any::<usize>().prop_map(Step::Release),
        1 => proptest::collection::vec(any::<u8>(), 0..60).prop_map(Step::Crash),
        1 => Just(Step::Restart),
    ]
}

const PREFETCH: usize = 30;

fn tiny(options: Options) -> Options {
    Options { segment_bytes: 3000, memory_bytes: 6000, ..options }
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
            Step::Release(pick) => drop(self.pick(pick)),
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

    async fn resubscribe(&mut self) {
        self.held.clear();
        self.consumer = self.house.broker().subscribe(TOPIC, PREFETCH).await.unwrap();
    }

    fn pick(&mut self, pick: usize) -> Option<Delivery> {
        (!self.held.is_empty()).then(|| self.held.swap_remove(pick % self.held.len()))
    }

    /// Takes what there is. Every delivery is of an open message, whole, and not of one that is held.
    async fn receive(&mut self, limit: usize) {
        if self.held.len() == PREFETCH || self.house.broker().progress(TOPIC).undelivered == 0 {
            return;
        }
        for delivery in next(&mut *self.consumer, limit).await {
            let key = &delivery.message.key;
            let expected = self.open.get(key).or_else(|| self.revived.get(key));
            assert_eq!(expected, Some(&delivery.message));
            assert!(self.held.iter().all(|held| held.message.key != *key), "{key:?} twice");
            self.held.push(delivery);
        }
    }

    /// In the end everything open comes.
    async fn drain(&mut self) {
        while self.house.broker().progress(TOPIC).undelivered > 0 || !self.held.is_empty() {
            self.receive(PREFETCH).await;
            while let Some(delivery) = self.held.pop() {
                self.acknowledge(delivery);
            }
        }
        assert_eq!(self.open, BTreeMap::new());
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
