//! How other services follow.

use patchbay_proto::automation::internal::v1::{ChangesSinceResponse, PublishedAutomation, Source};
use serde_json::json;

use crate::house::{House, OURS, welcome, welcome_with};

#[tokio::test]
async fn nothing_has_changed_at_first() {
    let house = House::open().await;
    assert_eq!(house.changes_since(0).await, ChangesSinceResponse::default());
}

#[tokio::test]
async fn a_draft_gives_its_source_only() {
    let house = House::open().await;
    let created = house.create(&welcome()).await.unwrap();
    let changes = house.changes_since(0).await;
    let source = Source {
        id: created.source_id,
        workspace_id: OURS,
        operation: "webhook.received".to_owned(),
        parameters: br#"{"dedupe":"trigger.id"}"#.as_slice().into(),
        deleted: false,
        revision: 1,
        connection_id: 0,
        mode: "webhook".to_owned(),
    };
    assert_eq!(changes, ChangesSinceResponse { revision: 1, sources: vec![source], automations: vec![] });
}

#[tokio::test]
async fn a_publish_gives_version_and_source_together() {
    let house = House::open().await;
    let created = house.create(&welcome()).await.unwrap();
    let before = house.changes_since(0).await.revision;
    house.publish(&created.id).await.unwrap();
    let changes = house.changes_since(before).await;
    let automation = PublishedAutomation {
        id: created.id,
        workspace_id: OURS,
        status: "active".to_owned(),
        version: 1,
        source_id: created.source_id.clone(),
        definition: created.definition,
        revision: changes.revision,
    };
    assert_eq!(changes.automations, [automation]);
    let sources: Vec<_> = changes.sources.iter().map(|source| (&source.id, source.revision)).collect();
    assert_eq!(sources, [(&created.source_id, changes.revision)]);
}

#[tokio::test]
async fn every_change_that_others_must_see_raises_the_revision() {
    let house = House::open().await;
    let id = house.published().await.id;
    let mut revision = house.changes_since(0).await.revision;
    house.pause(&id).await.unwrap();
    for (step, status) in ["paused", "active", "active", "deleted"].into_iter().enumerate() {
        let changes = house.changes_since(revision).await;
        assert!(changes.revision > revision, "{status}");
        assert_eq!(changes.automations.len(), 1, "{status}");
        assert_eq!(changes.automations[0].status, status);
        revision = changes.revision;
        assert_eq!(house.changes_since(revision).await, ChangesSinceResponse { revision, ..Default::default() });
        match step {
            0 => house.start(&id).await.map(drop).unwrap(),
            1 => house.publish(&id).await.map(drop).unwrap(),
            2 => house.delete(&id).await.unwrap(),
            _ => {}
        }
    }
}

#[tokio::test]
async fn what_others_need_not_see_raises_nothing() {
    let house = House::open().await;
    let id = house.published().await.id;
    let revision = house.changes_since(0).await.revision;
    house.update(&id, &welcome_with("/name", json!("Second"))).await.unwrap();
    house.start(&id).await.unwrap();
    house.update(&id, &welcome_with("/name", json!(""))).await.unwrap_err();
    assert_eq!(house.changes_since(revision).await, ChangesSinceResponse { revision, ..Default::default() });
}

#[tokio::test]
async fn a_restart_forgets_nothing() {
    let house = House::open().await;
    house.published().await;
    let deleted = house.published().await;
    house.delete(&deleted.id).await.unwrap();
    let before = house.changes_since(0).await;
    let house = house.restart().await;
    assert_eq!(house.changes_since(0).await, before);
    let revision = before.revision;
    assert_eq!(house.changes_since(revision).await, ChangesSinceResponse { revision, ..Default::default() });
    house.published().await;
    let changes = house.changes_since(revision).await;
    assert_eq!((changes.automations.len(), changes.sources.len()), (1, 1));
}

#[tokio::test]
async fn a_revision_from_the_future_gives_everything() {
    let house = House::open().await;
    house.published().await;
    assert_eq!(house.changes_since(1_000).await, house.changes_since(0).await);
}

#[tokio::test]
async fn concurrent_publishes_are_all_seen_in_order() {
    let house = std::sync::Arc::new(House::open().await);
    let mut ids = Vec::new();
    for _ in 0..8 {
        ids.push(house.create(&welcome()).await.unwrap().id);
    }
    let mut publishing = tokio::task::JoinSet::new();
    for id in ids.clone() {
        let house = std::sync::Arc::clone(&house);
        publishing.spawn(async move { house.publish(&id).await.unwrap() });
    }
    // Follow while they are published, from revision to revision.
    let mut seen = std::collections::BTreeMap::new();
    let mut revision = 0;
    while let Some(joined) = publishing.join_next().await {
        let published = joined.unwrap();
        let changes = house.changes_since(revision).await;
        seen.extend(changes.automations.into_iter().map(|automation| (automation.id, automation.version)));
        revision = changes.revision;
        assert_eq!(seen.get(&published.id), Some(&1));
    }
    assert_eq!(seen.into_keys().collect::<Vec<_>>(), ids);
}
