//! The tables in a file.

use std::path::Path;

use anyhow::{Context, Result};
use patchbay_runtime::Clock;
use patchbay_store::{Engine, Options, Rows, Transaction, chunks, padded};

use super::MIGRATION;
use crate::bare::calls::{Event, Outcome};

/// One writer: one transaction after the other.
pub(in crate::bare) struct Sqlite {
    engine: Engine,
    clock: Clock,
    claim: Rows,
    finish: Rows,
    close: Rows,
}

impl Sqlite {
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

    pub(super) async fn finish(&self, outcomes: &[Outcome]) -> Result<()> {
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
