//! What comes back, and what never does.

use bytes::Bytes;
use patchbay_proto::Topic;

use super::{Subject, expect_nothing, message, take};
use crate::{Delivery, Message};

const TOPIC: Topic = Topic::TriggerFired;

fn told(delivered: &[Delivery]) -> Vec<(Message, bool)> {
    let mut told: Vec<_> = delivered.iter().map(|delivery| (delivery.message.clone(), delivery.redelivered)).collect();
    told.sort_by_key(|(message, _)| message.key.clone());
    told
}

/// A released delivery comes again, marked.
pub async fn redelivers_what_is_released(subject: impl Subject) {
    let broker = subject.broker();
    broker.publish(TOPIC, vec![message(1)]).await.unwrap();
    let mut consumer = broker.subscribe(TOPIC, 1).await.unwrap();

    take(&mut *consumer, 1).await.remove(0).release();

    assert_eq!(told(&take(&mut *consumer, 1).await), [(message(1), true)]);
}

/// Dropping a delivery releases it.
pub async fn redelivers_what_is_dropped(subject: impl Subject) {
    let broker = subject.broker();
    broker.publish(TOPIC, vec![message(1), message(2)]).await.unwrap();
    let mut consumer = broker.subscribe(TOPIC, 2).await.unwrap();

    drop(take(&mut *consumer, 2).await);

    assert_eq!(told(&take(&mut *consumer, 2).await), [(message(1), true), (message(2), true)]);
}

/// What a holder takes out of a delivery is not missing when it comes again.
pub async fn redelivers_a_message_whole_whatever_its_holder_did_to_it(subject: impl Subject) {
    let broker = subject.broker();
    broker.publish(TOPIC, vec![message(1)]).await.unwrap();
    let mut consumer = broker.subscribe(TOPIC, 1).await.unwrap();
    let mut delivery = take(&mut *consumer, 1).await.remove(0);

    delivery.message.payload = Bytes::new();
    delivery.message.headers.clear();
    delivery.release();

    assert_eq!(told(&take(&mut *consumer, 1).await), [(message(1), true)]);
}

/// A consumer that goes away with its deliveries leaves them to others.
pub async fn redelivers_what_a_dropped_consumer_held(subject: impl Subject) {
    let broker = subject.broker();
    broker.publish(TOPIC, vec![message(1), message(2)]).await.unwrap();
    let mut gone = broker.subscribe(TOPIC, 2).await.unwrap();
    let held = take(&mut *gone, 2).await;

    drop((held, gone));

    let mut consumer = broker.subscribe(TOPIC, 2).await.unwrap();
    assert_eq!(told(&take(&mut *consumer, 2).await), [(message(1), true), (message(2), true)]);
}

/// Confirmed means there, whatever happens next.
pub async fn keeps_what_was_published_through_a_crash(mut subject: impl Subject) {
    subject.broker().publish(TOPIC, vec![message(1), message(2)]).await.unwrap();

    subject.crash().await;

    let mut consumer = subject.broker().subscribe(TOPIC, 2).await.unwrap();
    let messages: Vec<_> = told(&take(&mut *consumer, 2).await).into_iter().map(|(message, _)| message).collect();
    assert_eq!(messages, [message(1), message(2)]);
}

/// A delivery that a crash ended comes again, marked.
pub async fn redelivers_what_was_unacknowledged_at_a_crash(mut subject: impl Subject) {
    let broker = subject.broker();
    broker.publish(TOPIC, vec![message(1)]).await.unwrap();
    let mut consumer = broker.subscribe(TOPIC, 1).await.unwrap();
    let held = take(&mut *consumer, 1).await;

    subject.crash().await;

    let mut consumer = subject.broker().subscribe(TOPIC, 1).await.unwrap();
    assert_eq!(told(&take(&mut *consumer, 1).await), [(message(1), true)]);
    drop(held);
}

/// A close notes every acknowledgement, also those above one that is open.
pub async fn never_delivers_again_what_was_acknowledged_before_a_restart(mut subject: impl Subject) {
    let broker = subject.broker();
    broker.publish(TOPIC, (0..5).map(message).collect()).await.unwrap();
    let mut consumer = broker.subscribe(TOPIC, 5).await.unwrap();
    for delivery in take(&mut *consumer, 5).await {
        if delivery.message != message(3) {
            delivery.acknowledge();
        }
    }
    drop((consumer, broker));

    subject.restart().await;
    subject.broker().publish(TOPIC, vec![message(5)]).await.unwrap();

    let mut consumer = subject.broker().subscribe(TOPIC, 5).await.unwrap();
    let held = take(&mut *consumer, 2).await;
    let left: Vec<_> = told(&held).into_iter().map(|(message, _)| message).collect();
    assert_eq!(left, [message(3), message(5)]);
    expect_nothing(&mut *consumer).await;
}
