//! Large messages and slow readers.

use bytes::Bytes;
use patchbay_proto::Topic;

use super::{Subject, expect_nothing, message, next, take, wait_until};
use crate::{Delivery, Message};

const TOPIC: Topic = Topic::TriggerFired;
const MEBIBYTE: usize = 1024 * 1024;

fn large(number: u64, bytes: usize) -> Message {
    let payload: Vec<u8> =
        (0_u32..).map(|index| index.wrapping_mul(2_654_435_761).to_be_bytes()[0]).take(bytes).collect();
    Message { payload: Bytes::from(payload), ..message(number) }
}

/// The largest body that an ingress takes, 10 MiB, with what its event adds, arrives whole, between smaller ones.
pub async fn delivers_large_messages_whole(subject: impl Subject) {
    let broker = subject.broker();
    let sent = [large(1, 1_000_000), message(2), large(3, 10 * MEBIBYTE + 64 * 1024), large(4, 10_000_000)];
    let mut consumer = broker.subscribe(TOPIC, 4).await.unwrap();

    broker.publish(TOPIC, sent.to_vec()).await.unwrap();

    let mut delivered = take(&mut *consumer, 4).await;
    delivered.sort_by_key(|delivery| delivery.message.key.clone());
    for (sent, delivery) in sent.iter().zip(&delivered) {
        let bytes = delivery.message.payload.len();
        assert!(*sent == delivery.message, "{:?} is another one than sent, of {bytes} bytes", sent.key);
    }
}

/// Who keeps what it has gets no more than its prefetch, and the others get the rest.
pub async fn a_slow_consumer_holds_up_only_itself(subject: impl Subject) {
    let broker = subject.broker();
    let mut slow = broker.subscribe(TOPIC, 4).await.unwrap();
    broker.publish(TOPIC, (0..300).map(|number| large(number, 10_000)).collect()).await.unwrap();
    let held = take(&mut *slow, 4).await;
    let mut quick = broker.subscribe(TOPIC, 50).await.unwrap();

    let mut rest = 296;
    while rest > 0 {
        let batch = next(&mut *quick, 20).await;
        rest -= batch.len();
        Delivery::acknowledge_all(batch);
    }

    expect_nothing(&mut *slow).await;
    wait_until("all but the prefetch is done", || {
        let progress = broker.progress(TOPIC);
        (progress.undelivered, progress.unacknowledged) == (0, 4)
    })
    .await;
    Delivery::acknowledge_all(held);
}
