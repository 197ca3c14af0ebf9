//! The queues and exchanges: what they are called, what goes where, and how many messages of each a consumer prefetches.

use lapin::types::{AMQPValue, FieldTable, ShortString};
use patchbay_proto::Topic;

use super::options::Options;
use crate::Error;

/// Queues of small messages, by tenant. The number is part of the topology: a change moves tenants.
pub(super) const LANES: usize = 8;
/// A message of a lane is at most this large.
const SMALL: usize = 16 * 1024;
/// A message of the first queue of larger ones is at most this large.
const MIDDLE: usize = 1024 * 1024;
/// No queue is without a delivery limit in every version of the broker, so this stands for none.
const NO_LIMIT: u32 = i32::MAX as u32;
/// What a reader of ended runs that is away for a moment may pile up.
const TAIL_BYTES: i64 = 64 * 1024 * 1024;

/// Where a message is published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Destination<'a> {
    pub(super) exchange: &'a ShortString,
    pub(super) routing_key: &'a str,
    /// Whether some queue must take it.
    pub(super) mandatory: bool,
}

/// A queue that a consumer reads, and how many messages of it it may have unsettled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Source {
    pub(super) queue: ShortString,
    pub(super) prefetch: u16,
}

/// All names of one prefix.
#[derive(Debug)]
pub(super) struct Names {
    nowhere: ShortString,
    lanes: Vec<ShortString>,
    large: ShortString,
    huge: ShortString,
    dead_letter: ShortString,
    run_finished: ShortString,
    delivery_limit: u32,
    held_bytes: usize,
    max_message_bytes: usize,
}

impl Names {
    pub(super) fn new(options: &Options) -> Result<Self, Error> {
        let name = |rest: &str| {
            ShortString::try_new(format!("{}.{rest}", options.prefix))
                .map_err(|_| Error::Address { why: "the prefix of its queues has more than 200 bytes".into() })
        };
        let fired = Topic::TriggerFired.name();
        Ok(Self {
            nowhere: ShortString::default(),
            lanes: (0..LANES).map(|lane| name(&format!("{fired}.{lane}"))).collect::<Result<_, _>>()?,
            large: name(&format!("{fired}.large"))?,
            huge: name(&format!("{fired}.huge"))?,
            dead_letter: name(Topic::DeadLetter.name())?,
            run_finished: name(Topic::RunFinished.name())?,
            delivery_limit: options.delivery_limit,
            held_bytes: options.held_bytes,
            max_message_bytes: options.max_message_bytes.max(1),
        })
    }

    pub(super) const fn dead_letter(&self) -> &ShortString {
        &self.dead_letter
    }

    pub(super) const fn run_finished(&self) -> &ShortString {
        &self.run_finished
    }

    pub(super) const fn delivery_limit(&self) -> u32 {
        self.delivery_limit
    }

    /// Where a message of this topic, tenant, route and size goes.
    pub(super) fn destination<'a>(
        &'a self,
        topic: Topic,
        tenant: i64,
        route: &'a str,
        bytes: usize,
    ) -> Destination<'a> {
        let by_name = |queue: &'a ShortString| Destination {
            exchange: &self.nowhere,
            routing_key: queue.as_str(),
            mandatory: true,
        };
        match topic {
            Topic::TriggerFired if bytes > MIDDLE => by_name(&self.huge),
            Topic::TriggerFired if bytes > SMALL => by_name(&self.large),
            Topic::TriggerFired => by_name(&self.lanes[lane_of(tenant)]),
            Topic::DeadLetter => {
                Destination { exchange: &self.dead_letter, routing_key: topic.name(), mandatory: true }
            }
            Topic::RunFinished => Destination { exchange: &self.run_finished, routing_key: route, mandatory: false },
        }
    }

    /// What a consumer of a topic reads with which prefetch, so that it never has more than `held_bytes`: of the topic of
    /// events a quarter of them for lanes, a quarter for large and half for huge messages. The tail of ended runs is a queue of
    /// the consumer's own, which has no name yet.
    pub(super) fn sources(&self, topic: Topic, prefetch: usize) -> Vec<Source> {
        let source = |queue: &ShortString, bytes: usize, largest: usize| {
            let prefetch = (bytes / largest).clamp(1, prefetch.clamp(1, usize::from(u16::MAX)));
            Source { queue: queue.clone(), prefetch: u16::try_from(prefetch).unwrap_or(u16::MAX) }
        };
        match topic {
            Topic::TriggerFired => {
                let quarter = self.held_bytes / 4;
                let mut sources: Vec<_> = self.lanes.iter().map(|lane| source(lane, quarter / LANES, SMALL)).collect();
                sources.push(source(&self.large, quarter, MIDDLE));
                sources.push(source(&self.huge, 2 * quarter, self.max_message_bytes));
                sources
            }
            Topic::DeadLetter => vec![source(&self.dead_letter, self.held_bytes, self.max_message_bytes)],
            Topic::RunFinished => vec![source(&self.nowhere, self.held_bytes, self.max_message_bytes)],
        }
    }

    /// The queues that all consumers of a topic share.
    pub(super) fn queues(&self, topic: Topic) -> Vec<&ShortString> {
        match topic {
            Topic::TriggerFired => self.lanes.iter().chain([&self.large, &self.huge]).collect(),
            Topic::DeadLetter => vec![&self.dead_letter],
            Topic::RunFinished => Vec::new(),
        }
    }

    /// The topic of a queue.
    pub(super) fn topic_of(&self, queue: &str) -> Option<Topic> {
        Topic::ALL.into_iter().find(|topic| self.queues(*topic).iter().any(|name| name.as_str() == queue))
    }

    /// With which arguments the queues of a topic are declared.
    pub(super) fn arguments(&self, topic: Topic) -> FieldTable {
        let mut arguments = FieldTable::default();
        let mut set = |name: &str, value: AMQPValue| {
            arguments.insert(name.into(), value);
        };
        let text = |text: &str| AMQPValue::LongString(text.into());
        set("x-queue-type", text("quorum"));
        set("x-overflow", text("reject-publish"));
        match topic {
            Topic::TriggerFired => {
                set("x-delivery-limit", AMQPValue::LongLongInt(i64::from(self.delivery_limit)));
                set("x-dead-letter-exchange", text(self.dead_letter.as_str()));
                set("x-dead-letter-routing-key", text(topic.name()));
                set("x-dead-letter-strategy", text("at-least-once"));
            }
            Topic::DeadLetter | Topic::RunFinished => {
                set("x-delivery-limit", AMQPValue::LongLongInt(i64::from(NO_LIMIT)));
            }
        }
        arguments
    }

    /// With which arguments a consumer declares a tail of ended runs: the oldest messages go when it is full.
    pub(super) fn tail_arguments() -> FieldTable {
        let mut arguments = FieldTable::default();
        arguments.insert("x-max-length-bytes".into(), AMQPValue::LongLongInt(TAIL_BYTES));
        arguments
    }
}

fn lane_of(tenant: i64) -> usize {
    usize::try_from(tenant.rem_euclid(LANES as i64)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Names {
        Names::new(&Options::new("")).unwrap()
    }

    #[test]
    fn places_messages_by_tenant_and_size() {
        let names = names();
        let queue = |tenant, bytes| names.destination(Topic::TriggerFired, tenant, "", bytes).routing_key;
        assert_eq!(queue(7, 10), "patchbay.trigger.fired.7");
        assert_eq!(queue(8, SMALL), "patchbay.trigger.fired.0");
        assert_eq!(queue(-1, 10), "patchbay.trigger.fired.7");
        assert_eq!(queue(i64::MIN, 10), "patchbay.trigger.fired.0");
        assert_eq!(queue(7, SMALL + 1), "patchbay.trigger.fired.large");
        assert_eq!(queue(7, MIDDLE + 1), "patchbay.trigger.fired.huge");
    }

    #[test]
    fn prefetches_at_most_the_bytes_that_may_be_held() {
        let largest = [SMALL; LANES].into_iter().chain([MIDDLE, 16 * 1024 * 1024]);
        let sources = names().sources(Topic::TriggerFired, 100_000);
        let bytes: usize =
            sources.iter().zip(largest).map(|(source, bytes)| usize::from(source.prefetch) * bytes).sum();
        assert_eq!(bytes, 64 * 1024 * 1024);
        assert!(names().sources(Topic::TriggerFired, 1).iter().all(|source| source.prefetch == 1));
    }

    #[test]
    fn knows_the_topic_of_each_queue() {
        let names = names();
        for topic in [Topic::TriggerFired, Topic::DeadLetter] {
            assert!(names.queues(topic).iter().all(|queue| names.topic_of(queue.as_str()) == Some(topic)));
        }
        assert_eq!(names.topic_of("another"), None);
    }
}
