//! The two durable writes of an event: claimed, and done.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use patchbay_runtime::Clock;
use patchbay_store::{Engine, Migration, Options, Rows, Transaction, chunks, padded};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

use super::BATCH;
use super::calls::{Event, Outcome};

/// How long a batch of outcomes that is not full waits for more.
const BATCH_PATIENCE: Duration = Duration::from_millis(2);

const MIGRATION: Migration = Migration {
    number: 1,
    name: "tables",
    sqlite: "
        CREATE TABLE open (id INTEGER PRIMARY KEY, payload BLOB NOT NULL);
        CREATE TABLE history (
            id INTEGER PRIMARY KEY, payload BLOB NOT NULL, answer BLOB NOT NULL, finished_at INTEGER NOT NULL
        );",
    postgres: "
        CREATE TABLE open (id BIGINT PRIMARY KEY, payload BYTEA NOT NULL);
        CREATE TABLE history (
            id BIGINT PRIMARY KEY, payload BYTEA NOT NULL, answer BYTEA NOT NULL, finished_at BIGINT NOT NULL
        );",
};

/// The database of the bare pipeline.
pub(super) struct Tables {
    engine: Engine,
    clock: Clock,
    claim: Rows,
    finish: Rows,
    close: Rows,
}

impl Tables {
    pub(super) async fn open(directory: &Path) -> Result<Self> {
        let url = format!("sqlite://{}", directory.join("bare.db").display());
        let engine = Engine::open(&url, &Options::default()).await?;
        engine.migrate("bare", &[MIGRATION]).await?;
        Ok(Self {
            engine,
            clock: Clock::system(),
            claim: Rows::new("INSERT INTO open (id, payload) VALUES /*rows*/ ON CONFLICT (id) DO NOTHING", 2),
            finish: Rows::new(
                "INSERT INTO history (id, payload, answer, finished_at) VALUES /*rows*/ ON CONFLICT (id) DO NOTHING",
                4,
            ),
            close: Rows::new("DELETE FROM open WHERE id IN (VALUES /*rows*/)", 1),
        })
    }

    pub(super) async fn claim(&self, events: &[Event]) -> Result<()> {
        let mut transaction = self.engine.begin().await?;
        for chunk in chunks(events) {
            patchbay_store::write!(transaction, connection => {
                let mut query = sqlx::query(self.claim.text(chunk));
                for event in padded(chunk) {
                    query = query.bind(event.number).bind(&event.payload[..]);
                }
                query.execute(connection).await.map(drop)
            })
            .context("claim")?;
        }
        Ok(transaction.commit().await?)
    }

    async fn finish(&self, outcomes: &[Outcome]) -> Result<()> {
        let finished_at = self.clock.now().as_micros();
        let mut transaction = self.engine.begin().await?;
        for chunk in chunks(outcomes) {
            self.write_history(&mut transaction, chunk, finished_at).await.context("write outcomes")?;
            patchbay_store::write!(transaction, connection => {
                let query = padded(chunk).fold(sqlx::query(self.close.text(chunk)), |query, outcome| query.bind(outcome.number));
                query.execute(connection).await.map(drop)
            })
            .context("close events")?;
        }
        Ok(transaction.commit().await?)
    }

    async fn write_history(
        &self,
        transaction: &mut Transaction,
        outcomes: &[Outcome],
        finished_at: i64,
    ) -> Result<(), sqlx::Error> {
        patchbay_store::write!(*transaction, connection => {
            let mut query = sqlx::query(self.finish.text(outcomes));
            for outcome in padded(outcomes) {
                query = query.bind(outcome.number).bind(&outcome.payload[..]).bind(&outcome.answer[..]).bind(finished_at);
            }
            query.execute(connection).await.map(drop)
        })
    }
}

/// Writes outcomes in batches that close when full or when their first one waited long enough.
pub(super) async fn settle(tables: Arc<Tables>, mut outcomes: mpsc::Receiver<Outcome>) -> Result<()> {
    let mut batch = Vec::with_capacity(BATCH);
    while outcomes.recv_many(&mut batch, BATCH).await > 0 {
        let close_at = Instant::now() + BATCH_PATIENCE;
        while batch.len() < BATCH {
            let room = BATCH - batch.len();
            let Ok(more) = timeout_at(close_at, outcomes.recv_many(&mut batch, room)).await else { break };
            if more == 0 {
                break;
            }
        }
        tables.finish(&batch).await?;
        batch.clear();
    }
    Ok(())
}
