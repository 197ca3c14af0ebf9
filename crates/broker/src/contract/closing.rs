//! The end.

use std::time::Duration;

use patchbay_proto::Topic;
use tokio::time::timeout;

use super::{Subject, message, wait_until};
use crate::{Error, PublishError};

const TOPIC: Topic = Topic::TriggerFired;

/// After a close nothing is accepted or delivered; closing again is no error.
pub async fn refuses_after_close(subject: impl Subject) {
    let broker = subject.broker();
    let mut consumer = broker.subscribe(TOPIC, 1).await.unwrap();
    broker.publish(TOPIC, vec![message(1)]).await.unwrap();

    broker.close().await;
    broker.close().await;

    assert_eq!(broker.publish(TOPIC, vec![message(2)]).await, Err(PublishError::Closed));
    assert!(matches!(consumer.next_batch(1).await, Err(Error::Closed)));
    assert!(matches!(broker.subscribe(TOPIC, 1).await, Err(Error::Closed)));
}

/// Who waits for a delivery is told.
pub async fn wakes_waiting_consumers_at_close(subject: impl Subject) {
    let broker = subject.broker();
    let mut consumer = broker.subscribe(TOPIC, 1).await.unwrap();
    let waiting = timeout(Duration::from_secs(20), consumer.next_batch(1));

    let (waited, ()) = tokio::join!(waiting, broker.close());

    assert!(matches!(waited, Ok(Err(Error::Closed))), "{waited:?}");
}

/// Health is that messages can be published and delivered.
pub async fn is_healthy_until_it_is_closed(subject: impl Subject) {
    let broker = subject.broker();
    wait_until("healthy", || broker.health().is_ok()).await;
    broker.publish(TOPIC, vec![message(1)]).await.unwrap();
    let open = broker.health();

    broker.close().await;

    assert_eq!(open, Ok(()));
    assert!(broker.health().is_err_and(|why| !why.is_empty()));
}
