//! A hook is answered by what the broker says, not before.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use axum::http::StatusCode;
use patchbay_broker::{Broker, Consumer, Error, Message, Progress, PublishError};
use patchbay_proto::Topic;
use patchbay_webhook_ingress::Config;
use tokio::{sync::Semaphore, task::JoinSet};

use crate::house::{House, PATIENCE};

/// A broker that confirms when it is allowed to, and answers as it is told.
#[derive(Debug)]
struct Reluctant {
    arrived: Semaphore,
    allowed: Semaphore,
    answer: Mutex<Result<(), PublishError>>,
}

#[async_trait]
impl Broker for Reluctant {
    async fn publish(&self, topic: Topic, messages: Vec<Message>) -> Result<(), PublishError> {
        assert_eq!((topic, messages.len()), (Topic::TriggerFired, 1));
        self.arrived.add_permits(1);
        self.allowed.acquire().await.unwrap().forget();
        self.answer.lock().unwrap().clone()
    }

    async fn subscribe(&self, _: Topic, _: usize) -> Result<Box<dyn Consumer>, Error> {
        Err(Error::Closed)
    }

    fn progress(&self, _: Topic) -> Progress {
        Progress::default()
    }

    fn health(&self) -> Result<(), String> {
        Ok(())
    }

    async fn close(&self) {}
}

async fn house(answer: Result<(), PublishError>) -> (Arc<House>, Arc<Reluctant>) {
    let broker =
        Arc::new(Reluctant { arrived: Semaphore::new(0), allowed: Semaphore::new(0), answer: Mutex::new(answer) });
    let given: Arc<dyn Broker> = Arc::<Reluctant>::clone(&broker);
    (Arc::new(House::with(|_| given, Config::default()).await), broker)
}

#[tokio::test]
async fn nothing_is_answered_before_the_event_is_durable() {
    let (house, broker) = house(Ok(())).await;
    let (_, token) = house.peers.publish("{}");
    let asking = Arc::clone(&house);
    let mut answer = JoinSet::new();
    answer.spawn(async move { asking.post(&token, "{}").await.status });
    tokio::time::timeout(PATIENCE, broker.arrived.acquire()).await.unwrap().unwrap().forget();
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert!(answer.try_join_next().is_none());
    broker.allowed.add_permits(1);
    assert_eq!(answer.join_all().await, [StatusCode::OK]);
    assert!(house.ground.metrics.render().contains("events_accepted_total 1"));
}

#[tokio::test]
async fn what_the_broker_does_not_confirm_is_not_accepted() {
    let cases = [
        (PublishError::Full("the disk".to_owned()), StatusCode::INSUFFICIENT_STORAGE, "storage_full"),
        (PublishError::TooLarge { bytes: 9, limit: 8 }, StatusCode::PAYLOAD_TOO_LARGE, "too_large"),
        (PublishError::Unavailable("it".to_owned()), StatusCode::SERVICE_UNAVAILABLE, "unavailable"),
        (PublishError::Closed, StatusCode::SERVICE_UNAVAILABLE, "unavailable"),
    ];
    let (house, broker) = house(Ok(())).await;
    let (_, token) = house.peers.publish("{}");
    for (error, status, code) in cases {
        *broker.answer.lock().unwrap() = Err(error);
        broker.allowed.add_permits(1);
        let answer = house.post(&token, "{}").await;
        assert_eq!((answer.status, answer.code().as_str()), (status, code));
        assert_eq!(answer.headers.contains_key("retry-after"), status == StatusCode::SERVICE_UNAVAILABLE);
    }
    assert!(house.ground.metrics.render().contains("events_accepted_total 0"));
}
