//! The engines themselves.
#![expect(clippy::unwrap_used, reason = "tests say by panic what went wrong")]

use patchbay_store::{Engine, Error, Migration, Options};

const FIRST: Migration = Migration {
    number: 1,
    name: "things",
    sqlite: "CREATE TABLE things (id INTEGER PRIMARY KEY); INSERT INTO things (id) VALUES (1);",
    postgres: "CREATE TABLE things (id BIGINT PRIMARY KEY); INSERT INTO things (id) VALUES (1);",
};
const BROKEN: Migration =
    Migration { number: 2, name: "broken", sqlite: "CREATE TABLE more (id INTEGER); NONSENSE;", postgres: "NONSENSE" };

async fn open(folder: &tempfile::TempDir) -> Engine {
    let url = format!("sqlite://{}", folder.path().join("test.db").display());
    Engine::open(&url, &Options::default()).await.unwrap()
}

async fn tables(engine: &Engine) -> Vec<String> {
    patchbay_store::read!(engine, pool => {
        sqlx::query_scalar::<_, String>("SELECT service FROM patchbay_migrations").fetch_all(pool).await.unwrap()
    })
}

#[tokio::test]
async fn migrates_once() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open(&folder).await;
    engine.migrate("test", &[FIRST]).await.unwrap();
    engine.migrate("test", &[FIRST]).await.unwrap();
    assert_eq!(tables(&engine).await, ["test"]);
}

#[tokio::test]
async fn a_broken_migration_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open(&folder).await;
    engine.migrate("test", &[FIRST]).await.unwrap();
    engine.migrate("test", &[FIRST, BROKEN]).await.unwrap_err();
    assert_eq!(tables(&engine).await, ["test"]);
}

#[tokio::test]
async fn refuses_tables_of_a_newer_version() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open(&folder).await;
    engine.migrate("test", &[FIRST]).await.unwrap();
    let error = engine.migrate("test", &[]).await.unwrap_err();
    assert!(matches!(error, Error::Schema { service: "test", .. }), "{error}");
}

#[tokio::test]
async fn refuses_an_address_of_no_engine() {
    let error = Engine::open("mysql://x", &Options::default()).await.unwrap_err();
    assert!(matches!(error, Error::Address));
}

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
    let count: i64 = patchbay_store::read!(&engine, pool => {
        sqlx::query_scalar("SELECT count(*) FROM things").fetch_one(pool).await.unwrap()
    });
    assert_eq!(count, 1);
}

#[tokio::test]
async fn goes_on_after_the_database_took_a_transaction_back_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open(&folder).await;
    engine.migrate("test", &[FIRST]).await.unwrap();
    let mut transaction = engine.begin().await.unwrap();
    // As SQLite does when the disk is full.
    patchbay_store::write!(transaction, connection =>
        sqlx::raw_sql("ROLLBACK").execute(connection).await.map(drop))
    .unwrap();
    drop(transaction);
    let mut transaction = engine.begin().await.unwrap();
    patchbay_store::write!(transaction, connection =>
        sqlx::query("INSERT INTO things (id) VALUES (2)").execute(connection).await.map(drop))
    .unwrap();
    transaction.commit().await.unwrap();
}
