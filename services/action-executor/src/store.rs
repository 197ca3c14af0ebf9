//! The executor's tables: one method an intention.

mod connections;
mod days;
mod dead_letters;
mod file;
mod history;
mod postgres;
mod taking;

use std::{collections::HashSet, sync::Arc};

use patchbay_proto::event::v1::{FinishedBatch, RunFinished};
use patchbay_store::{Engine, Error, Migration, Transaction, read, write};
use patchbay_types::{RunId, Timestamp};
use prost::Message as _;
use uuid::Uuid;

use crate::{
    batch::Statements,
    rows::{DeadRow, EndRow, OpenRow, ProgressRow},
};
use connections::Connections;
pub(crate) use file::{File, Filling, Finished};

const MIGRATIONS: [Migration; 3] = [
    Migration {
        number: 1,
        name: "runs",
        sqlite: include_str!("migrations/sqlite/0001_runs.sql"),
        postgres: include_str!("migrations/postgres/0001_runs.sql"),
    },
    Migration {
        number: 2,
        name: "dead_letters",
        sqlite: include_str!("migrations/sqlite/0002_dead_letters.sql"),
        postgres: include_str!("migrations/postgres/0002_dead_letters.sql"),
    },
    Migration {
        number: 3,
        name: "days",
        sqlite: include_str!("migrations/sqlite/0003_days.sql"),
        postgres: include_str!("migrations/postgres/0003_days.sql"),
    },
];

/// A statement whose two texts stand side by side in `queries/`.
macro_rules! two {
    ($name:literal) => {
        patchbay_store::Sql::two(
            include_str!(concat!("../queries/", $name, ".sql")),
            include_str!(concat!("../queries/", $name, ".postgres.sql")),
        )
    };
}
use two;

/// Runs that ended, under the row that lists them.
pub(crate) type Ended = (Uuid, FinishedBatch);

/// The tables of runs.
#[derive(Debug, Clone)]
pub(crate) struct Store {
    engine: Engine,
    way: Way,
}

/// How batches reach the database.
#[derive(Debug, Clone)]
enum Way {
    Sqlite(Arc<Statements>),
    Postgres(Connections),
}

/// Everything that one transaction writes.
#[derive(Debug, Default)]
pub(crate) struct Changes<'a> {
    pub(crate) opens: Vec<&'a OpenRow>,
    pub(crate) progress: Vec<&'a ProgressRow>,
    pub(crate) ends: Vec<&'a EndRow>,
    pub(crate) dead: Vec<&'a DeadRow>,
    pub(crate) told: Vec<Uuid>,
    /// It was tried before, and nobody knows whether it was written.
    pub(crate) again: bool,
}

/// What one transaction did.
#[derive(Debug, Default)]
pub(crate) struct Written {
    /// New runs; the others were seen before.
    pub(crate) opened: HashSet<RunId>,
    /// Runs that are not opened, because this process was declared dead before: their events are not remembered.
    pub(crate) refused: HashSet<RunId>,
    /// Runs that another process took meanwhile: their change was not written.
    pub(crate) lost: HashSet<RunId>,
    /// The row that lists the ended runs, for those who are told.
    pub(crate) finished: Option<Ended>,
}

/// What the statements of one transaction did.
#[derive(Debug, Default)]
pub(crate) struct Moved {
    pub(crate) opened: HashSet<RunId>,
    pub(crate) refused: HashSet<RunId>,
    pub(crate) moved: HashSet<RunId>,
    pub(crate) ended: HashSet<RunId>,
    /// Runs whose very same end was written before: the answer of that commit was lost.
    pub(crate) ended_before: HashSet<RunId>,
}

/// Brings the tables of runs up to date, or only looks at them, as `engine` was opened.
///
/// # Errors
/// When a step fails, or what is there does not fit this version.
pub async fn migrate(engine: &Engine) -> Result<(), Error> {
    Store::open(engine.clone()).await.map(drop)
}

impl Store {
    pub(crate) async fn open(engine: Engine) -> Result<Self, Error> {
        engine.migrate("action-executor", &MIGRATIONS).await?;
        let way = match &engine {
            Engine::Sqlite(_) => Way::Sqlite(Arc::new(Statements::new())),
            Engine::Postgres(postgres) => Way::Postgres(Connections::new(postgres.clone())),
        };
        let store = Self { engine, way };
        store.make_days_ahead().await?;
        Ok(store)
    }

    /// Writes all of `changes`, or nothing. What an earlier try has written, whose answer was lost, counts as written.
    pub(crate) async fn write(&self, changes: &Changes<'_>, now: Timestamp) -> Result<Written, Error> {
        let batch = Uuid::now_v7();
        let moved = match &self.way {
            Way::Sqlite(statements) => self.write_sqlite(statements, changes, batch, now).await?,
            Way::Postgres(connections) => match self.write_postgres(connections, changes, batch, now).await {
                Err(error) if days::is_missing(&error) => {
                    self.make_days(changes.ends.iter().map(|row| row.finished_at)).await?;
                    self.write_postgres(connections, changes, batch, now).await?
                }
                other => other?,
            },
        };
        let mut written = Written { opened: moved.opened, refused: moved.refused, ..Written::default() };
        // Who gave a run away and does not know whether it was written finds it in other hands: so it was.
        let is_written = |row: &ProgressRow| moved.moved.contains(&row.id) || (changes.again && row.owner.is_none());
        written.lost.extend(changes.progress.iter().filter(|row| !is_written(row)).map(|row| row.id));
        let ids = changes.ends.iter().map(|row| row.identity.id);
        written.lost.extend(ids.filter(|id| !moved.ended.contains(id) && !moved.ended_before.contains(id)));
        let ended = finished_batch(changes.ends.iter().copied().filter(|row| moved.ended.contains(&row.identity.id)));
        written.finished = (!ended.runs.is_empty()).then_some((batch, ended));
        Ok(written)
    }

    async fn write_sqlite(
        &self,
        statements: &Statements,
        changes: &Changes<'_>,
        batch: Uuid,
        now: Timestamp,
    ) -> Result<Moved, Error> {
        let mut transaction = self.engine.begin().await?;
        let moved = match &mut transaction {
            Transaction::Sqlite(connection) => statements.write(connection, changes, batch, now).await?,
            Transaction::Postgres(_) => Moved::default(),
        };
        transaction.commit().await?;
        Ok(moved)
    }

    async fn write_postgres(
        &self,
        connections: &Connections,
        changes: &Changes<'_>,
        batch: Uuid,
        now: Timestamp,
    ) -> Result<Moved, Error> {
        let mut link = connections.take().await?;
        let moved = postgres::write(&mut link, &connections.texts, changes, batch, now).await?;
        connections.keep(link);
        Ok(moved)
    }

    /// Whether no other process can take runs from this one.
    pub(crate) const fn is_local(&self) -> bool {
        self.engine.is_local()
    }

    /// How many runs are open, counted up to 10,000, and since when the oldest is.
    pub(crate) async fn open_runs(&self) -> Result<(i64, Option<Timestamp>), Error> {
        let (count, oldest): (i64, Option<i64>) = read!(&self.engine, pool =>
            sqlx::query_as(include_str!("queries/counts.sql")).fetch_one(pool).await)?;
        Ok((count, oldest.map(Timestamp::from_micros)))
    }

    /// Batches of ended runs that nobody was told of, written before `before`.
    pub(crate) async fn untold(&self, before: Timestamp, limit: i64) -> Result<Vec<Ended>, Error> {
        let rows: Vec<(Vec<u8>, Vec<u8>)> = read!(&self.engine, pool =>
            sqlx::query_as(include_str!("queries/untold.sql"))
                .bind(before.as_micros()).bind(limit).fetch_all(pool).await)?;
        rows.into_iter()
            .map(|(id, runs)| {
                let id = Uuid::from_slice(&id).map_err(|error| Error::Damaged(error.to_string()))?;
                let batch =
                    FinishedBatch::decode(runs.as_slice()).map_err(|error| Error::Damaged(error.to_string()))?;
                Ok((id, batch))
            })
            .collect()
    }

    /// Forgets the events of one part of the key space that were accepted before `before`. The parts are those of the
    /// first byte.
    pub(crate) async fn sweep_seen(&self, part: u8, before: Timestamp) -> Result<u64, Error> {
        let from = vec![part];
        let to = part.checked_add(1).map_or_else(|| vec![u8::MAX; 17], |next| vec![next]);
        let mut transaction = self.engine.begin().await?;
        let rows = write!(transaction, connection => sqlx::query(include_str!("queries/sweep_seen.sql"))
            .bind(&from).bind(&to).bind(before.as_micros())
            .execute(connection).await.map(|done| done.rows_affected()))?;
        transaction.commit().await?;
        Ok(rows)
    }
}

async fn tell_later(transaction: &mut Transaction, batch: &FinishedBatch, now: Timestamp) -> Result<Uuid, Error> {
    let id = Uuid::now_v7();
    write!(*transaction, connection => sqlx::query(include_str!("queries/tell_later.sql"))
        .bind(id.as_bytes().as_slice()).bind(now.as_micros()).bind(batch.encode_to_vec())
        .execute(connection).await.map(drop))?;
    Ok(id)
}

/// What is told of runs that ended.
pub(crate) fn finished_batch<'a>(rows: impl IntoIterator<Item = &'a EndRow>) -> FinishedBatch {
    FinishedBatch { runs: rows.into_iter().map(finished).collect() }
}

fn finished(row: &EndRow) -> RunFinished {
    RunFinished {
        run_id: row.identity.id.as_bytes().to_vec().into(),
        workspace_id: row.identity.workspace.get(),
        automation_id: row.identity.automation.as_bytes().to_vec().into(),
        version: row.identity.version,
        event_id: row.identity.event_id.clone(),
        status: row.status.to_owned(),
        started_at: row.identity.started_at.as_micros(),
        finished_at: row.finished_at.as_micros(),
        error_class: row.error_class.to_owned(),
        epoch: row.epoch,
    }
}

/// A step's index as a column's value.
pub(crate) fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
