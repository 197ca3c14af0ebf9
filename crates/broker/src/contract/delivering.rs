//! From publish to the first delivery.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::try_join_all;
use patchbay_proto::Topic;
use tokio::time::timeout;

use super::{Subject, expect_nothing, message, next, take, wait_until};
use crate::{Delivery, Message};

const TOPIC: Topic = Topic::TriggerFired;

fn messages(delivered: &[Delivery]) -> Vec<Message> {
    delivered.iter().map(|delivery| delivery.message.clone()).collect()
}

/// Key, headers and payload arrive as sent, and not marked as redelivered.
pub async fn delivers_messages_whole(subject: impl Subject) {
    let broker = subject.broker();
    let odd = Message {
        key: Bytes::from_static(b"\0\xff key"),
        headers: vec![("a".into(), "1".into()), ("a".into(), String::new()), ("Größe".into(), "✓".into())],
        payload: (0..=255).collect::<Vec<u8>>().into(),
        ..Message::default()
    };
    let empty = Message { key: Bytes::from_static(b"k"), ..Message::default() };
    let mut consumer = broker.subscribe(TOPIC, 10).await.unwrap();

    broker.publish(TOPIC, vec![odd.clone(), empty.clone()]).await.unwrap();

    let mut delivered = take(&mut *consumer, 2).await;
    delivered.sort_by_key(|delivery| delivery.message.payload.is_empty());
    assert_eq!(messages(&delivered), [odd, empty]);
    assert!(delivered.iter().all(|delivery| !delivery.redelivered));
}

/// Nothing to publish is no error.
pub async fn accepts_an_empty_list(subject: impl Subject) {
    assert_eq!(subject.broker().publish(TOPIC, Vec::new()).await, Ok(()));
}

/// A message reaches the consumers of its topic only.
pub async fn keeps_topics_apart(subject: impl Subject) {
    let broker = subject.broker();
    let mut consumers = BTreeMap::new();
    // What nobody must read may be gone when its reader comes later.
    for topic in Topic::ALL.into_iter().filter(|topic| !topic.must_be_consumed()) {
        consumers.insert(topic.name(), broker.subscribe(topic, 10).await.unwrap());
    }
    for (number, topic) in (0..).zip(Topic::ALL) {
        broker.publish(topic, vec![message(number)]).await.unwrap();
    }
    for topic in Topic::ALL.into_iter().filter(|topic| topic.must_be_consumed()) {
        consumers.insert(topic.name(), broker.subscribe(topic, 10).await.unwrap());
    }

    for (number, topic) in (0..).zip(Topic::ALL) {
        let consumer = &mut **consumers.get_mut(topic.name()).unwrap();
        let delivered = next(consumer, 10).await;
        assert_eq!(messages(&delivered), [message(number)], "{topic:?}");
        expect_nothing(consumer).await;
    }
}

/// Tenant and route tell the broker where to put a message, and stay there.
pub async fn keeps_tenant_and_route_to_itself(subject: impl Subject) {
    let broker = subject.broker();
    for topic in Topic::ALL {
        let mut consumer = broker.subscribe(topic, 10).await.unwrap();
        let addressed = Message { tenant: 7, route: "7.0199.succeeded".into(), ..message(1) };

        broker.publish(topic, vec![addressed]).await.unwrap();

        assert_eq!(messages(&take(&mut *consumer, 1).await), [message(1)], "{topic:?}");
    }
}

/// Consumers of a topic compete.
pub async fn gives_each_message_to_one_of_two_consumers(subject: impl Subject) {
    let broker = subject.broker();
    let mut one = broker.subscribe(TOPIC, 50).await.unwrap();
    let mut other = broker.subscribe(TOPIC, 50).await.unwrap();

    broker.publish(TOPIC, (0..100).map(message).collect()).await.unwrap();

    let (ones, others) = tokio::join!(take(&mut *one, 50), take(&mut *other, 50));
    let keys: BTreeSet<_> = messages(&ones).into_iter().chain(messages(&others)).map(|message| message.key).collect();
    assert_eq!(keys.len(), 100);
}

/// A batch need not be full.
pub async fn returns_what_is_there_without_waiting_to_fill_a_batch(subject: impl Subject) {
    let broker = subject.broker();
    let mut consumer = broker.subscribe(TOPIC, 1000).await.unwrap();

    broker.publish(TOPIC, vec![message(1)]).await.unwrap();

    assert_eq!(messages(&next(&mut *consumer, 1000).await), [message(1)]);
}

/// A batch is never larger than asked for.
pub async fn returns_at_most_the_limit(subject: impl Subject) {
    let broker = subject.broker();
    broker.publish(TOPIC, (0..20).map(message).collect()).await.unwrap();
    let mut consumer = broker.subscribe(TOPIC, 100).await.unwrap();

    let mut rest = 20;
    while rest > 0 {
        let batch = next(&mut *consumer, 3).await;
        assert!(batch.len() <= 3, "{} deliveries", batch.len());
        rest -= batch.len();
        Delivery::acknowledge_all(batch);
    }
}

/// A consumer holds as many as its prefetch, and gets the next when one of them is settled.
pub async fn waits_at_the_prefetch_for_a_settlement(subject: impl Subject) {
    let broker = subject.broker();
    broker.publish(TOPIC, (0..10).map(message).collect()).await.unwrap();
    let mut consumer = broker.subscribe(TOPIC, 4).await.unwrap();
    let mut held = take(&mut *consumer, 4).await;

    expect_nothing(&mut *consumer).await;
    held.pop().unwrap().acknowledge();
    let late = next(&mut *consumer, 10).await;

    assert_eq!(late.len(), 1);
}

/// A call of `next_batch` that is dropped took nothing.
pub async fn loses_nothing_to_calls_that_are_dropped(subject: impl Subject) {
    let broker = subject.broker();
    let mut consumer = broker.subscribe(TOPIC, 1000).await.unwrap();
    let publishing = async {
        for number in 0..200 {
            broker.publish(TOPIC, vec![message(number)]).await.unwrap();
        }
    };
    let consuming = async {
        let mut keys = Vec::new();
        while keys.len() < 200 {
            let Ok(batch) = timeout(Duration::from_micros(50), consumer.next_batch(7)).await else { continue };
            keys.extend(batch.unwrap().into_iter().map(|delivery| {
                let key = delivery.message.key.clone();
                delivery.acknowledge();
                key
            }));
        }
        keys
    };

    let ((), keys) = tokio::join!(publishing, consuming);

    assert_eq!((keys.len(), keys.into_iter().collect::<BTreeSet<_>>().len()), (200, 200));
}

/// Without a crash or a release, each message comes exactly once.
pub async fn delivers_each_message_of_many_publishers_once(subject: impl Subject) {
    let broker = subject.broker();
    let mut consumer = broker.subscribe(TOPIC, 300).await.unwrap();
    let publishing = try_join_all((0..1000).map(|number| broker.publish(TOPIC, vec![message(number)])));
    let consuming = async {
        let mut keys = Vec::new();
        while keys.len() < 1000 {
            let batch = next(&mut *consumer, 100).await;
            keys.extend(batch.iter().map(|delivery| delivery.message.key.clone()));
            Delivery::acknowledge_all(batch);
        }
        keys
    };

    let (published, mut keys) = tokio::join!(publishing, consuming);

    published.unwrap();
    keys.sort();
    let mut expected: Vec<_> = (0..1000).map(|number| message(number).key).collect();
    expected.sort();
    assert_eq!(keys, expected);
}

/// Progress follows publish, delivery and acknowledgement.
pub async fn tells_its_progress(subject: impl Subject) {
    let broker = subject.broker();
    let reached = async |what: &str, undelivered: u64, unacknowledged: u64| {
        wait_until(what, || {
            let progress = broker.progress(TOPIC);
            (progress.undelivered, progress.unacknowledged) == (undelivered, unacknowledged)
        })
        .await;
    };

    reached("empty", 0, 0).await;
    broker.publish(TOPIC, (0..3).map(message).collect()).await.unwrap();
    reached("published", 3, 0).await;
    let mut consumer = broker.subscribe(TOPIC, 2).await.unwrap();
    let held = take(&mut *consumer, 2).await;
    reached("delivered", 1, 2).await;
    Delivery::acknowledge_all(held);
    Delivery::acknowledge_all(take(&mut *consumer, 1).await);
    reached("acknowledged", 0, 0).await;
    assert_eq!(broker.progress(TOPIC).oldest_undelivered_age, None);
}
