//! Memory and disk have bounds.

use bytes::Bytes;
use patchbay_broker::contract::{Subject, acknowledge_until_empty, message, next, take, wait_until};
use patchbay_broker::embedded::Options;
use patchbay_broker::{Delivery, Message, PublishError};
use patchbay_proto::Topic;

use crate::support::{House, TOPIC, segments};

fn large(number: u64) -> Message {
    Message { payload: Bytes::from(vec![b'x'; 1000]), ..message(number) }
}

fn keys(messages: &[Message]) -> Vec<Bytes> {
    messages.iter().map(|message| message.key.clone()).collect()
}

#[tokio::test]
async fn reads_back_in_order_what_did_not_fit_into_memory() {
    let house = House::new(|options| Options { memory_bytes: 30_000, segment_bytes: 100_000, ..options }).await;
    let broker = house.broker();
    let mut consumer = broker.subscribe(TOPIC, 5).await.unwrap();
    for chunk in 0..100 {
        broker.publish(TOPIC, (chunk * 20..chunk * 20 + 20).map(large).collect()).await.unwrap();
    }

    let messages = acknowledge_until_empty(&*broker, TOPIC, &mut *consumer).await;

    assert_eq!(keys(&messages), keys(&(0..2000).map(large).collect::<Vec<_>>()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keeps_order_while_publishing_reading_back_and_removing_go_on() {
    let house = House::new(|options| Options { memory_bytes: 20_000, segment_bytes: 30_000, ..options }).await;
    let broker = house.broker();
    let mut consumer = broker.subscribe(TOPIC, 64).await.unwrap();
    let publishing = async {
        for chunk in 0..500 {
            broker.publish(TOPIC, (chunk * 7..chunk * 7 + 7).map(large).collect()).await.unwrap();
        }
    };
    let consuming = async {
        let mut keys = Vec::new();
        while keys.len() < 3500 {
            let batch = next(&mut *consumer, 33).await;
            keys.extend(batch.iter().map(|delivery| delivery.message.key.clone()));
            Delivery::acknowledge_all(batch);
        }
        keys
    };

    let ((), consumed) = tokio::join!(publishing, consuming);

    assert_eq!(consumed, keys(&(0..3500).map(large).collect::<Vec<_>>()));
    let directory = house.directory();
    wait_until("only the newest segment is left", || segments(&directory, TOPIC).len() == 1).await;
}

#[tokio::test]
async fn delivers_messages_larger_than_its_memory() {
    let house = House::new(|options| Options { memory_bytes: 300, ..options }).await;
    let broker = house.broker();
    let mut consumer = broker.subscribe(TOPIC, 10).await.unwrap();

    broker.publish(TOPIC, vec![large(1), large(2), large(3)]).await.unwrap();

    let delivered = take(&mut *consumer, 3).await;
    let messages: Vec<_> = delivered.iter().map(|delivery| delivery.message.clone()).collect();
    assert_eq!(messages, [large(1), large(2), large(3)]);
}

#[tokio::test]
async fn is_full_at_the_bound_and_takes_again_after_acknowledgements() {
    let house = House::new(|options| Options { max_bytes: 40_000, segment_bytes: 5_000, ..options }).await;
    let broker = house.broker();
    let mut accepted = 0;
    let refusal = loop {
        match broker.publish(TOPIC, vec![large(accepted)]).await {
            Ok(()) => accepted += 1,
            Err(error) => break error,
        }
    };
    let elsewhere = broker.publish(Topic::DeadLetter, vec![message(0)]).await;
    let mut consumer = broker.subscribe(TOPIC, 100).await.unwrap();

    let delivered = acknowledge_until_empty(&*broker, TOPIC, &mut *consumer).await;
    wait_until("room", || broker.progress(TOPIC).bytes_on_disk < 10_000).await;

    assert!(matches!(refusal, PublishError::Full(_)), "{refusal}");
    assert_eq!(elsewhere, Ok(()));
    assert_eq!(delivered.len() as u64, accepted);
    assert_eq!(broker.publish(TOPIC, vec![large(0)]).await, Ok(()));
}

#[tokio::test]
async fn keeps_the_newest_part_of_a_topic_that_nobody_must_read() {
    let mut house = House::new(|options| Options { unread_bytes: 20_000, ..options }).await;
    let broker = house.broker();
    let topic = Topic::RunFinished;
    for number in 0..200 {
        broker.publish(topic, vec![large(number)]).await.unwrap();
    }
    wait_until("old segments are gone", || broker.progress(topic).bytes_on_disk <= 20_000).await;

    house.crash().await;

    let broker = house.broker();
    let mut consumer = broker.subscribe(topic, 100).await.unwrap();
    let left = acknowledge_until_empty(&*broker, topic, &mut *consumer).await;
    assert!((10..20).contains(&left.len()), "{} left", left.len());
    let expected: Vec<_> = (200 - left.len() as u64..200).map(large).collect();
    assert_eq!(keys(&left), keys(&expected));
}

#[tokio::test]
async fn refuses_a_message_that_is_too_large_and_takes_its_neighbours() {
    let house = House::new(|options| Options { max_message_bytes: 500, ..options }).await;
    let broker = house.broker();

    let refused = broker.publish(TOPIC, vec![message(1), large(2)]).await;
    let accepted = broker.publish(TOPIC, vec![message(3)]).await;

    assert!(matches!(refused, Err(PublishError::TooLarge { limit: 500, .. })), "{refused:?}");
    assert_eq!((accepted, broker.progress(TOPIC).undelivered), (Ok(()), 1));
}
