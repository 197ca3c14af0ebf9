//! What crashes leave on disk.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::FileExt;

use patchbay_broker::contract::{Subject, acknowledge_until_empty, message, take, wait_until};
use patchbay_broker::embedded::Options;
use patchbay_broker::{Broker, Delivery, Error, Message};
use patchbay_proto::Topic;
use tempfile::TempDir;

use crate::support::{House, TOPIC, open, segments};

/// A directory with these messages, each in a group of its own, of a broker that was closed.
async fn closed_with(numbers: std::ops::Range<u64>, tune: fn(Options) -> Options) -> House {
    let house = House::new(tune).await;
    for number in numbers {
        house.broker().publish(TOPIC, vec![message(number)]).await.unwrap();
    }
    house.broker().close().await;
    house
}

fn small_segments(options: Options) -> Options {
    Options { segment_bytes: 400, ..options }
}

async fn all(broker: &dyn Broker) -> Vec<Message> {
    let mut consumer = broker.subscribe(TOPIC, 1000).await.unwrap();
    acknowledge_until_empty(broker, TOPIC, &mut *consumer).await
}

#[tokio::test]
async fn goes_on_after_a_drop_without_close() {
    let directory = TempDir::new().unwrap();
    let broker = open(directory.path()).await.unwrap();
    broker.publish(TOPIC, vec![message(1)]).await.unwrap();
    drop(broker);

    let broker = open(directory.path()).await.unwrap();
    broker.publish(TOPIC, vec![message(2)]).await.unwrap();

    assert_eq!(all(&*broker).await, [message(1), message(2)]);
}

#[tokio::test]
async fn redelivers_in_order_after_a_crash() {
    let mut house = House::new(small_segments).await;
    house.broker().publish(TOPIC, (0..100).map(message).collect()).await.unwrap();
    let mut consumer = house.broker().subscribe(TOPIC, 100).await.unwrap();
    let held = take(&mut *consumer, 60).await;

    house.crash().await;

    let mut consumer = house.broker().subscribe(TOPIC, 100).await.unwrap();
    let again = take(&mut *consumer, 100).await;
    let told: Vec<_> = again.iter().map(|delivery| (delivery.message.clone(), delivery.redelivered)).collect();
    assert_eq!(told, (0..100).map(|number| (message(number), true)).collect::<Vec<_>>());
    drop(held);
}

#[tokio::test]
async fn cuts_off_a_torn_tail_at_every_length() {
    let house = closed_with(0..3, |options| options).await;
    let path = segments(&house.directory(), TOPIC).pop().unwrap();
    let whole = fs::read(&path).unwrap();
    let record = (whole.len() - 16) / 3;

    for torn in 1..=record + 1 {
        fs::write(&path, &whole[..whole.len() - torn]).unwrap();
        let broker = open(&house.directory()).await.unwrap();
        broker.publish(TOPIC, vec![message(9)]).await.unwrap();
        let undelivered = broker.progress(TOPIC).undelivered;
        broker.close().await;
        let broker = open(&house.directory()).await.unwrap();

        let left = if torn <= record { 3 } else { 2 };
        assert_eq!((undelivered, broker.progress(TOPIC).undelivered), (left, left), "torn by {torn}");
        broker.close().await;
    }
}

#[tokio::test]
async fn cuts_off_a_tail_of_zeros_and_a_torn_header() {
    let house = closed_with(0..2, |options| options).await;
    let path = segments(&house.directory(), TOPIC).pop().unwrap();
    let length = fs::metadata(&path).unwrap().len();
    OpenOptions::new().write(true).open(&path).unwrap().set_len(length + 5000).unwrap();
    File::create(path.with_file_name(format!("{:020}.log", 2))).unwrap();

    File::create(path.with_file_name(format!("{:020}.log", 2))).unwrap().write_all_at(b"PBLO", 0).unwrap();

    let broker = open(&house.directory()).await.unwrap();
    broker.publish(TOPIC, vec![message(2)]).await.unwrap();

    assert_eq!(all(&*broker).await, [message(0), message(1), message(2)]);
}

#[tokio::test]
async fn names_file_and_offset_of_damage_before_a_later_group() {
    let house = closed_with(0..3, |options| options).await;
    let path = segments(&house.directory(), TOPIC).pop().unwrap();
    let record = (fs::metadata(&path).unwrap().len() - 16) / 3;
    let file = OpenOptions::new().write(true).open(&path).unwrap();
    file.write_all_at(b"!", 16 + record + 40).unwrap();

    let error = open(&house.directory()).await.unwrap_err();

    let Error::Damaged { path: named, offset, .. } = error else { panic!("{error}") };
    assert_eq!((named, offset), (path, 16 + record));
}

#[tokio::test]
async fn names_file_and_offset_of_damage_in_an_older_segment() {
    let house = closed_with(0..10, small_segments).await;
    let path = segments(&house.directory(), TOPIC).remove(1);
    OpenOptions::new().write(true).open(&path).unwrap().set_len(100).unwrap();

    let error = open(&house.directory()).await.unwrap_err();

    let Error::Damaged { path: named, .. } = error else { panic!("{error}") };
    assert_eq!(named, path);
}

#[tokio::test]
async fn tells_of_a_missing_segment_and_goes_on_when_told_to() {
    let house = closed_with(0..10, small_segments).await;
    let broker = open(&house.directory()).await.unwrap();
    let mut consumer = broker.subscribe(TOPIC, 10).await.unwrap();
    take(&mut *consumer, 1).await.remove(0).acknowledge();
    drop(consumer);
    broker.close().await;
    let path = segments(&house.directory(), TOPIC).remove(1);
    fs::remove_file(&path).unwrap();

    let error = open(&house.directory()).await.unwrap_err();
    for page in 0..2 {
        let _absent = fs::remove_file(path.with_file_name(format!("acknowledged.{page}")));
    }
    let broker = open(&house.directory()).await.unwrap();

    assert!(matches!(error, Error::Missing { .. }), "{error}");
    let left = all(&*broker).await;
    assert!(left.len() < 10 && left.contains(&message(0)) && left.contains(&message(9)), "{left:?}");
}

#[tokio::test]
async fn refuses_a_directory_in_use_until_it_is_closed() {
    let house = House::new(|options| options).await;

    let error = open(&house.directory()).await.unwrap_err();
    house.broker().close().await;

    assert!(matches!(error, Error::Locked { .. }), "{error}");
    open(&house.directory()).await.unwrap();
}

#[tokio::test]
async fn removes_acknowledged_segments_also_between_open_ones() {
    let mut house = House::new(small_segments).await;
    let broker = house.broker();
    for number in 0..30 {
        broker.publish(TOPIC, vec![message(number)]).await.unwrap();
    }
    let mut consumer = broker.subscribe(TOPIC, 30).await.unwrap();
    let mut held = take(&mut *consumer, 30).await;
    let first = held.remove(0);

    Delivery::acknowledge_all(held);
    let directory = house.directory();
    wait_until("two segments are left", || segments(&directory, TOPIC).len() == 2).await;
    drop((first, consumer, broker));
    house.crash().await;
    house.broker().publish(TOPIC, vec![message(30)]).await.unwrap();

    assert_eq!(all(&*house.broker()).await, [message(0), message(30)]);
    assert_eq!(house.broker().progress(Topic::DeadLetter).undelivered, 0);
}
