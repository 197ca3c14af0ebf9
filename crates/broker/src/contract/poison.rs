//! What comes back too often.

use std::collections::BTreeSet;

use bytes::Bytes;
use patchbay_proto::Topic;

use super::{Subject, expect_nothing, message, take};
use crate::{Message, dead_letter};

const TOPIC: Topic = Topic::TriggerFired;

fn poison() -> Message {
    Message {
        key: Bytes::from_static(b"\0\xff poison"),
        headers: vec![("a".into(), "1".into()), ("a".into(), String::new()), ("Größe".into(), "✓".into())],
        payload: Bytes::from_static(b"\xffnot what it should be"),
        ..Message::default()
    }
}

/// Takes the headers of a dead letter off a message: the message as it was, the topic, the reason, the error.
fn opened(mut letter: Message) -> (Message, [Option<String>; 3]) {
    let said = [dead_letter::TOPIC, dead_letter::REASON, dead_letter::ERROR].map(|name| {
        let index = letter.headers.iter().position(|(header, _)| header == name)?;
        Some(letter.headers.remove(index).1)
    });
    (letter, said)
}

/// A message comes back as often as the limit says, is then moved whole to the dead letters, and its neighbours notice nothing.
pub async fn moves_what_comes_back_too_often_to_the_dead_letters(subject: impl Subject) {
    let broker = subject.broker();
    let mut consumer = broker.subscribe(TOPIC, 1).await.unwrap();
    let mut letters = broker.subscribe(Topic::DeadLetter, 10).await.unwrap();
    broker.publish(TOPIC, vec![message(1), poison(), message(2), message(3)]).await.unwrap();

    let mut neighbours = BTreeSet::new();
    let mut deliveries = 0;
    while deliveries <= subject.delivery_limit() || neighbours.len() < 3 {
        let delivery = take(&mut *consumer, 1).await.remove(0);
        if delivery.message == poison() {
            assert_eq!(delivery.redelivered, deliveries > 0);
            deliveries += 1;
            delivery.release();
            continue;
        }
        assert!(!delivery.redelivered, "{delivery:?}");
        assert!(neighbours.insert(delivery.message.key.clone()), "{delivery:?} twice");
        delivery.acknowledge();
    }

    let letter = take(&mut *letters, 1).await.remove(0);
    let (moved, [topic, reason, error]) = opened(letter.message.clone());
    assert_eq!(moved, poison());
    assert_eq!(topic.as_deref(), Some(TOPIC.name()));
    assert_eq!(reason.as_deref(), Some(dead_letter::REDELIVERY_LIMIT));
    assert!(error.is_some_and(|error| !error.is_empty()));
    assert_eq!(deliveries, subject.delivery_limit() + 1);
    letter.acknowledge();
    expect_nothing(&mut *consumer).await;
    expect_nothing(&mut *letters).await;
}

/// There is nothing to move a dead letter to, so it stays until it is acknowledged.
pub async fn never_gives_up_a_dead_letter(subject: impl Subject) {
    let broker = subject.broker();
    let mut letters = broker.subscribe(Topic::DeadLetter, 1).await.unwrap();
    broker.publish(Topic::DeadLetter, vec![poison()]).await.unwrap();

    for _ in 0..subject.delivery_limit() + 2 {
        let letter = take(&mut *letters, 1).await.remove(0);
        assert_eq!(letter.message, poison());
        letter.release();
    }

    take(&mut *letters, 1).await.remove(0).acknowledge();
    expect_nothing(&mut *letters).await;
}
