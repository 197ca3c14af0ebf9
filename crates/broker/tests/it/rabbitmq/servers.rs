//! Servers that die, and that have no room.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use patchbay_broker::contract::{message, take, wait_until};
use patchbay_broker::rabbitmq::Options;
use patchbay_broker::{Broker, Delivery, Message, PublishError};
use patchbay_proto::Topic;
use patchbay_testing::instances::RabbitServer;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::support::{TOPIC, open, publish_until_confirmed};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_confirmed_is_lost_when_the_server_is_killed_under_load() {
    let server = RabbitServer::start();
    let broker = open(Options::new(server.url())).await.unwrap();
    let (confirmed, over) = (Arc::new(Mutex::new(BTreeSet::new())), Arc::new(AtomicBool::new(false)));
    let mut publishers = JoinSet::new();
    for publisher in 0..16_u64 {
        let (broker, confirmed, over) = (Arc::clone(&broker), Arc::clone(&confirmed), Arc::clone(&over));
        publishers.spawn(async move {
            for number in (publisher..).step_by(16) {
                if over.load(Ordering::Relaxed) {
                    break;
                }
                let sent = Message { tenant: i64::try_from(number).unwrap(), ..message(number) };
                match broker.publish(TOPIC, vec![sent.clone()]).await {
                    Ok(()) => drop(confirmed.lock().unwrap().insert(sent.key)),
                    Err(_) => sleep(Duration::from_millis(20)).await,
                }
            }
        });
    }
    let delivered = Arc::new(Mutex::new(BTreeSet::new()));
    let mut consumer = broker.subscribe(TOPIC, 100).await.unwrap();
    let mut reading = JoinSet::new();
    let seen = Arc::clone(&delivered);
    reading.spawn(async move {
        while let Ok(batch) = consumer.next_batch(50).await {
            seen.lock().unwrap().extend(batch.iter().map(|delivery| delivery.message.key.clone()));
            Delivery::acknowledge_all(batch);
        }
    });

    let count = || confirmed.lock().unwrap().len();
    wait_until("some are confirmed", || count() > 2000).await;
    // For some seconds a server that is killed forgets the queues that it has just made, whatever they hold.
    server.control(&["eval", "[dets:sync(Table) || Table <- dets:all()]."]);
    server.kill();
    let before = count();
    wait_until("it is noticed", || broker.health().is_err()).await;
    server.start_again();
    wait_until("more are confirmed", || count() > before + 2000).await;
    over.store(true, Ordering::Relaxed);
    publishers.join_all().await;

    let missing = || confirmed.lock().unwrap().difference(&delivered.lock().unwrap()).count();
    let all_came = async {
        while missing() > 0 {
            sleep(Duration::from_millis(20)).await;
        }
    };
    let in_time = timeout(Duration::from_secs(30), all_came).await;
    assert!(in_time.is_ok(), "{} of {} confirmed messages are lost", missing(), count());
    assert_eq!(broker.health(), Ok(()));
    broker.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_queue_that_does_not_answer_holds_no_other_up() {
    let server = RabbitServer::start();
    let (reconnect_wait, wait) = (Duration::from_millis(20), Duration::from_millis(200));
    let options = Options { connect_timeout: Duration::from_secs(1), reconnect_wait, ..Options::new(server.url()) };
    let broker = open(Options { reconnect_wait_most: wait, ..options }).await.unwrap();
    let mut consumer = broker.subscribe(TOPIC, 10).await.unwrap();
    publish_until_confirmed(&*broker, message(1)).await;
    Delivery::acknowledge_all(take(&mut *consumer, 1).await);

    let mut letters = broker.subscribe(Topic::DeadLetter, 10).await.unwrap();
    let each = |what: &str| {
        let queues = "['patchbay_patchbay.trigger.fired.huge', 'patchbay_patchbay.dead-letter']";
        server.control(&["eval", &format!("[sys:{what}({{Queue, node()}}) || Queue <- {queues}].")]);
    };
    each("suspend");
    server.control(&["close_all_connections", "--global", "for a test"]);
    let says = || broker.health().err().unwrap_or_default();
    wait_until("it is said", || says().contains("patchbay.trigger.fired.huge does not answer")).await;
    let numbers = 10..310_u64;
    let many = numbers.clone().map(|number| Message { tenant: 3, ..message(number) }).collect();
    broker.publish(TOPIC, many).await.unwrap();
    // A full prefetch of them goes to the channel on which the broker waits, and comes when it no longer does.
    let mut came = take(&mut *consumer, 1).await;

    // A consumer whose every queue is left out is not over.
    assert!(timeout(Duration::from_secs(2), letters.next_batch(1)).await.is_err());

    each("resume");
    wait_until("healthy", || broker.health().is_ok()).await;
    let mut numbers: BTreeSet<_> = numbers.map(|number| message(number).key).collect();
    while !numbers.is_empty() {
        numbers.retain(|key| came.iter().all(|delivery| delivery.message.key != *key));
        Delivery::acknowledge_all(came);
        came = take(&mut *consumer, 1.min(numbers.len())).await;
    }
    let huge = Message { payload: vec![b'x'; 2 * 1024 * 1024].into(), ..message(3) };
    publish_until_confirmed(&*broker, huge.clone()).await;
    assert_eq!(take(&mut *consumer, 1).await[0].message, huge);
    broker.close().await;
}

/// One server for both, which takes seconds to start.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_without_room_is_full_and_does_not_stop_consumers() {
    let server = RabbitServer::start();
    let options = Options { confirm_timeout: Duration::from_secs(1), ..Options::new(server.url()) };
    let broker = open(options).await.unwrap();
    let mut consumer = broker.subscribe(TOPIC, 10).await.unwrap();
    broker.publish(TOPIC, vec![message(1)]).await.unwrap();

    server.control(&["set_vm_memory_high_watermark", "absolute", "1MB"]);
    let first = broker.publish(TOPIC, vec![message(2)]).await;
    let second = broker.publish(TOPIC, vec![message(3)]).await;
    let health = broker.health();
    let taken = take(&mut *consumer, 1).await;
    server.control(&["set_vm_memory_high_watermark", "0.6"]);

    // It was on its way when the broker said so.
    assert!(matches!(first, Err(PublishError::Unavailable(_) | PublishError::Full(_))), "{first:?}");
    assert!(matches!(&second, Err(PublishError::Full(why)) if why.contains("blocked by the broker")), "{second:?}");
    assert!(health.is_err_and(|why| why.contains("blocked by the broker")));
    assert_eq!(taken[0].message, message(1));
    Delivery::acknowledge_all(taken);
    wait_until("healthy", || broker.health().is_ok()).await;
    publish_until_confirmed(&*broker, message(4)).await;

    let policy =
        ["set_policy", "--vhost", "patchbay", "short", r"^patchbay\.trigger\.fired\.6$", r#"{"max-length":5}"#];
    server.control(&policy);
    let mut results = Vec::new();
    drop(consumer);
    for number in 0..20 {
        results.push(broker.publish(TOPIC, vec![Message { tenant: 6, ..message(number) }]).await);
    }
    assert!(results.contains(&Ok(())) && results.contains(&Err(PublishError::Full("the queue takes no more".into()))));
    publish_until_confirmed(&*broker, Message { tenant: 5, ..message(5) }).await;
    broker.close().await;
}
