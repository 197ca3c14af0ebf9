//! Several processes over one database.

use std::{future::Future, pin::pin, time::Duration};

use patchbay_proto::connection::internal::v1::{ChangesSinceRequest, ChangesSinceResponse, HookKeysRequest};
use patchbay_store::{Transaction, write};
use patchbay_types::fault::Code;
use patchbay_vault::MasterKey;
use serde_json::json;
use tokio::task::JoinSet;

use crate::house::{House, TOKEN, answered, ring};

/// Long enough for a call that nothing holds back.
const A_MOMENT: Duration = Duration::from_millis(300);

/// Begins a change of another process, up to its revision.
async fn raise(house: &House) -> (Transaction, i64) {
    const RAISE: &str = "UPDATE connection_revision SET revision = revision + 1 WHERE id = 1 RETURNING revision";
    let mut change = house.ground.engine.begin().await.unwrap();
    let raised = write!(change, connection => sqlx::query_scalar::<_, i64>(RAISE).fetch_one(connection).await).unwrap();
    (change, raised)
}

async fn changes_since(house: &House, revision: i64) -> ChangesSinceResponse {
    answered(house.internal.clone().changes_since(ChangesSinceRequest { revision }).await).unwrap()
}

/// Whether it waits for something.
async fn waits<F: Future>(call: &mut std::pin::Pin<&mut F>) -> bool {
    tokio::time::timeout(A_MOMENT, call).await.is_err()
}

async fn hook_keys(house: &House) -> Vec<(u32, Vec<u8>)> {
    let answer = answered(house.internal.clone().hook_keys(HookKeysRequest {}).await).unwrap();
    answer.keys.into_iter().map(|key| (key.generation, key.key.to_vec())).collect()
}

#[tokio::test]
async fn processes_that_start_at_once_have_one_hook_key() {
    let folder = tempfile::tempdir().unwrap();
    let ground = patchbay_testing::ground(folder.path()).await;
    let key = MasterKey::generate("first").unwrap();
    let mut starting = JoinSet::new();
    for _ in 0..4 {
        let (ground, ring) = (ground.clone(), ring(&[&key]));
        starting.spawn(async move { House::start_on(ground, ring).await.unwrap() });
    }
    let houses = starting.join_all().await;
    let keys = hook_keys(&houses[0]).await;
    assert_eq!(keys.len(), 1);
    for house in &houses {
        assert_eq!(hook_keys(house).await, keys);
    }
}

#[tokio::test]
async fn a_lower_revision_is_never_seen_after_a_higher_one() {
    let mut house = House::start().await;
    let first = house.create(1, &json!({"token": TOKEN})).await.unwrap().id;
    let (mut slow, lower) = raise(&house).await;
    let statement = "UPDATE connection_connections SET status = 'disconnected', revision = 2";
    write!(slow, connection => sqlx::query(statement).execute(connection).await.map(drop)).unwrap();
    assert_eq!(changes_since(&house, 1).await, ChangesSinceResponse { revision: 1, connections: Vec::new() });
    let fields = json!({"token": TOKEN});
    let internal = house.internal.clone();
    let mut later = pin!(house.create(1, &fields));
    assert!(waits(&mut later).await, "a higher revision was committed first");
    slow.commit().await.unwrap();
    let second = later.await.unwrap().id;
    let changes = answered(internal.clone().changes_since(ChangesSinceRequest { revision: 1 }).await).unwrap();
    let seen: Vec<_> = changes.connections.iter().map(|changed| (changed.id, changed.revision)).collect();
    assert_eq!((lower, seen), (2, vec![(first, 2), (second, 3)]));
}

#[tokio::test]
async fn a_change_waits_for_another_of_the_same_connection() {
    let mut house = House::start().await;
    let id = house.create(1, &json!({"token": TOKEN, "size": 1})).await.unwrap().id;
    let (mut deletion, _) = raise(&house).await;
    let statement = "UPDATE connection_connections SET status = 'deleted', revision = 2";
    write!(deletion, connection => sqlx::query(statement).execute(connection).await.map(drop)).unwrap();
    let fields = json!({"size": 2});
    let mut update = pin!(house.update(1, id, &fields));
    assert!(waits(&mut update).await);
    deletion.commit().await.unwrap();
    assert_eq!(update.await.unwrap_err().code, Code::NotFound);
}

#[tokio::test]
async fn processes_with_different_keys_under_one_id_do_not_mix_them() {
    let old = MasterKey::generate("old").unwrap();
    let (one, other) = (MasterKey::generate("new").unwrap(), MasterKey::generate("new").unwrap());
    let house = House::start_in(tempfile::tempdir().unwrap(), ring(&[&old])).await;
    let mut first = house.another(ring(&[&one, &old])).await.unwrap();
    let mut second = house.another(ring(&[&other, &old])).await.unwrap();
    let id = first.create(1, &json!({"token": TOKEN})).await.unwrap().id;
    let refused = second.create(1, &json!({"token": TOKEN})).await.unwrap_err();
    assert_eq!(refused.code, Code::Unavailable);
    assert_eq!(second.list(1).await.len(), 1);
    first.issue(id).await.unwrap();
}
