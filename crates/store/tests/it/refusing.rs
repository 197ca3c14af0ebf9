//! What a database does not take, and what it means.

use std::time::Duration;

use patchbay_store::{Engine, Error, Options};
use patchbay_testing::{postgres_url, store_url};
use patchbay_types::fault::Code;

use crate::house::{FIRST, ask, insert, on_postgres, open};

#[tokio::test]
async fn refuses_an_address_of_no_engine() {
    for address in ["mysql://x", "postgres://host:port/name", ""] {
        let error = Engine::open(address, &Options::default()).await.unwrap_err();
        assert!(matches!(error, Error::Address), "{address}: {error}");
    }
}

#[tokio::test]
async fn a_key_is_taken_once() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open(&folder).await;
    engine.migrate("test", &[FIRST]).await.unwrap();
    let error = insert(&engine, 1, "again").await.unwrap_err();
    assert!(matches!(error, Error::Taken(_)), "{error}");
}

#[tokio::test]
async fn a_value_that_can_not_be_stored_is_told_from_a_database_that_is_down() {
    if !on_postgres() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let engine = open(&folder).await;
    engine.migrate("test", &[FIRST]).await.unwrap();
    let error = insert(&engine, 2, "a NUL: \0").await.unwrap_err();
    assert!(matches!(error, Error::Data(_)), "{}", error.chain());
    assert_eq!(error.fault().code, Code::InvalidArgument);
}

#[tokio::test]
async fn a_defect_of_ours_is_neither() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open(&folder).await;
    let error = insert(&engine, 1, "into no table").await.unwrap_err();
    assert!(matches!(error, Error::Other(_)), "{error}");
}

#[tokio::test]
async fn a_statement_that_takes_too_long_is_taken_back() {
    if !on_postgres() {
        return;
    }
    let options = Options { statement_timeout: Duration::from_millis(100), ..Options::default() };
    let engine = Engine::open(&postgres_url(), &options).await.unwrap();
    let error = ask(&engine, "SELECT pg_sleep(60)::TEXT").await.unwrap_err();
    assert!(matches!(error, Error::Unavailable(_)), "{}", error.chain());
}

#[tokio::test]
async fn a_migration_may_take_longer_than_a_statement() {
    if !on_postgres() {
        return;
    }
    let slow = patchbay_store::Migration { number: 1, name: "slow", sqlite: "", postgres: "SELECT pg_sleep(0.3)" };
    let options = Options { statement_timeout: Duration::from_millis(100), ..Options::default() };
    let engine = Engine::open(&postgres_url(), &options).await.unwrap();
    engine.migrate("test", &[slow]).await.unwrap();
}

#[tokio::test]
async fn a_transaction_that_stands_still_lets_go_of_its_rows() {
    if !on_postgres() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let options = Options { statement_timeout: Duration::from_millis(200), ..Options::default() };
    let frozen = Engine::open(&store_url(folder.path()), &options).await.unwrap();
    frozen.migrate("test", &[FIRST]).await.unwrap();
    let mut transaction = frozen.begin().await.unwrap();
    patchbay_store::write!(transaction, connection =>
        sqlx::query("SELECT id FROM things FOR UPDATE").execute(connection).await.map(drop))
    .unwrap();
    let other = open(&folder).await;
    let mut next = other.begin().await.unwrap();
    patchbay_store::write!(next, connection =>
        sqlx::query("SELECT id FROM things FOR UPDATE").execute(connection).await.map(drop))
    .unwrap();
    next.commit().await.unwrap();
    let error = transaction.commit().await.unwrap_err();
    assert!(matches!(error, Error::Unavailable(_)), "{}", error.chain());
}

#[tokio::test]
async fn says_who_it_is_and_stands_in_the_schema_of_its_address() {
    if !on_postgres() {
        return;
    }
    let url = postgres_url();
    let engine = Engine::open(&url, &Options::default()).await.unwrap();
    let schema = ask(&engine, "SELECT current_schema()::TEXT").await.unwrap();
    assert!(url.ends_with(&schema), "{schema}");
    assert_eq!(ask(&engine, "SHOW application_name").await.unwrap(), "patchbay");
    assert_eq!(ask(&engine, "SHOW statement_timeout").await.unwrap(), "20s");
}

#[tokio::test]
async fn the_options_of_an_address_have_their_way() {
    if !on_postgres() {
        return;
    }
    let url = format!("{}%20-c%20statement_timeout%3D7s&application_name=mine", postgres_url());
    let engine = Engine::open(&url, &Options::default()).await.unwrap();
    assert_eq!(ask(&engine, "SHOW application_name").await.unwrap(), "mine");
    assert_eq!(ask(&engine, "SHOW statement_timeout").await.unwrap(), "7s");
}

#[tokio::test]
async fn a_database_that_is_not_there_is_refused_with_what_to_do() {
    if !on_postgres() {
        return;
    }
    let url = postgres_url();
    let (server, _) = url.rsplit_once("/").unwrap();
    let error = Engine::open(&format!("{server}/nowhere"), &Options::default()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "database refuses access: database \"nowhere\" does not exist\n\
         hint: make the database with `createdb`, then run `patchbay migrate`; or see `store.url`"
    );
    assert_eq!(error.fault().code, Code::Internal);
}
