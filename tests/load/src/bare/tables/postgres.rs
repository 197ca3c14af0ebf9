//! The tables on PostgreSQL: one statement a transaction, so one exchange with the server.

use anyhow::{Context, Result, bail};
use patchbay_runtime::Clock;
use patchbay_store::{Engine, Options};
use sqlx::PgPool;

use super::MIGRATION;
use crate::bare::calls::{Event, Outcome};

const CLAIM: &str = "
    WITH events AS MATERIALIZED (
        SELECT id, key, payload FROM UNNEST($1::BIGINT[], $2::BYTEA[], $3::BYTEA[]) AS events (id, key, payload)
    ), seen_now AS (
        INSERT INTO seen (key) SELECT key FROM events ON CONFLICT (key) DO NOTHING
    )
    INSERT INTO open (id, payload) SELECT id, payload FROM events ON CONFLICT (id) DO NOTHING";

const FINISH: &str = "
    WITH closed AS (
        DELETE FROM open WHERE id = ANY ($1::BIGINT[])
    )
    INSERT INTO history (id, payload, answer, finished_at)
    SELECT id, payload, answer, $4 FROM UNNEST($1::BIGINT[], $2::BYTEA[], $3::BYTEA[]) AS outcomes (id, payload, answer)
    ON CONFLICT (id) DO NOTHING";

/// Several connections: transactions beside each other.
pub(in crate::bare) struct Postgres {
    pool: PgPool,
    clock: Clock,
}

impl Postgres {
    /// `lanes` claims and as many settlements may be under way at once.
    pub(super) async fn open(url: &str, lanes: usize) -> Result<Self> {
        let options = Options { connections: u32::try_from(2 * lanes)?, ..Options::default() };
        let engine = Engine::open(url, &options).await?;
        engine.migrate("bare", &[MIGRATION]).await?;
        let Engine::Postgres(postgres) = engine else { bail!("not an address of PostgreSQL") };
        Ok(Self { pool: postgres.pool, clock: Clock::system() })
    }

    pub(super) async fn claim(&self, events: &[Event]) -> Result<()> {
        let keys: Vec<String> = events.iter().map(|event| format!("{:012}", event.number)).collect();
        let query = sqlx::query(CLAIM)
            .bind(events.iter().map(|event| event.number).collect::<Vec<i64>>())
            .bind(keys.iter().map(String::as_bytes).collect::<Vec<&[u8]>>())
            .bind(events.iter().map(|event| &event.payload[..]).collect::<Vec<&[u8]>>());
        query.execute(&self.pool).await.map(drop).context("claim")
    }

    pub(super) async fn finish(&self, outcomes: &[Outcome]) -> Result<()> {
        let query = sqlx::query(FINISH)
            .bind(outcomes.iter().map(|outcome| outcome.number).collect::<Vec<i64>>())
            .bind(outcomes.iter().map(|outcome| &outcome.payload[..]).collect::<Vec<&[u8]>>())
            .bind(outcomes.iter().map(|outcome| &outcome.answer[..]).collect::<Vec<&[u8]>>())
            .bind(self.clock.now().as_micros());
        query.execute(&self.pool).await.map(drop).context("write outcomes")
    }
}
