//! Others are told of every end.

use std::sync::Arc;

use async_trait::async_trait;
use patchbay_broker::{Broker, Consumer, Error, Message, Progress, PublishError};
use patchbay_proto::Topic;
use patchbay_store::read;
use patchbay_testing::wait_for;
use patchbay_types::{AutomationId, RunId};
use serde_json::{Value, json};

use crate::{
    house::{House, PATIENCE, Setup, at, launch, names},
    partner::{Answer, Partner},
};

/// A broker that takes everything but ended runs.
#[derive(Debug)]
struct Mute(Arc<dyn Broker>);

#[async_trait]
impl Broker for Mute {
    async fn publish(&self, topic: Topic, messages: Vec<Message>) -> Result<(), PublishError> {
        if topic == Topic::RunFinished {
            return Err(PublishError::Unavailable("it is mute".to_owned()));
        }
        self.0.publish(topic, messages).await
    }

    async fn subscribe(&self, topic: Topic, prefetch: usize) -> Result<Box<dyn Consumer>, Error> {
        self.0.subscribe(topic, prefetch).await
    }

    fn progress(&self, topic: Topic) -> Progress {
        self.0.progress(topic)
    }

    fn health(&self) -> Result<(), String> {
        self.0.health()
    }

    async fn close(&self) {
        self.0.close().await;
    }
}

/// A house in which it is heard which runs end.
async fn heard() -> House {
    House::with(Setup { is_heard: true, ..Setup::default() }).await
}

/// What is told, until this many were heard.
async fn hear(house: &mut House, count: usize) -> Vec<Value> {
    let mut heard: Vec<Value> = Vec::new();
    while heard.len() < count {
        let batch = tokio::time::timeout(PATIENCE, house.ears().next_batch(64)).await.unwrap().unwrap();
        for delivery in batch {
            let content_type = ("content-type".to_owned(), "application/cloudevents+json; charset=UTF-8".to_owned());
            assert_eq!(delivery.message.headers, [content_type]);
            let one: Value = serde_json::from_slice(&delivery.message.payload).unwrap();
            // What was told late may be told twice, with the same id.
            if heard.iter().all(|before| before["id"] != one["id"]) {
                heard.push(one);
            }
            delivery.acknowledge();
        }
    }
    heard
}

/// Batches that are still to be told.
async fn untold(house: &House) -> i64 {
    let sql = "SELECT count(*) FROM executor_finished";
    read!(&house.ground().engine, pool => sqlx::query_scalar(sql).fetch_one(pool).await).unwrap()
}

async fn all_told(house: &House) {
    wait_for("all to be told", PATIENCE, || async { (untold(house).await == 0).then_some(()) }).await;
}

#[tokio::test]
async fn every_end_is_told_with_an_id_of_its_own() {
    let (mut house, partner) = (heard().await, Partner::new().await);
    let (automation, source) = house.peers.publish(launch(house.peers.connect(&partner)));
    partner.script([Answer::refuses(402, "no"), Answer::HangsUp, Answer::Done]);
    for (event, status) in [("failed", "failed"), ("cancelled", "outcome_unknown"), ("done", "succeeded")] {
        house.fire(source, event, json!({"email": "ann@a.test"})).await;
        let run = house.when_is(event, status).await;
        if status == "outcome_unknown" {
            house.cancel(&run).await.unwrap();
        }
    }
    let told = hear(&mut house, 3).await;
    for (event, class) in [("failed", json!("partner")), ("cancelled", json!(null)), ("done", json!(null))] {
        let run = &house.runs_of(event).await[0];
        let id = RunId::from_slice(&run.id).unwrap().to_string();
        let one = told.iter().find(|one| one["data"]["event_id"] == event).unwrap();
        assert!(one["id"].as_str().unwrap().starts_with(&id), "{one}");
        let expected = json!({
            "specversion": "1.0",
            "id": one["id"],
            "source": "patchbay/workspaces/7",
            "type": "patchbay.run.finished.v1",
            "subject": automation.to_string(),
            "time": at(run.finished_at).to_string(),
            "datacontenttype": "application/json",
            "data": {
                "run_id": id,
                "automation_id": AutomationId::from_slice(&run.automation_id).unwrap().to_string(),
                "version": 1,
                "event_id": event,
                "status": run.status,
                "started_at": at(run.started_at).to_string(),
                "finished_at": at(run.finished_at).to_string(),
                "error_class": class,
            },
        });
        assert_eq!(*one, expected);
    }
    all_told(&house).await;
}

#[tokio::test]
async fn a_replayed_run_ends_again_and_is_told_again() {
    let (mut house, partner) = (heard().await, Partner::new().await);
    let (_, source) = house.peers.publish(launch(house.peers.connect(&partner)));
    partner.script([Answer::refuses(402, "no")]);
    house.fire(source, "e", json!({"email": "ann@a.test"})).await;
    let failed = house.when_is("e", "failed").await;
    house.replay(&failed).await.unwrap();
    house.when_is("e", "succeeded").await;
    let told = hear(&mut house, 2).await;
    assert_eq!(told[0]["data"]["run_id"], told[1]["data"]["run_id"]);
    assert_ne!(told[0]["id"], told[1]["id"]);
    assert_eq!((&told[0]["data"]["status"], &told[1]["data"]["status"]), (&json!("failed"), &json!("succeeded")));
}

#[tokio::test]
async fn what_could_not_be_told_is_told_by_a_later_life() {
    let broker: fn(Arc<dyn Broker>) -> Arc<dyn Broker> = |real| Arc::new(Mute(real));
    let mut house = House::with(Setup { broker, ..Setup::default() }).await;
    let partner = Partner::new().await;
    let (_, source) = house.peers.publish(launch(house.peers.connect(&partner)));
    house.fire_many(source, 30).await;
    house.when_all_are("succeeded", 30).await;
    assert!(untold(&house).await > 0);
    house.crash();
    (house.setup.broker, house.setup.is_heard) = (|real| real, true);
    house.begin().await;
    all_told(&house).await;
    let mut told: Vec<String> =
        hear(&mut house, 30).await.iter().map(|one| one["data"]["event_id"].as_str().unwrap().to_owned()).collect();
    told.sort();
    assert_eq!(told, names(30));
}
