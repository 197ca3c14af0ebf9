//! What the cases, and other tests of brokers, share.

use std::time::Duration;

use bytes::Bytes;
use patchbay_proto::Topic;
use tokio::time::{sleep, timeout};

use crate::{Broker, Consumer, Delivery, Message};

/// No wait of a test is longer.
const DEADLINE: Duration = Duration::from_secs(20);
/// In which nothing comes when nothing is to come.
const MOMENT: Duration = Duration::from_millis(50);

/// A small message that is told from others by its number.
#[must_use]
pub fn message(number: u64) -> Message {
    Message {
        key: Bytes::from(format!("event-{number}")),
        headers: vec![("traceparent".into(), format!("00-{number:032x}-{number:016x}-01"))],
        payload: Bytes::from(format!("{{\"number\":{number}}}")),
        ..Message::default()
    }
}

/// The next batch.
///
/// # Panics
/// When it fails or does not come.
pub async fn next(consumer: &mut dyn Consumer, limit: usize) -> Vec<Delivery> {
    match timeout(DEADLINE, consumer.next_batch(limit)).await {
        Ok(Ok(batch)) => batch,
        Ok(Err(error)) => panic!("no batch: {error}"),
        Err(_) => panic!("no batch within {DEADLINE:?}"),
    }
}

/// The next `count` deliveries.
///
/// # Panics
/// When they fail or do not come.
pub async fn take(consumer: &mut dyn Consumer, count: usize) -> Vec<Delivery> {
    let mut taken = Vec::new();
    while taken.len() < count {
        taken.extend(next(consumer, count - taken.len()).await);
    }
    taken
}

/// Acknowledges everything, and returns it in the order of arrival. Ends when nothing came for a moment and nothing is known to
/// wait, so a count that is late does no harm.
///
/// # Panics
/// When deliveries fail, or the broker speaks of some that do not come.
pub async fn acknowledge_until_empty(broker: &dyn Broker, topic: Topic, consumer: &mut dyn Consumer) -> Vec<Message> {
    let mut messages = Vec::new();
    let mut fruitless = Duration::ZERO;
    loop {
        let Ok(batch) = timeout(MOMENT, consumer.next_batch(512)).await else {
            if broker.progress(topic).undelivered == 0 {
                return messages;
            }
            fruitless += MOMENT;
            assert!(fruitless < DEADLINE, "none of {:?} within {DEADLINE:?}", broker.progress(topic));
            continue;
        };
        let batch = batch.unwrap_or_else(|error| panic!("no batch: {error}"));
        fruitless = Duration::ZERO;
        messages.extend(batch.iter().map(|delivery| delivery.message.clone()));
        Delivery::acknowledge_all(batch);
    }
}

/// Nothing comes for a moment.
///
/// # Panics
/// When something comes.
pub async fn expect_nothing(consumer: &mut dyn Consumer) {
    let early = timeout(MOMENT, consumer.next_batch(10)).await;
    assert!(early.is_err(), "more than there should be: {early:?}");
}

/// Waits for a condition.
///
/// # Panics
/// When it does not come true.
pub async fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let wait = async {
        while !condition() {
            sleep(Duration::from_millis(2)).await;
        }
    };
    assert!(timeout(DEADLINE, wait).await.is_ok(), "{what}: not within {DEADLINE:?}");
}
