//! Connections and queues that end while they are used.

use std::collections::BTreeSet;
use std::net::TcpListener;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::join_all;
use lapin::options::QueueDeleteOptions;
use patchbay_broker::contract::{message, take, wait_until};
use patchbay_broker::rabbitmq::Options;
use patchbay_broker::{Broker, Delivery, Message, PublishError};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::support::{House, TOPIC, connect, expect_keys, open, publish_until_confirmed};

fn of_tenant(number: u64) -> Message {
    Message { tenant: i64::try_from(number).unwrap(), ..message(number) }
}

async fn delete(house: &House, queue: &str) {
    let connection = connect(&house.url).await;
    let channel = connection.create_channel().await.unwrap();
    let name = format!("{}.{queue}", house.options.prefix);
    channel.queue_delete(name.as_str().into(), QueueDeleteOptions::default()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_confirmed_is_there_although_connections_end_while_publishing() {
    let house = House::new().await;
    let (next, confirmed) = (Arc::new(AtomicU64::new(0)), Arc::new(Mutex::new(BTreeSet::new())));
    let failed = Arc::new(AtomicU64::new(0));
    let over = Arc::new(AtomicBool::new(false));
    let mut publishers = JoinSet::new();
    for _ in 0..32 {
        let (broker, next, failed) = (Arc::clone(&house.broker), Arc::clone(&next), Arc::clone(&failed));
        let (over, confirmed) = (Arc::clone(&over), Arc::clone(&confirmed));
        publishers.spawn(async move {
            while !over.load(Ordering::Relaxed) {
                let sent = of_tenant(next.fetch_add(1, Ordering::Relaxed));
                match broker.publish(TOPIC, vec![sent.clone()]).await {
                    Ok(()) => drop(confirmed.lock().unwrap().insert(sent.key)),
                    Err(_) => drop(failed.fetch_add(1, Ordering::Relaxed)),
                }
            }
        });
    }

    for count in (1..=10).map(|round| round * 200) {
        wait_until("more are confirmed", || confirmed.lock().unwrap().len() >= count).await;
        house.proxy.break_all();
    }
    over.store(true, Ordering::Relaxed);
    publishers.join_all().await;

    assert!(failed.load(Ordering::Relaxed) > 0, "no connection ended while publishing");
    let confirmed = confirmed.lock().unwrap().clone();
    expect_keys(&*house.broker, confirmed).await;
}

/// The broker says that it has no queue for some of the messages that are on their way together, between the confirms of others.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_that_no_queue_took_is_not_confirmed() {
    let house = House::new().await;
    let mut load = JoinSet::new();
    for publisher in 0..16_u64 {
        let broker = Arc::clone(&house.broker);
        load.spawn(async move {
            for number in (publisher..).step_by(16) {
                let tenant = [0, 1, 2, 4, 5, 6, 7][usize::try_from(number % 7).unwrap()];
                // Those that were on their way when one came back are not confirmed either.
                let _ = broker.publish(TOPIC, vec![Message { tenant, ..message(number) }]).await;
            }
        });
    }
    let delivered = Arc::new(Mutex::new(BTreeSet::new()));
    let (mut consumer, seen) = (house.broker.subscribe(TOPIC, 500).await.unwrap(), Arc::clone(&delivered));
    load.spawn(async move {
        loop {
            let batch = consumer.next_batch(500).await.unwrap();
            seen.lock().unwrap().extend(batch.iter().map(|delivery| delivery.message.key.clone()));
            Delivery::acknowledge_all(batch);
        }
    });

    let mut failed = 0;
    for round in 1..=8 {
        delete(&house, "trigger.fired.3").await;
        let sent: Vec<_> =
            (0..50).map(|number| Message { tenant: 3, ..message(round * 1_000_000_000 + number) }).collect();
        let results = join_all(sent.iter().map(|sent| house.broker.publish(TOPIC, vec![sent.clone()]))).await;
        let confirmed: BTreeSet<_> =
            sent.iter().zip(&results).filter(|(_, result)| result.is_ok()).map(|(sent, _)| sent.key.clone()).collect();
        failed += sent.len() - confirmed.len();
        publish_until_confirmed(&*house.broker, Message { tenant: 3, ..message(round * 1_000_000_000) }).await;
        wait_until("what was confirmed is there", || confirmed.is_subset(&delivered.lock().unwrap())).await;
    }

    assert!(failed >= 8, "{failed}");
    load.abort_all();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_consumer_goes_on_when_its_connection_ends() {
    let house = House::new().await;
    let mut consumer = house.broker.subscribe(TOPIC, 10).await.unwrap();
    publish_until_confirmed(&*house.broker, message(1)).await;
    let before = take(&mut *consumer, 1).await;

    house.proxy.break_all();

    let after = take(&mut *consumer, 1).await;
    assert_eq!((&after[0].message, after[0].redelivered), (&message(1), true));
    // The first is the broker's again: this says nothing to it, and nothing of the second.
    Delivery::acknowledge_all(before);
    publish_until_confirmed(&*house.broker, message(2)).await;
    let last = take(&mut *consumer, 1).await;
    assert_eq!(last[0].message, message(2));
    Delivery::acknowledge_all(after.into_iter().chain(last));
    wait_until("all is settled", || {
        let progress = house.broker.progress(TOPIC);
        (progress.undelivered, progress.unacknowledged) == (0, 0)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_consumer_goes_on_when_its_queue_is_deleted() {
    let house = House::new().await;
    let mut consumer = house.broker.subscribe(TOPIC, 10).await.unwrap();

    delete(&house, "trigger.fired.3").await;
    publish_until_confirmed(&*house.broker, of_tenant(3)).await;

    assert_eq!(take(&mut *consumer, 1).await[0].message, message(3));
    wait_until("healthy", || house.broker.health().is_ok()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn notices_a_network_that_swallows_everything() {
    let house = House::with(|options| Options {
        heartbeat: Duration::from_secs(1),
        confirm_timeout: Duration::from_secs(1),
        connect_timeout: Duration::from_secs(1),
        ..options
    })
    .await;
    let mut consumer = house.broker.subscribe(TOPIC, 10).await.unwrap();

    house.proxy.cut();
    let unconfirmed = house.broker.publish(TOPIC, vec![message(1)]).await;
    wait_until("it is noticed", || house.broker.health().is_err_and(|why| why.contains("can't be reached at amqp://")))
        .await;
    house.proxy.heal();
    house.proxy.break_all();

    assert!(matches!(unconfirmed, Err(PublishError::Unavailable(_))), "{unconfirmed:?}");
    wait_until("healthy", || house.broker.health().is_ok()).await;
    publish_until_confirmed(&*house.broker, message(2)).await;
    assert_eq!(take(&mut *consumer, 1).await[0].message, message(2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn opens_without_a_server_and_connects_when_it_is_there() {
    let house = House::new().await;
    // Nobody listens there once it is dropped.
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let url = house.options.url.replace(&house.proxy.address().to_string(), &nobody);
    let away = open(Options { url, ..house.options.clone() }).await.unwrap();

    let refused = away.publish(TOPIC, vec![message(1)]).await;
    let subscribed = timeout(Duration::from_secs(5), away.subscribe(TOPIC, 1)).await;

    assert!(matches!(&refused, Err(PublishError::Unavailable(why)) if why.contains("refused")), "{refused:?}");
    assert!(matches!(subscribed, Ok(Ok(_))), "{subscribed:?}");
    let why = away.health().unwrap_err();
    assert!(why.contains(&nobody) && why.contains("connection refused"), "{why}");
    away.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_close_finishes_what_was_begun() {
    let house = House::new().await;
    let mut publishing = JoinSet::new();
    for number in 0..500 {
        let broker = Arc::clone(&house.broker);
        publishing.spawn(async move { (message(number).key, broker.publish(TOPIC, vec![message(number)]).await) });
    }
    sleep(Duration::from_millis(1)).await;

    house.broker.close().await;

    let mut confirmed = BTreeSet::new();
    for (key, result) in publishing.join_all().await {
        match result {
            Ok(()) => drop(confirmed.insert(key)),
            Err(error) => assert_eq!(error, PublishError::Closed),
        }
    }
    expect_keys(&*open(house.options.clone()).await.unwrap(), confirmed).await;
}
