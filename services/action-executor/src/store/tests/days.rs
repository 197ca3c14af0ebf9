//! The days of the history on PostgreSQL.

use std::time::Duration;

use patchbay_store::Engine;
use patchbay_types::Timestamp;
use sqlx::PgPool;

use super::{Changes, Desk, end, engine, now, opening};
use crate::store::{MIGRATIONS, Store};

const DAY: Duration = Duration::from_secs(86_400);

fn pool(store: &Store) -> Option<PgPool> {
    match &store.engine {
        Engine::Postgres(postgres) => Some(postgres.pool.clone()),
        Engine::Sqlite(_) => None,
    }
}

async fn days(pool: &PgPool) -> Vec<String> {
    let text = "SELECT relname::TEXT FROM pg_class JOIN pg_inherits ON inhrelid = oid
        WHERE inhparent = 'executor_history'::REGCLASS ORDER BY relname";
    sqlx::query_scalar(text).fetch_all(pool).await.unwrap()
}

/// Ends a run at this time.
async fn end_at(desk: &Desk, at: Timestamp) {
    let owner = desk.begin().await;
    let row = opening(Some(owner));
    desk.open(std::slice::from_ref(&row)).await;
    let mut end = end(&row, 1);
    end.finished_at = at;
    let written = desk.write(&Changes { ends: vec![&end], ..Changes::default() }).await;
    assert!(written.lost.is_empty());
}

#[tokio::test]
async fn a_week_is_made_ahead_and_a_day_that_is_missing_when_it_is_needed() {
    let desk = Desk::new().await;
    let Some(pool) = pool(&desk.store) else { return };
    let ahead = days(&pool).await;
    assert_eq!(ahead.len(), 9, "{ahead:?}");
    end_at(&desk, now().after(DAY * 400)).await;
    end_at(&desk, now().before(DAY * 100)).await;
    end_at(&desk, now().after(DAY * 400)).await;
    assert_eq!(days(&pool).await.len(), 11);
    assert_eq!(desk.count("executor_history").await, 3);
    let row = opening(None);
    desk.open(std::slice::from_ref(&row)).await;
    assert!(desk.store.cancel(super::WORKSPACE, row.identity.id, now().after(DAY * 30)).await.unwrap().is_some());
    assert_eq!(days(&pool).await.len(), 12);
}

#[tokio::test]
async fn several_processes_make_the_same_days() {
    let desk = Desk::new().await;
    let Some(pool) = pool(&desk.store) else { return };
    let others = [desk.beside().await, desk.beside().await, desk.beside().await];
    let times = |first: u32| (first..first + 6).map(|day| now().after(DAY * (20 + day)));
    let (one, two, three) =
        tokio::join!(others[0].make_days(times(0)), others[1].make_days(times(2)), others[2].make_days(times(1)));
    one.and(two).and(three).unwrap();
    assert_eq!(days(&pool).await.len(), 9 + 8);
}

#[tokio::test]
async fn old_days_are_dropped_whole_and_the_others_stay() {
    let desk = Desk::new().await;
    let Some(pool) = pool(&desk.store) else { return };
    for age in [3, 40, 41, 90] {
        end_at(&desk, now().before(DAY * age)).await;
    }
    let beside = desk.beside().await;
    let before = now().before(DAY * 30);
    let (one, other) = tokio::join!(desk.store.sweep_history(before, 1), beside.sweep_history(before, 1));
    let dropped = one.unwrap() + other.unwrap();
    assert_eq!(dropped, 3);
    assert_eq!((desk.count("executor_history").await, days(&pool).await.len()), (1, 10));
    assert_eq!(desk.store.sweep_history(before, 1).await.unwrap(), 0);
}

#[tokio::test]
async fn who_reads_old_days_keeps_nobody_waiting_and_what_is_half_dropped_is_dropped_later() {
    let desk = Desk::new().await;
    let Some(pool) = pool(&desk.store) else { return };
    end_at(&desk, now().before(DAY * 40)).await;
    end_at(&desk, now().before(DAY * 41)).await;
    let mut reader = pool.begin().await.unwrap();
    let read = "SELECT count(*) FROM executor_history";
    sqlx::query_scalar::<_, i64>(read).fetch_one(&mut *reader).await.unwrap();
    let store = desk.store.clone();
    let mut sweeping = tokio::task::JoinSet::new();
    sweeping.spawn(async move { store.sweep_history(now().before(DAY * 30), 1).await });
    let mut swept = None;
    while swept.is_none() {
        let begun = now();
        end_at(&desk, now()).await;
        assert!(!desk.store.list_runs(super::WORKSPACE, &list()).await.unwrap().is_empty());
        assert!(now().since(begun) < Duration::from_millis(400), "somebody waits: {:?}", now().since(begun));
        // Only who needs a new day waits, until the sweep gives up.
        end_at(&desk, now().after(DAY * 20)).await;
        assert!(now().since(begun) < Duration::from_secs(2), "waits for long: {:?}", now().since(begun));
        swept = sweeping.try_join_next();
    }
    assert!(swept.unwrap().unwrap().is_err(), "it gives up soon");
    let text = "SELECT count(*) FROM pg_inherits
        WHERE inhdetachpending AND inhparent = 'executor_history'::REGCLASS";
    let pending: i64 = sqlx::query_scalar(text).fetch_one(&pool).await.unwrap();
    assert_eq!(pending, 1);
    reader.commit().await.unwrap();
    // A run that ends on the very day that is half taken off finds a new one.
    end_at(&desk, now().before(DAY * 41)).await;
    end_at(&desk, now().before(DAY * 40)).await;
    assert!(desk.store.sweep_history(now().before(DAY * 30), 1).await.unwrap() > 0);
    assert_eq!(desk.store.sweep_history(now().before(DAY * 30), 1).await.unwrap(), 0);
    assert_eq!(days(&pool).await.len(), 10);
}

fn list() -> crate::rows::RunFilter {
    crate::rows::RunFilter { limit: 10, ..crate::rows::RunFilter::default() }
}

#[tokio::test]
async fn what_was_in_the_partition_for_the_rest_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let engine = engine(folder.path()).await;
    let Engine::Postgres(postgres) = &engine else { return };
    engine.migrate("action-executor", &MIGRATIONS[..2]).await.unwrap();
    let text = "INSERT INTO executor_history
        SELECT decode(md5(n::TEXT), 'hex'), 7, '\\x00', 1, 'e', 'failed', 1, 0, 0, 0, 1, 0, n * 43200000000, ',', '', ''
        FROM generate_series(40000, 40009) AS n";
    sqlx::query(text).execute(&postgres.pool).await.unwrap();
    let store = Store::open(engine.clone()).await.unwrap();
    assert_eq!(days(&pool(&store).unwrap()).await.len(), 9 + 5);
    let kept: i64 =
        sqlx::query_scalar("SELECT count(*) FROM executor_history").fetch_one(&postgres.pool).await.unwrap();
    assert_eq!(kept, 10);
    Store::open(engine.clone()).await.unwrap();
}
