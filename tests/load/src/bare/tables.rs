//! The two durable writes of an event: claimed, and done.

mod postgres;
mod sqlite;

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use patchbay_store::Migration;
use tokio::sync::{Mutex, mpsc};
use tokio::time::{Instant, timeout_at};

use self::postgres::Postgres;
use self::sqlite::Sqlite;
use super::BATCH;
use super::calls::{Event, Outcome};
use crate::options::Bare;

/// How long a batch of outcomes that is not full waits for more.
const BATCH_PATIENCE: Duration = Duration::from_millis(2);
/// Transactions of a kind at once on PostgreSQL: while one waits for the disk, the other is prepared.
const LANES: usize = 2;

/// The key of `seen` is the event's id, as it came with the event. SQLite keeps its key in `open` and `history` alone.
const MIGRATION: Migration = Migration {
    number: 1,
    name: "tables",
    sqlite: "
        CREATE TABLE open (id INTEGER PRIMARY KEY, payload BLOB NOT NULL);
        CREATE TABLE history (
            id INTEGER PRIMARY KEY, payload BLOB NOT NULL, answer BLOB NOT NULL, finished_at INTEGER NOT NULL
        );",
    postgres: "
        CREATE TABLE seen (key BYTEA PRIMARY KEY);
        CREATE TABLE open (id BIGINT PRIMARY KEY, payload BYTEA NOT NULL);
        CREATE TABLE history (
            id BIGINT PRIMARY KEY, payload BYTEA NOT NULL, answer BYTEA NOT NULL, finished_at BIGINT NOT NULL
        );",
};

/// The database of the bare pipeline.
pub(super) enum Tables {
    Postgres(Postgres),
    Sqlite(Sqlite),
}

impl Tables {
    pub(super) async fn open(options: &Bare) -> Result<Self> {
        match &options.store {
            Some(url) => Ok(Self::Postgres(Postgres::open(url, LANES).await?)),
            None => Ok(Self::Sqlite(Sqlite::open(&options.data_dir).await?)),
        }
    }

    /// How many claims, and how many settlements, are worth having under way at once.
    pub(super) const fn lanes(&self) -> usize {
        match self {
            Self::Postgres(_) => LANES,
            Self::Sqlite(_) => 1,
        }
    }

    /// Writes all events in one transaction.
    pub(super) async fn claim(&self, events: &[Event]) -> Result<()> {
        match self {
            Self::Postgres(postgres) => postgres.claim(events).await,
            Self::Sqlite(sqlite) => sqlite.claim(events).await,
        }
    }

    async fn finish(&self, outcomes: &[Outcome]) -> Result<()> {
        match self {
            Self::Postgres(postgres) => postgres.finish(outcomes).await,
            Self::Sqlite(sqlite) => sqlite.finish(outcomes).await,
        }
    }
}

/// Writes outcomes in batches, as one of several that take turns at collecting.
pub(super) async fn settle(tables: Arc<Tables>, outcomes: Arc<Mutex<mpsc::Receiver<Outcome>>>) -> Result<()> {
    let mut batch = Vec::with_capacity(BATCH);
    while collect(&mut *outcomes.lock().await, &mut batch).await {
        tables.finish(&batch).await?;
        batch.clear();
    }
    Ok(())
}

/// Fills a batch until it is full or its first outcome has waited long enough. Says whether there are any.
async fn collect(outcomes: &mut mpsc::Receiver<Outcome>, batch: &mut Vec<Outcome>) -> bool {
    if outcomes.recv_many(batch, BATCH).await == 0 {
        return false;
    }
    let close_at = Instant::now() + BATCH_PATIENCE;
    while batch.len() < BATCH {
        let room = BATCH - batch.len();
        let Ok(more) = timeout_at(close_at, outcomes.recv_many(batch, room)).await else { break };
        if more == 0 {
            break;
        }
    }
    true
}
