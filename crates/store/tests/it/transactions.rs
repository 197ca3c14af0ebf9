//! What is written together.

use patchbay_testing::{StoreKind, store_kind};

use crate::house::{FIRST, insert, open, things};

#[tokio::test]
async fn a_dropped_transaction_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open(&folder).await;
    engine.migrate("test", &[FIRST]).await.unwrap();
    let mut transaction = engine.begin().await.unwrap();
    patchbay_store::write!(transaction, connection =>
        sqlx::query("DELETE FROM things").execute(connection).await.map(drop))
    .unwrap();
    drop(transaction);
    assert_eq!(things(&engine).await.unwrap(), [1]);
}

#[tokio::test]
async fn a_committed_transaction_is_seen_by_others() {
    let folder = tempfile::tempdir().unwrap();
    let (engine, other) = (open(&folder).await, open(&folder).await);
    engine.migrate("test", &[FIRST]).await.unwrap();
    insert(&engine, 2, "two").await.unwrap();
    assert_eq!(things(&other).await.unwrap(), [1, 2]);
}

#[tokio::test]
async fn goes_on_after_the_database_took_a_transaction_back_by_itself() {
    if store_kind() != StoreKind::Sqlite {
        println!("skipped: it is about SQLite, which does so when the disk is full");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let engine = open(&folder).await;
    engine.migrate("test", &[FIRST]).await.unwrap();
    let mut transaction = engine.begin().await.unwrap();
    patchbay_store::write!(transaction, connection =>
        sqlx::raw_sql("ROLLBACK").execute(connection).await.map(drop))
    .unwrap();
    drop(transaction);
    insert(&engine, 2, "two").await.unwrap();
    assert_eq!(things(&engine).await.unwrap(), [1, 2]);
}
