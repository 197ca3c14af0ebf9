//! What a consumer and a publisher hold, and for how long.

use std::time::Duration;

use bytes::Bytes;
use lapin::options::QueueDeclareOptions;
use lapin::types::FieldTable;
use patchbay_broker::contract::{expect_nothing, message, next, take, wait_until};
use patchbay_broker::rabbitmq::Options;
use patchbay_broker::{Broker, Delivery, Message, PublishError};

use super::support::{House, TOPIC, connect};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_consumer_of_large_messages_holds_bounded_bytes() {
    let house = House::with(|options| Options { held_bytes: 16 * 1024 * 1024, ..options }).await;
    let payload = Bytes::from(vec![7; 1_000_000]);
    for number in 0..50 {
        house.broker.publish(TOPIC, vec![Message { payload: payload.clone(), ..message(number) }]).await.unwrap();
    }
    let mut consumer = house.broker.subscribe(TOPIC, 10_000).await.unwrap();
    let first = take(&mut *consumer, 1).await;

    let connection = connect(&house.url).await;
    let channel = connection.create_channel().await.unwrap();
    let queue = format!("{}.trigger.fired.large", house.options.prefix);
    let options = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
    let queue = channel.queue_declare(queue.as_str().into(), options, FieldTable::default()).await.unwrap();

    // A quarter of what may be held, in messages of at most a mebibyte.
    assert_eq!(queue.message_count(), 50 - 4);
    Delivery::acknowledge_all(first);
    for _ in 1..50 {
        let batch = take(&mut *consumer, 1).await;
        assert_eq!(batch[0].message.payload, payload);
        Delivery::acknowledge_all(batch);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_tenant_does_not_wait_behind_a_hundred_thousand_messages_of_another() {
    let house = House::new().await;
    for start in (0..100_000).step_by(2000) {
        let chunk = (start..start + 2000).map(|number| Message { tenant: 1, ..message(number) });
        house.broker.publish(TOPIC, chunk.collect()).await.unwrap();
    }
    house.broker.publish(TOPIC, vec![Message { tenant: 2, ..message(100_000) }]).await.unwrap();
    let mut consumer = house.broker.subscribe(TOPIC, 50).await.unwrap();

    let mut before = 0;
    loop {
        let batch = next(&mut *consumer, 50).await;
        if batch.iter().any(|delivery| delivery.message == message(100_000)) {
            break;
        }
        before += batch.len();
        assert!(before <= 500, "still waiting behind {before} of another tenant");
        Delivery::acknowledge_all(batch);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refuses_what_is_too_large_and_goes_on() {
    let house = House::with(|options| Options { max_message_bytes: 100_000, ..options }).await;
    let key = message(1).key;
    let of = |bytes: usize| Message { key: key.clone(), payload: vec![0; bytes - 7].into(), ..Message::default() };
    let headers = Message { headers: vec![("a".into(), "x".repeat(70_000))], ..message(1) };

    let too_large = house.broker.publish(TOPIC, vec![message(2), of(100_001)]).await;
    let headers_too_large = house.broker.publish(TOPIC, vec![headers]).await;
    let largest = house.broker.publish(TOPIC, vec![of(100_000)]).await;

    assert_eq!(too_large, Err(PublishError::TooLarge { bytes: 100_001, limit: 100_000 }));
    assert!(matches!(headers_too_large, Err(PublishError::TooLarge { .. })), "{headers_too_large:?}");
    assert_eq!(largest, Ok(()));
    let mut consumer = house.broker.subscribe(TOPIC, 10).await.unwrap();
    let taken = take(&mut *consumer, 1).await;
    assert!(taken[0].message == of(100_000));
    expect_nothing(&mut *consumer).await;
}

/// Health tells of it, others get what it has, and it goes on when it settles.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_consumer_that_settles_nothing_gives_back_what_it_has() {
    let house = House::with(|options| Options { stuck_after: Duration::from_millis(200), ..options }).await;
    house.broker.publish(TOPIC, vec![message(1), message(2)]).await.unwrap();
    let mut stuck = house.broker.subscribe(TOPIC, 2).await.unwrap();
    let held = take(&mut *stuck, 2).await;

    wait_until("it is noticed", || house.broker.health().is_err_and(|why| why.contains("settles nothing"))).await;

    let mut other = house.broker.subscribe(TOPIC, 2).await.unwrap();
    let mut taken = take(&mut *other, 2).await;
    taken.sort_by_key(|delivery| delivery.message.key.clone());
    let messages: Vec<_> = taken.iter().map(|delivery| delivery.message.clone()).collect();
    assert_eq!(messages, [message(1), message(2)]);
    drop(other);
    Delivery::acknowledge_all(taken);
    Delivery::acknowledge_all(held);
    wait_until("healthy", || house.broker.health().is_ok()).await;
    house.broker.publish(TOPIC, vec![message(3)]).await.unwrap();
    assert_eq!(take(&mut *stuck, 1).await[0].message, message(3));
}
