//! How fast it is: `cargo test --release -p patchbay-broker -- --ignored --nocapture rate`.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use patchbay_broker::contract::message;
use patchbay_broker::{Broker, Delivery, Message};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::support::{House, TOPIC};

const MESSAGES: u64 = 200_000;
const PUBLISHERS: u64 = 256;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "measures"]
async fn rate_of_many_tenants() {
    measure("many tenants", 1000).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "measures"]
async fn rate_of_one_tenant() {
    measure("one tenant", 1).await;
}

#[expect(clippy::print_stdout, reason = "what it measures")]
fn say(what: &str, rate: f64) {
    println!("{what}: {rate:.0} messages/s, each confirmed and consumed");
}

/// Every publisher waits for the confirm of its message, and everything is consumed meanwhile.
async fn measure(what: &str, tenants: u64) {
    let house = House::new().await;
    let mut consumer = house.broker.subscribe(TOPIC, 512).await.unwrap();
    let next = Arc::new(AtomicU64::new(0));
    let payload = Bytes::from(vec![b'x'; 341]);
    let begun = Instant::now();
    let mut publishers = JoinSet::new();
    for _ in 0..PUBLISHERS {
        let (broker, next, payload) = (Arc::clone(&house.broker), Arc::clone(&next), payload.clone());
        publishers.spawn(async move {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= MESSAGES {
                    break;
                }
                let tenant = i64::try_from(number % tenants).unwrap();
                let sent = Message { tenant, payload: payload.clone(), ..message(number) };
                broker.publish(TOPIC, vec![sent]).await.unwrap();
            }
        });
    }
    let consuming = async {
        let mut left = MESSAGES;
        while left > 0 {
            let batch = consumer.next_batch(256).await.unwrap();
            left -= batch.len() as u64;
            Delivery::acknowledge_all(batch);
        }
    };

    let (_, ()) = tokio::join!(publishers.join_all(), consuming);

    say(what, MESSAGES as f64 / begun.elapsed().as_secs_f64());
}
