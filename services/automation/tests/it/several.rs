//! Several processes over one database, and peers that start later.

use std::{future::Future, pin::pin, sync::Arc, time::Duration};

use patchbay_store::{Transaction, write};
use patchbay_testing::wait_for;
use patchbay_types::fault::Code;
use serde_json::json;
use tokio::task::JoinSet;

use crate::house::{House, PATIENCE, welcome, welcome_with};

/// Long enough for a call that nothing holds back.
const A_MOMENT: Duration = Duration::from_millis(300);

/// Begins a change of another process, up to its revision.
async fn raise(house: &House) -> (Transaction, i64) {
    const RAISE: &str = "UPDATE automation_revision SET revision = revision + 1 WHERE id = 1 RETURNING revision";
    let mut change = house.ground.engine.begin().await.unwrap();
    let raised = write!(change, connection => sqlx::query_scalar::<_, i64>(RAISE).fetch_one(connection).await).unwrap();
    (change, raised)
}

async fn execute(change: &mut Transaction, statement: &'static str) {
    write!(*change, connection => sqlx::query(statement).execute(connection).await.map(drop)).unwrap();
}

/// Whether it waits for something.
async fn waits<F: Future>(call: &mut std::pin::Pin<&mut F>) -> bool {
    tokio::time::timeout(A_MOMENT, call).await.is_err()
}

#[tokio::test]
async fn a_lower_revision_is_never_seen_after_a_higher_one() {
    let house = House::open().await;
    let first = house.published().await;
    let second = house.published().await;
    let before = house.changes_since(0).await.revision;
    let (mut slow, lower) = raise(&house).await;
    execute(
        &mut slow,
        "UPDATE automation_automations
        SET status = 'paused', revision = (SELECT revision FROM automation_revision)
        WHERE id = (SELECT id FROM automation_automations ORDER BY id LIMIT 1)",
    )
    .await;
    assert_eq!(house.changes_since(before).await.revision, before);
    let mut later = pin!(house.pause(&second.id));
    assert!(waits(&mut later).await, "a higher revision was committed first");
    slow.commit().await.unwrap();
    later.await.unwrap();
    let changes = house.changes_since(before).await;
    let seen: Vec<_> = changes.automations.iter().map(|changed| (&changed.id, changed.revision)).collect();
    assert_eq!(seen, [(&first.id, lower), (&second.id, lower + 1)]);
    assert_eq!(changes.revision, lower + 1);
}

#[tokio::test]
async fn a_draft_is_not_saved_into_an_automation_that_is_being_deleted() {
    let house = House::open().await;
    let id = house.published().await.id;
    let (mut deletion, _) = raise(&house).await;
    execute(&mut deletion, "UPDATE automation_automations SET deleted = 1").await;
    let draft = welcome_with("/name", json!("Second"));
    let mut update = pin!(house.update(&id, &draft));
    assert!(waits(&mut update).await);
    deletion.commit().await.unwrap();
    assert_eq!(update.await.unwrap_err().code, Code::NotFound);
}

#[tokio::test]
async fn two_processes_publish_one_automation_in_turn() {
    let house = Arc::new(House::open().await);
    let other = Arc::new(house.another().await);
    let id = house.create(&welcome()).await.unwrap().id;
    let mut publishing = JoinSet::new();
    for house in [&house, &other, &house, &other] {
        let (house, id) = (Arc::clone(house), id.clone());
        publishing.spawn(async move { house.publish(&id).await.unwrap().version });
    }
    let mut versions = publishing.join_all().await;
    versions.sort_unstable();
    assert_eq!(versions, [1, 2, 3, 4]);
    assert_eq!(other.changes_since(0).await, house.changes_since(0).await);
}

#[tokio::test]
async fn many_changes_are_given_page_by_page() {
    let house = House::open().await;
    let text = "x".repeat(240 * 1024);
    for _ in 0..20 {
        let created = house.create(&welcome_with("/steps/0/input/email", json!(text))).await.unwrap();
        house.publish(&created.id).await.unwrap();
    }
    let draft = house.create(&welcome()).await.unwrap();
    let (mut revision, mut automations, mut sources, mut pages) = (0, Vec::new(), Vec::new(), 0);
    loop {
        let changes = house.changes_since(revision).await;
        if changes.revision == revision {
            break;
        }
        revision = changes.revision;
        pages += 1;
        automations.extend(changes.automations.into_iter().map(|automation| automation.id));
        sources.extend(changes.sources.into_iter().map(|source| source.id));
    }
    automations.dedup();
    assert_eq!((pages, automations.len(), sources.len()), (2, 20, 21));
    assert_eq!(sources.last(), Some(&draft.source_id));
}

#[tokio::test]
async fn the_connection_service_may_start_later() {
    let house = House::open_without_connections().await;
    let refused = house.create(&welcome()).await.unwrap_err();
    assert_eq!(refused.code, Code::Unavailable);
    assert!(refused.message.contains("hook keys can't be had from the connection service"), "{refused:?}");
    assert!(house.checks[0].holds().unwrap_err().contains("hook keys can't be had"));
    // Who follows needs no key.
    house.changes_since(0).await;
    house.connections_are_up();
    house.create(&welcome()).await.unwrap();
    assert_eq!(house.checks[0].holds(), Ok(()));
}

#[tokio::test]
async fn the_key_is_fetched_before_anybody_asks() {
    let house = House::open_without_connections().await;
    house.connections_are_up();
    wait_for("the hook key", PATIENCE, async || house.checks[0].holds().ok()).await;
}
