//! What comes back too often, when disks are full and brokers die.

use std::collections::BTreeSet;

use bytes::Bytes;
use patchbay_broker::contract::{Subject, acknowledge_until_empty, expect_nothing, message, next, take, wait_until};
use patchbay_broker::embedded::Options;
use patchbay_broker::{Broker, Consumer, Message, PublishError, dead_letter};
use patchbay_proto::Topic;

use crate::support::{House, TOPIC, segments};

const LIMIT: u32 = 2;

fn impatient(options: Options) -> Options {
    Options { delivery_limit: LIMIT, ..options }
}

/// Takes the one message that is there and gives it back, several times.
async fn give_back(consumer: &mut dyn Consumer, times: u32) {
    for _ in 0..times {
        take(consumer, 1).await.remove(0).release();
    }
}

async fn all_letters(broker: &dyn Broker) -> Vec<Message> {
    let mut consumer = broker.subscribe(Topic::DeadLetter, 1000).await.unwrap();
    acknowledge_until_empty(broker, Topic::DeadLetter, &mut *consumer).await
}

#[tokio::test]
async fn says_where_a_dead_letter_comes_from_and_how_often_it_came_back() {
    let house = House::new(impatient).await;
    let broker = house.broker();
    let mut consumer = broker.subscribe(TOPIC, 1).await.unwrap();
    broker.publish(TOPIC, vec![message(1)]).await.unwrap();

    give_back(&mut *consumer, LIMIT + 1).await;

    wait_until("moved", || broker.progress(Topic::DeadLetter).undelivered == 1).await;
    let mut expected = message(1);
    expected.headers.extend(
        [
            (dead_letter::TOPIC, "trigger.fired"),
            (dead_letter::REASON, "redelivery_limit"),
            (dead_letter::ERROR, "its consumers gave it back 3 times, and the limit is 2"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned())),
    );
    assert_eq!(all_letters(&*broker).await, [expected]);
}

#[tokio::test]
async fn moves_many_at_once_and_lets_their_segments_go() {
    let house = House::new(|options| Options { delivery_limit: 0, segment_bytes: 4000, ..options }).await;
    let broker = house.broker();
    broker.publish(TOPIC, (0..600).map(message).collect()).await.unwrap();
    broker.publish(TOPIC, vec![message(600)]).await.unwrap();
    let mut consumer = broker.subscribe(TOPIC, 600).await.unwrap();

    drop(take(&mut *consumer, 600).await);

    assert_eq!(next(&mut *consumer, 10).await.remove(0).message, message(600));
    wait_until("all are moved", || broker.progress(Topic::DeadLetter).undelivered >= 600).await;
    let keys: BTreeSet<_> = all_letters(&*broker).await.into_iter().map(|letter| letter.key).collect();
    assert!((0..600).map(message).all(|message| keys.contains(&message.key)));
    let directory = house.directory();
    wait_until("only the newest segment is left", || segments(&directory, TOPIC).len() == 1).await;
}

#[tokio::test]
async fn is_among_the_dead_letters_before_it_is_gone_from_its_topic() {
    let mut house = House::new(impatient).await;
    let broker = house.broker();
    let mut consumer = broker.subscribe(TOPIC, 1).await.unwrap();
    broker.publish(TOPIC, vec![message(1)]).await.unwrap();
    give_back(&mut *consumer, LIMIT + 1).await;
    wait_until("moved", || broker.progress(TOPIC).undelivered == 0).await;

    // Nothing has saved the acknowledgement yet, or just now.
    house.crash().await;

    let broker = house.broker();
    assert_eq!(all_letters(&*broker).await.len(), 1);
    let mut consumer = broker.subscribe(TOPIC, 1).await.unwrap();
    let left = acknowledge_until_empty(&*broker, TOPIC, &mut *consumer).await;
    assert!(left.is_empty() || left == [message(1)], "{left:?}");
}

#[tokio::test]
async fn counts_from_the_beginning_in_a_new_life() {
    let mut house = House::new(impatient).await;
    house.broker().publish(TOPIC, vec![message(1)]).await.unwrap();

    for _ in 0..3 {
        let mut consumer = house.broker().subscribe(TOPIC, 1).await.unwrap();
        give_back(&mut *consumer, LIMIT).await;
        house.restart().await;
    }

    let mut consumer = house.broker().subscribe(TOPIC, 1).await.unwrap();
    assert_eq!(take(&mut *consumer, 1).await.remove(0).message, message(1));
    assert_eq!(house.broker().progress(Topic::DeadLetter).undelivered, 0);
}

#[tokio::test]
async fn comes_again_while_the_dead_letters_are_full() {
    let house = House::new(|options| Options { max_bytes: 20_000, segment_bytes: 3_000, ..impatient(options) }).await;
    let broker = house.broker();
    let filler = Message { payload: Bytes::from(vec![b'x'; 400]), ..message(0) };
    while broker.publish(Topic::DeadLetter, vec![filler.clone()]).await.is_ok() {}
    let small = broker.publish(Topic::DeadLetter, vec![message(0); 10]).await;
    let poison = Message { payload: filler.payload.clone(), ..message(1) };
    let mut consumer = broker.subscribe(TOPIC, 1).await.unwrap();
    broker.publish(TOPIC, vec![poison.clone()]).await.unwrap();

    give_back(&mut *consumer, LIMIT + 5).await;
    let held = take(&mut *consumer, 1).await.remove(0);
    all_letters(&*broker).await;
    wait_until("room", || broker.progress(Topic::DeadLetter).bytes_on_disk < 10_000).await;
    held.release();

    assert!(matches!(small, Err(PublishError::Full(_))), "{small:?}");
    expect_nothing(&mut *consumer).await;
    let letters = all_letters(&*broker).await;
    assert_eq!(
        letters.into_iter().map(|letter| (letter.key, letter.payload)).collect::<Vec<_>>(),
        [(poison.key, poison.payload)]
    );
}

#[tokio::test]
async fn tells_how_long_the_oldest_has_waited() {
    let house = House::new(|options| options).await;
    let broker = house.broker();
    let age = || broker.progress(TOPIC).oldest_undelivered_age;
    let before = age();
    broker.publish(TOPIC, vec![message(1)]).await.unwrap();
    let unread = age();
    let mut consumer = broker.subscribe(TOPIC, 1).await.unwrap();

    let held = take(&mut *consumer, 1).await;

    assert_eq!((before, unread.is_some(), age()), (None, true, None));
    drop(held);
}
