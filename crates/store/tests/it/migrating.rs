//! Tables are brought up to date once, or looked at.

use futures_util::future::join_all;
use patchbay_store::{Applied, Engine, Error, Migration};

use crate::house::{FIRST, SECOND, open, open_to_check, things};

const BROKEN: Migration =
    Migration { number: 2, name: "broken", sqlite: "CREATE TABLE more (id INTEGER); NONSENSE;", postgres: "NONSENSE" };

async fn numbers(engine: &Engine) -> Vec<i64> {
    engine.applied().await.unwrap().into_iter().map(|applied| applied.number).collect()
}

/// Why the tables do not fit.
fn reason(error: Error) -> String {
    match error {
        Error::Schema { service: "test", reason } => reason,
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn migrates_once() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open(&folder).await;
    engine.migrate("test", &[FIRST]).await.unwrap();
    engine.migrate("test", &[FIRST]).await.unwrap();
    let expected = Applied { service: "test".to_owned(), number: 1, name: "things".to_owned() };
    assert_eq!(engine.applied().await.unwrap(), [expected]);
}

#[tokio::test]
async fn a_database_that_is_opened_again_has_its_tables() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open(&folder).await;
    engine.migrate("test", &[FIRST]).await.unwrap();
    engine.close().await;
    assert_eq!(things(&open(&folder).await).await.unwrap(), [1]);
}

#[tokio::test]
async fn a_broken_migration_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open(&folder).await;
    engine.migrate("test", &[FIRST]).await.unwrap();
    engine.migrate("test", &[FIRST, BROKEN]).await.unwrap_err();
    assert_eq!(numbers(&engine).await, [1]);
}

#[tokio::test]
async fn refuses_tables_of_a_newer_version() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open(&folder).await;
    engine.migrate("test", &[FIRST]).await.unwrap();
    let error = engine.migrate("test", &[]).await.unwrap_err();
    assert_eq!(reason(error), "it has step 1, made by a newer version; start that version, or restore a backup");
}

#[tokio::test]
async fn many_migrate_at_the_same_time_and_each_step_is_taken_once() {
    let folder = tempfile::tempdir().unwrap();
    let engines = [open(&folder).await, open(&folder).await, open(&folder).await];
    let migrated = join_all(engines.iter().map(|engine| engine.migrate("test", &[FIRST, SECOND]))).await;
    assert!(migrated.iter().all(Result::is_ok), "{migrated:?}");
    assert_eq!(things(&engines[0]).await.unwrap(), [1, 2]);
}

#[tokio::test]
async fn looks_at_tables_that_were_never_made() {
    let folder = tempfile::tempdir().unwrap();
    open(&folder).await.close().await;
    let engine = open_to_check(&folder).await;
    let error = engine.migrate("test", &[FIRST]).await.unwrap_err();
    assert_eq!(reason(error), "step 1 (things) is not applied; run `patchbay migrate` first");
    assert_eq!(engine.applied().await.unwrap(), []);
}

#[tokio::test]
async fn looks_at_tables_that_are_older() {
    let folder = tempfile::tempdir().unwrap();
    open(&folder).await.migrate("test", &[FIRST]).await.unwrap();
    let engine = open_to_check(&folder).await;
    let error = engine.migrate("test", &[FIRST, SECOND]).await.unwrap_err();
    assert_eq!(reason(error), "step 2 (more things) is not applied; run `patchbay migrate` first");
    assert_eq!(things(&engine).await.unwrap(), [1]);
}

#[tokio::test]
async fn looks_at_tables_that_are_newer() {
    let folder = tempfile::tempdir().unwrap();
    open(&folder).await.migrate("test", &[FIRST, SECOND]).await.unwrap();
    let error = open_to_check(&folder).await.migrate("test", &[FIRST]).await.unwrap_err();
    assert_eq!(reason(error), "it has step 2, made by a newer version; start that version, or restore a backup");
}

#[tokio::test]
async fn looks_at_tables_that_are_up_to_date() {
    let folder = tempfile::tempdir().unwrap();
    open(&folder).await.migrate("test", &[FIRST]).await.unwrap();
    open_to_check(&folder).await.migrate("test", &[FIRST]).await.unwrap();
}
