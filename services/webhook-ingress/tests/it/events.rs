//! Published events fire every trigger that wants them, and can be watched.

use std::time::Duration;

use patchbay_proto::event::v1::{PublishRequest, PublishedEvent, TailRequest};
use patchbay_types::SourceId;
use serde_json::{Value, json};

use crate::{
    house::{House, PATIENCE},
    peers::{OTHER_WORKSPACE, WORKSPACE},
};

fn event(id: &str, r#type: &str) -> PublishedEvent {
    let attributes = json!({"specversion": "1.0", "id": id, "source": "/shop", "type": r#type});
    PublishedEvent {
        id: id.to_owned(),
        source: "/shop".to_owned(),
        r#type: r#type.to_owned(),
        data: b"{\"n\":1.10}".as_slice().into(),
        attributes: attributes.to_string().into(),
        ..PublishedEvent::default()
    }
}

fn listening(house: &House, parameters: &str) -> SourceId {
    house.peers.publish_of("event.received", 0, parameters).0
}

async fn publish(house: &House, workspace_id: i64, events: Vec<PublishedEvent>) -> Vec<i64> {
    let published = house.events().publish(PublishRequest { workspace_id, events }).await;
    published.unwrap().into_inner().sources
}

#[tokio::test]
async fn an_event_fires_the_triggers_that_want_it() {
    let house = House::new().await;
    let source = listening(&house, r#"{"type":"com.acme.*"}"#);
    listening(&house, r#"{"type":"com.acme.created","source":"/other"}"#);
    let counts = publish(&house, WORKSPACE, vec![event("1", "com.acme.created"), event("2", "org.other")]).await;
    assert_eq!(counts, [1, 0]);
    let fired = house.fired().await;
    assert_eq!((fired.workspace_id, &fired.source_id[..]), (WORKSPACE, source.as_bytes().as_slice()));
    assert_eq!((fired.event_id.as_str(), fired.event_source.as_str(), fired.dedupe_window), ("1", "/shop", 0));
    assert_eq!(fired.payload, "{\"n\":1.10}");
    let meta: Value = serde_json::from_slice(&fired.meta).unwrap();
    assert_eq!((&meta["type"], meta["received_at"].is_string()), (&json!("com.acme.created"), true));
    assert!(house.ground.metrics.render().contains("patchbay_ingress_events_no_automation_total 1"));
}

#[tokio::test]
async fn events_of_another_workspace_fire_nothing() {
    let house = House::new().await;
    listening(&house, r#"{"type":"*"}"#);
    assert_eq!(publish(&house, OTHER_WORKSPACE, vec![event("1", "com.acme.created")]).await, [0]);
    assert_eq!(house.waiting(), 0);
}

#[tokio::test]
async fn a_trigger_that_was_changed_or_deleted_is_followed_at_once() {
    let house = House::new().await;
    let source = listening(&house, r#"{"type":"*"}"#);
    assert_eq!(publish(&house, WORKSPACE, vec![event("1", "a")]).await, [1]);
    house.peers.change(source, "{}", true);
    assert_eq!(publish(&house, WORKSPACE, vec![event("2", "a")]).await, [0]);
}

#[tokio::test]
async fn published_events_have_no_hook() {
    let house = House::new().await;
    let (_, token) = house.peers.publish_of("event.received", 0, r#"{"type":"*"}"#);
    let answer = house.post(&token, "{}").await;
    assert_eq!((answer.status.as_u16(), answer.code()), (404, "not_found".to_owned()));
}

#[tokio::test]
async fn accepted_events_of_the_workspace_are_watched_until_the_shutdown() {
    let house = House::new().await;
    let (_, token) = house.peers.publish("{}");
    listening(&house, r#"{"type":"*"}"#);
    let tail = |workspace_id| async move { TailRequest { workspace_id } };
    let mut ours = house.events().tail(tail(WORKSPACE).await).await.unwrap().into_inner();
    let mut theirs = house.events().tail(tail(OTHER_WORKSPACE).await).await.unwrap().into_inner();
    assert_eq!(house.post(&token, r#"{"a":1}"#).await.status.as_u16(), 200);
    publish(&house, WORKSPACE, vec![event("2", "com.acme.created")]).await;

    let first = tokio::time::timeout(PATIENCE, ours.message()).await.unwrap().unwrap().unwrap();
    assert_eq!((first.operation.as_str(), first.payload), ("webhook.received", r#"{"a":1}"#.into()));
    let second = tokio::time::timeout(PATIENCE, ours.message()).await.unwrap().unwrap().unwrap();
    assert_eq!((second.operation.as_str(), second.event_id.as_str()), ("event.received", "2"));
    house.ground.tasks.shutdown().begin();
    let last = tokio::time::timeout(Duration::from_secs(5), theirs.message()).await.unwrap().unwrap();
    assert_eq!(last, None);
}
