//! The life of one automation.

use patchbay_service::hook_token;
use patchbay_types::fault::Code;
use serde_json::{Value, json};

use crate::{
    house::{House, OURS, refusal, welcome, welcome_with},
    peers::hook_keys,
};

#[tokio::test]
async fn a_new_automation_is_a_draft_with_a_hook() {
    let house = House::open().await;
    let created = house.create(&welcome()).await.unwrap();
    assert_eq!((created.status.as_str(), created.version, created.workspace_id), ("draft", 0, OURS));
    assert_eq!(serde_json::from_slice::<Value>(&created.definition).unwrap(), welcome());
    let source = hook_token::verify(&hook_keys(), &created.hook_token).unwrap();
    assert_eq!(&source.as_bytes()[..], &created.source_id[..]);
    assert!(created.created_at > 0);
    assert_eq!(house.get(&created.id).await.unwrap(), created);
}

#[tokio::test]
async fn keeps_the_document_as_it_was_given() {
    let house = House::open().await;
    let definition = welcome_with("/name", json!("Приветствие 🎉"));
    let created = house.create(&definition).await.unwrap();
    let read = house.get(&created.id).await.unwrap();
    assert_eq!(read.definition, definition.to_string().into_bytes());
}

#[tokio::test]
async fn a_publish_makes_a_draft_active() {
    let house = House::open().await;
    let created = house.create(&welcome()).await.unwrap();
    let published = house.publish(&created.id).await.unwrap();
    assert_eq!((published.status.as_str(), published.version), ("active", 1));
    assert_eq!((&published.source_id, &published.hook_token), (&created.source_id, &created.hook_token));
    assert!(published.updated_at >= created.updated_at);
}

#[tokio::test]
async fn a_publish_freezes_the_draft() {
    let house = House::open().await;
    let published = house.published().await;
    let before = house.changes_since(0).await;
    house.update(&published.id, &welcome_with("/name", json!("Second"))).await.unwrap();
    assert_eq!(house.changes_since(0).await, before);
    assert_eq!(house.version(&published.id, 1).await.unwrap(), welcome());
    assert_eq!(house.get(&published.id).await.unwrap().version, 1);
}

#[tokio::test]
async fn every_publish_is_a_version_that_stays() {
    let house = House::open().await;
    let published = house.published().await;
    let second = welcome_with("/name", json!("Second"));
    house.update(&published.id, &second).await.unwrap();
    assert_eq!(house.publish(&published.id).await.unwrap().version, 2);
    assert_eq!(house.version(&published.id, 1).await.unwrap(), welcome());
    assert_eq!(house.version(&published.id, 2).await.unwrap(), second);
    assert_eq!(refusal(house.version(&published.id, 3).await).0, Code::NotFound);
    let changes = house.changes_since(0).await;
    let current: Value = serde_json::from_slice(&changes.automations[0].definition).unwrap();
    assert_eq!((changes.automations.len(), changes.automations[0].version, current), (1, 2, second));
}

#[tokio::test]
async fn pauses_and_starts_as_often_as_asked() {
    let house = House::open().await;
    let id = house.published().await.id;
    for _ in 0..2 {
        assert_eq!(house.pause(&id).await.unwrap().status, "paused");
    }
    for _ in 0..2 {
        assert_eq!(house.start(&id).await.unwrap().status, "active");
    }
}

#[tokio::test]
async fn a_publish_of_a_paused_automation_leaves_it_paused() {
    let house = House::open().await;
    let id = house.published().await.id;
    house.pause(&id).await.unwrap();
    let published = house.publish(&id).await.unwrap();
    assert_eq!((published.status.as_str(), published.version), ("paused", 2));
    assert_eq!(house.start(&id).await.unwrap().status, "active");
}

#[tokio::test]
async fn a_draft_is_neither_paused_nor_started() {
    let house = House::open().await;
    let id = house.create(&welcome()).await.unwrap().id;
    assert_eq!(refusal(house.pause(&id).await), (Code::FailedPrecondition, None));
    assert_eq!(refusal(house.start(&id).await), (Code::FailedPrecondition, None));
    assert_eq!(house.get(&id).await.unwrap().status, "draft");
}

#[tokio::test]
async fn what_was_deleted_is_gone() {
    let house = House::open().await;
    let id = house.published().await.id;
    house.delete(&id).await.unwrap();
    for answer in house.all_methods_for(OURS, &id).await {
        assert_eq!(refusal(answer), (Code::NotFound, None));
    }
    assert!(house.list(OURS, &[], 0).await.unwrap().automations.is_empty());
    // Runs that began with it go on.
    assert_eq!(house.version(&id, 1).await.unwrap(), welcome());
}

#[tokio::test]
async fn the_hook_survives_edit_publish_pause_and_restart() {
    let house = House::open().await;
    let created = house.create(&welcome()).await.unwrap();
    house.update(&created.id, &welcome_with("/trigger/filter", json!("trigger.id"))).await.unwrap();
    house.publish(&created.id).await.unwrap();
    house.pause(&created.id).await.unwrap();
    let before = house.get(&created.id).await.unwrap();
    let house = house.restart().await;
    let after = house.get(&created.id).await.unwrap();
    assert_eq!((&after.hook_token, &after.source_id), (&created.hook_token, &created.source_id));
    assert_eq!(after, before);
}
