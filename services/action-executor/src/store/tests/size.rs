//! A million waiting runs. Slow: `cargo test -p patchbay-action-executor --lib -- --ignored` with
//! `PATCHBAY_TEST_STORE=postgres`.

use std::time::Duration;

use patchbay_proto::executor::v1::ListRunsRequest;
use patchbay_runtime::Clock;
use patchbay_store::Engine;
use patchbay_types::{ConnectionId, IncarnationId, WorkspaceId};

use sqlx::PgPool;

use super::{Changes, Desk, end, now, opening};

/// Seven owners hold one run of twenty; two wait for a time, which came for 200; the rest waits behind 170 connections.
/// One of 10,000 is of another workspace.
const FILL: &str = "
    INSERT INTO executor_runs (
        id, workspace_id, automation_id, version, event_id, phase, epoch, owner, step, in_doubt, attempts, generation,
        takeovers, attempt, started_at, due_at, behind, reason, connections, input, steps
    )
    SELECT
        decode('0199' || lpad(to_hex(n), 28, '0'), 'hex'), CASE WHEN n % 10000 = 7 THEN 8 ELSE 7 END,
        decode(md5((n % 20)::TEXT), 'hex'), 1, 'event-' || n,
        CASE n % 20 WHEN 0 THEN 'running' WHEN 1 THEN 'waiting' WHEN 2 THEN 'waiting' ELSE 'behind' END, 1,
        CASE WHEN n % 20 = 0 THEN decode(lpad(to_hex(1 + n % 7), 32, '0'), 'hex') END, 0, 0, 1, 0, 0, 1, n,
        CASE WHEN n % 20 IN (1, 2) THEN n + CASE WHEN n <= 2000 THEN 0 ELSE 4102444800000000 END END, CASE WHEN n % 20 > 2 THEN n % 200 END, NULL, ',5,', '\\x00', ''
    FROM generate_series(1, 1000000) AS n";

/// Far longer than anything here takes when it is bounded, on a machine that others use too. What is read is counted below.
const SOON: Duration = Duration::from_secs(2);

async fn soon<T>(what: &str, work: impl Future<Output = T>) -> T {
    let begun = now();
    let done = work.await;
    let took = now().since(begun);
    assert!(took < SOON, "{what} took {took:?}");
    done
}

/// Rows and entries of indexes of open runs that were read so far. Connections tell of them when they are idle.
async fn rows_read(pool: &PgPool) -> i64 {
    let text = "SELECT (SELECT seq_tup_read FROM pg_stat_user_tables WHERE relid = 'executor_runs'::REGCLASS)::BIGINT,
        (SELECT sum(idx_tup_read) FROM pg_stat_user_indexes WHERE relid = 'executor_runs'::REGCLASS)::BIGINT";
    let told = "statistics to be told";
    let (scanned, by_index) = patchbay_testing::wait_for(told, Duration::from_secs(60), || async {
        let read: (i64, i64) = sqlx::query_as(text).fetch_one(pool).await.unwrap();
        // The search for one event reads most of it.
        (read.1 > 900_000).then_some(read)
    })
    .await;
    scanned + by_index
}

#[tokio::test]
#[ignore = "it takes half a minute"]
async fn nothing_takes_longer_behind_a_million_runs_that_wait() {
    let desk = Desk::new().await;
    let Engine::Postgres(postgres) = &desk.store.engine else { return };
    let store = &desk.store;
    let owner = desk.begin().await;
    // Everything is planned while the tables are empty, and must hold nevertheless.
    let row = opening(Some(owner));
    desk.open(std::slice::from_ref(&row)).await;
    desk.write(&Changes { ends: vec![&end(&row, 1)], ..Changes::default() }).await;
    store.is_due(now()).await.unwrap();
    store.count_behind().await.unwrap();
    store.take_due(owner, now(), 128).await.unwrap();
    store.take_over(owner, 128).await.unwrap();
    store.take_behind(owner, ConnectionId::new(5), 128).await.unwrap();
    sqlx::query(FILL).execute(&postgres.pool).await.unwrap();
    for living in 1..=5_u8 {
        let id = IncarnationId::from_slice(&[&[0; 15][..], &[living]].concat()).unwrap();
        store.begin_incarnation(id, super::LEASE, now()).await.unwrap();
    }

    assert!(soon("is due", store.is_due(now())).await.unwrap());
    assert_eq!(soon("lines", store.count_behind()).await.unwrap().len(), 170);
    soon("a line", store.count_line(ConnectionId::new(55))).await.unwrap();
    soon("open runs", store.open_runs()).await.unwrap();
    for due in [128, 72, 0] {
        assert_eq!(soon("take due", store.take_due(owner, now(), 128)).await.unwrap().len(), due);
    }
    assert!(!soon("is nothing due", store.is_due(now())).await.unwrap());
    assert_eq!(soon("take over", store.take_over(owner, 128)).await.unwrap().len(), 128);
    assert_eq!(soon("take behind", store.take_behind(owner, ConnectionId::new(55), 128)).await.unwrap().len(), 128);
    let rows: Vec<_> = (0..200).map(|_| opening(Some(owner))).collect();
    assert_eq!(soon("open", desk.open(&rows)).await.opened.len(), 200);
    let ends: Vec<_> = rows.iter().map(|row| end(row, 1)).collect();
    let ending = Changes { ends: ends.iter().collect(), ..Changes::default() };
    assert!(soon("end", desk.write(&ending)).await.lost.is_empty());
    soon("sweep", store.sweep_seen(3, now())).await.unwrap();

    let people = crate::desk::Desk::new(store.clone(), Clock::system());
    let all = ListRunsRequest { workspace_id: 7, ..ListRunsRequest::default() };
    let of = |status: &str| ListRunsRequest { status: status.to_owned(), ..all.clone() };
    soon("list", people.rows(&all)).await.unwrap();
    let of_other = ListRunsRequest { workspace_id: 8, ..all.clone() };
    assert_eq!(soon("list of another workspace", people.rows(&of_other)).await.unwrap().0.len(), 50);
    for status in ["waiting", "running", "failed"] {
        assert_eq!(soon(status, people.rows(&of(status))).await.unwrap().0.len(), 50);
    }
    soon("cancelled", people.rows(&of("cancelled"))).await.unwrap();
    // Those that no index leads to are looked for in a part of the runs: the page ends early and says where it ended.
    let rare = ListRunsRequest { event_id: "event-5".to_owned(), ..all.clone() };
    let begun = now();
    let (found, next) = people.rows(&rare).await.unwrap();
    assert!(found.is_empty() && !next.is_empty() && now().since(begun) < Duration::from_secs(2));
    let (mut pages, mut before) = (1, next);
    let found = loop {
        let (found, next) = people.rows(&ListRunsRequest { before_id: before.clone(), ..rare.clone() }).await.unwrap();
        pages += 1;
        if !found.is_empty() {
            break found;
        }
        before = next;
    };
    assert_eq!((found.len(), pages), (1, 5));
    assert!(rows_read(&postgres.pool).await < 2_000_000, "the event is looked for in all, nothing else is");
    let one = soon("one run", store.show_run(WorkspaceId::new(7), rows[0].identity.id)).await.unwrap();
    assert_eq!(one.map(|row| row.status), Some("failed".to_owned()));
}

/// Runs that come and go do not make the tables grow.
#[tokio::test]
#[ignore = "it takes half a minute"]
async fn tables_stay_small_while_runs_come_and_go() {
    let desk = Desk::new().await;
    let Engine::Postgres(postgres) = &desk.store.engine else { return };
    let owner = desk.begin().await;
    for _ in 0..1_000 {
        let rows: Vec<_> = (0..100).map(|_| opening(Some(owner))).collect();
        desk.open(&rows).await;
        let ends: Vec<_> = rows.iter().map(|row| super::EndRow { dead: None, ..end(row, 1) }).collect();
        let written = desk.write(&Changes { ends: ends.iter().collect(), ..Changes::default() }).await;
        desk.write(&Changes { told: vec![written.finished.unwrap().0], ..Changes::default() }).await;
    }
    // As autovacuum does within its minute; it is also what frees the place.
    sqlx::query("VACUUM executor_runs").execute(&postgres.pool).await.unwrap();
    sqlx::query("VACUUM executor_finished").execute(&postgres.pool).await.unwrap();
    for (table, most) in [("executor_runs", 80), ("executor_finished", 16), ("executor_seen", 40)] {
        let text = "SELECT pg_total_relation_size($1::REGCLASS) / 1048576";
        let size: i64 = sqlx::query_scalar(text).bind(table).fetch_one(&postgres.pool).await.unwrap();
        assert!(size < most, "{table} has {size} MiB");
    }
}
