//! The executor's tables: one method an intention.

mod dead_letters;

use std::{collections::HashSet, sync::Arc};

use patchbay_proto::event::v1::{FinishedBatch, RunFinished};
use patchbay_store::{Engine, Error, Migration, Sql, Transaction, read, write};
use patchbay_types::{AutomationId, ConnectionId, IncarnationId, RunId, Timestamp, WorkspaceId};
use prost::Message as _;
use uuid::Uuid;

use crate::{
    batch::Statements,
    rows::{DeadRow, EndRow, OpenRow, ProgressRow, RunFilter, TakenRow, ViewRow, phase_name},
};

const MIGRATIONS: [Migration; 2] = [
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
];

/// A statement whose two texts stand side by side in `queries/`.
macro_rules! two {
    ($name:literal) => {
        Sql::two(
            include_str!(concat!("queries/", $name, ".sql")),
            include_str!(concat!("queries/", $name, ".postgres.sql")),
        )
    };
}

const TAKE_DUE: Sql = two!("take_due");
const TAKE_BEHIND: Sql = two!("take_behind");
const TAKE_OVER: Sql = two!("take_over");
const LIST_RUNS: Sql = two!("list_runs");
const SHOW_RUN: Sql = two!("show_run");

/// Runs that ended, under the row that lists them.
pub(crate) type Ended = (Uuid, FinishedBatch);

/// The tables of runs.
#[derive(Debug, Clone)]
pub(crate) struct Store {
    engine: Engine,
    statements: Arc<Statements>,
}

/// Everything that one transaction writes.
#[derive(Debug, Default)]
pub(crate) struct Changes<'a> {
    pub(crate) opens: Vec<&'a OpenRow>,
    pub(crate) progress: Vec<&'a ProgressRow>,
    pub(crate) ends: Vec<&'a EndRow>,
    pub(crate) dead: Vec<&'a DeadRow>,
    pub(crate) told: Vec<Uuid>,
}

/// What one transaction did.
#[derive(Debug, Default)]
pub(crate) struct Written {
    /// New runs; the others were seen before.
    pub(crate) opened: HashSet<RunId>,
    /// Runs that another process took meanwhile: their change was not written.
    pub(crate) lost: HashSet<RunId>,
    /// The row that lists the ended runs, for those who are told.
    pub(crate) finished: Option<(Uuid, FinishedBatch)>,
}

impl Store {
    pub(crate) async fn open(engine: Engine) -> Result<Self, Error> {
        engine.migrate("action-executor", &MIGRATIONS).await?;
        Ok(Self { engine, statements: Arc::new(Statements::new()) })
    }

    /// Writes all of `changes`, or nothing.
    pub(crate) async fn write(&self, changes: &Changes<'_>, now: Timestamp) -> Result<Written, Error> {
        let mut transaction = self.engine.begin().await?;
        let mut written = Written::default();
        if !changes.opens.is_empty() {
            written.opened = self.statements.open(&mut transaction, &changes.opens).await?;
        }
        for row in &changes.progress {
            if !progress(&mut transaction, row).await? {
                written.lost.insert(row.id);
            }
        }
        if !changes.ends.is_empty() {
            let ended = self.statements.end(&mut transaction, &changes.ends).await?;
            let mut batch = FinishedBatch::default();
            for row in &changes.ends {
                if !ended.contains(&row.identity.id) {
                    written.lost.insert(row.identity.id);
                    continue;
                }
                if let Some(dead) = &row.dead {
                    bury(&mut transaction, dead).await?;
                }
                batch.runs.push(finished(row));
            }
            if !batch.runs.is_empty() {
                let id = tell_later(&mut transaction, &batch, now).await?;
                written.finished = Some((id, batch));
            }
        }
        for row in &changes.dead {
            bury(&mut transaction, row).await?;
        }
        self.statements.told(&mut transaction, &changes.told).await?;
        transaction.commit().await?;
        Ok(written)
    }

    /// Whether no other process can take runs from this one.
    pub(crate) const fn is_local(&self) -> bool {
        self.engine.is_local()
    }

    /// Takes runs whose time came.
    pub(crate) async fn take_due(
        &self,
        owner: IncarnationId,
        now: Timestamp,
        limit: i64,
    ) -> Result<Vec<TakenRow>, Error> {
        self.take(TAKE_DUE, owner, now.as_micros(), limit).await
    }

    /// Takes the first runs in the line behind a connection.
    pub(crate) async fn take_behind(
        &self,
        owner: IncarnationId,
        connection: ConnectionId,
        limit: i64,
    ) -> Result<Vec<TakenRow>, Error> {
        self.take(TAKE_BEHIND, owner, connection.get(), limit).await
    }

    /// Takes runs of processes whose lease ended.
    pub(crate) async fn take_over(
        &self,
        owner: IncarnationId,
        now: Timestamp,
        limit: i64,
    ) -> Result<Vec<TakenRow>, Error> {
        self.take(TAKE_OVER, owner, now.as_micros(), limit).await
    }

    async fn take(&self, sql: Sql, owner: IncarnationId, key: i64, limit: i64) -> Result<Vec<TakenRow>, Error> {
        let mut transaction = self.engine.begin().await?;
        let text = sql.on(&self.engine);
        let rows = write!(transaction, connection => sqlx::query_as::<_, TakenRow>(text)
            .bind(owner.as_bytes().as_slice()).bind(key).bind(limit).fetch_all(connection).await)?;
        transaction.commit().await?;
        Ok(rows)
    }

    /// When the next waiting run is due.
    pub(crate) async fn next_due(&self) -> Result<Option<Timestamp>, Error> {
        let at: Option<i64> = read!(&self.engine, pool =>
            sqlx::query_scalar(include_str!("queries/any_due.sql")).fetch_one(pool).await)?;
        Ok(at.map(Timestamp::from_micros))
    }

    /// How many runs wait behind each connection.
    pub(crate) async fn count_behind(&self) -> Result<Vec<(ConnectionId, u64)>, Error> {
        let rows: Vec<(i64, i64)> = read!(&self.engine, pool =>
            sqlx::query_as(include_str!("queries/count_behind.sql")).fetch_all(pool).await)?;
        let counted = |(id, count)| (ConnectionId::new(id), u64::try_from(count).unwrap_or(0));
        Ok(rows.into_iter().map(counted).collect())
    }

    /// How many runs are open, counted up to 10,000, and since when the oldest is.
    pub(crate) async fn open_runs(&self) -> Result<(i64, Option<Timestamp>), Error> {
        let (count, oldest): (i64, Option<i64>) = read!(&self.engine, pool =>
            sqlx::query_as(include_str!("queries/counts.sql")).fetch_one(pool).await)?;
        Ok((count, oldest.map(Timestamp::from_micros)))
    }

    /// Begins this process's lease. Where the database is this process's own, all older ones end at once.
    pub(crate) async fn begin_incarnation(
        &self,
        id: IncarnationId,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<(), Error> {
        let mut transaction = self.engine.begin().await?;
        if self.engine.is_local() {
            write!(transaction, connection => sqlx::query(include_str!("queries/end_all_incarnations.sql"))
                .execute(connection).await.map(drop))?;
        }
        write!(transaction, connection => sqlx::query(include_str!("queries/begin_incarnation.sql"))
            .bind(id.as_bytes().as_slice()).bind(until.as_micros()).bind(now.as_micros())
            .execute(connection).await.map(drop))?;
        transaction.commit().await
    }

    /// Renews the lease. False when it had ended: others may have taken the runs.
    pub(crate) async fn renew_incarnation(
        &self,
        id: IncarnationId,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<bool, Error> {
        let mut transaction = self.engine.begin().await?;
        let rows = write!(transaction, connection => sqlx::query(include_str!("queries/renew_incarnation.sql"))
            .bind(id.as_bytes().as_slice()).bind(until.as_micros()).bind(now.as_micros())
            .execute(connection).await.map(|done| done.rows_affected()))?;
        transaction.commit().await?;
        Ok(rows == 1)
    }

    /// Batches of ended runs that nobody was told of, written before `before`.
    pub(crate) async fn untold(&self, before: Timestamp, limit: i64) -> Result<Vec<(Uuid, FinishedBatch)>, Error> {
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

    /// Runs of a workspace, newest first, open and ended ones alike.
    pub(crate) async fn list_runs(&self, workspace: WorkspaceId, filter: &RunFilter) -> Result<Vec<ViewRow>, Error> {
        let text = LIST_RUNS.on(&self.engine);
        let before = filter.before.map(|id| id.as_bytes().to_vec());
        let automation = filter.automation.map(|id| id.as_bytes().to_vec());
        let connection = filter.connection.map(|id| format!("%,{id},%"));
        Ok(read!(&self.engine, pool => sqlx::query_as::<_, ViewRow>(text)
            .bind(workspace.get()).bind(&before).bind(&automation).bind(&filter.status).bind(&connection)
            .bind(&filter.event_id).bind(filter.limit).fetch_all(pool).await)?)
    }

    /// One run of a workspace.
    pub(crate) async fn show_run(&self, workspace: WorkspaceId, id: RunId) -> Result<Option<ViewRow>, Error> {
        let text = SHOW_RUN.on(&self.engine);
        Ok(read!(&self.engine, pool => sqlx::query_as::<_, ViewRow>(text)
            .bind(workspace.get()).bind(id.as_bytes().as_slice()).fetch_optional(pool).await)?)
    }

    /// Opens a failed or cancelled run again, or releases one whose outcome is unknown. False when it is neither.
    pub(crate) async fn replay(&self, workspace: WorkspaceId, id: RunId, now: Timestamp) -> Result<bool, Error> {
        let mut transaction = self.engine.begin().await?;
        let key = id.as_bytes().as_slice();
        let mut changed = 0;
        for text in [include_str!("queries/release.sql"), include_str!("queries/reopen.sql")] {
            changed += write!(transaction, connection => sqlx::query(text)
                .bind(workspace.get()).bind(key).bind(now.as_micros())
                .execute(connection).await.map(|done| done.rows_affected()))?;
        }
        if changed == 0 {
            return Ok(false);
        }
        write!(transaction, connection => sqlx::query(include_str!("queries/forget_history.sql"))
            .bind(workspace.get()).bind(key).execute(connection).await.map(drop))?;
        write!(transaction, connection => sqlx::query(include_str!("queries/raise_dead_letter.sql"))
            .bind(key).execute(connection).await.map(drop))?;
        transaction.commit().await?;
        Ok(true)
    }

    /// Ends a run that nobody works on. False when there is none.
    pub(crate) async fn cancel(
        &self,
        workspace: WorkspaceId,
        id: RunId,
        now: Timestamp,
    ) -> Result<Option<Ended>, Error> {
        let mut transaction = self.engine.begin().await?;
        let key = id.as_bytes().as_slice();
        let kept = write!(transaction, connection => sqlx::query(include_str!("queries/cancel.sql"))
            .bind(workspace.get()).bind(key).bind(now.as_micros())
            .execute(connection).await.map(|done| done.rows_affected()))?;
        if kept == 0 {
            return Ok(None);
        }
        let (automation, version, event_id, started_at, epoch): (Vec<u8>, i64, String, i64, i64) = write!(transaction, connection => sqlx::query_as(include_str!("queries/discard.sql"))
                .bind(workspace.get()).bind(key).fetch_one(connection).await)?;
        let run = RunFinished {
            run_id: key.to_vec().into(),
            workspace_id: workspace.get(),
            automation_id: automation.into(),
            version,
            event_id,
            status: "cancelled".to_owned(),
            started_at,
            finished_at: now.as_micros(),
            error_class: String::new(),
            epoch: epoch + 1,
        };
        let batch = FinishedBatch { runs: vec![run] };
        let id = tell_later(&mut transaction, &batch, now).await?;
        transaction.commit().await?;
        Ok(Some((id, batch)))
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

    /// Removes some of the runs that finished before `before`.
    pub(crate) async fn sweep_history(&self, before: Timestamp, limit: i64) -> Result<u64, Error> {
        // A run's id tells when it was made, so that old ones are found by the key.
        let millis = u64::try_from(before.as_micros() / 1000).unwrap_or(0);
        let bound = Uuid::new_v7(uuid::Timestamp::from_unix(uuid::NoContext, millis / 1000, 0));
        let mut transaction = self.engine.begin().await?;
        let rows = write!(transaction, connection => sqlx::query(include_str!("queries/sweep_history.sql"))
            .bind(bound.as_bytes().as_slice()).bind(before.as_micros()).bind(limit)
            .execute(connection).await.map(|done| done.rows_affected()))?;
        transaction.commit().await?;
        Ok(rows)
    }
}

async fn progress(transaction: &mut Transaction, row: &ProgressRow) -> Result<bool, Error> {
    let owner = row.owner.map(|owner| owner.as_bytes().to_vec());
    let rows = write!(*transaction, connection => sqlx::query(include_str!("queries/progress.sql"))
        .bind(row.id.as_bytes().as_slice()).bind(row.epoch).bind(phase_name(row.state.phase)).bind(&owner)
        .bind(count(row.state.step)).bind(i64::from(row.state.in_doubt)).bind(i64::from(row.state.attempts))
        .bind(i64::from(row.state.generation)).bind(i64::from(row.state.takeovers))
        .bind(row.due_at.map(Timestamp::as_micros)).bind(row.behind.map(ConnectionId::get)).bind(&row.reason)
        .bind(&row.steps).execute(connection).await.map(|done| done.rows_affected()))?;
    Ok(rows == 1)
}

async fn bury(transaction: &mut Transaction, row: &DeadRow) -> Result<(), Error> {
    let run = row.run.map(|run| run.as_bytes().to_vec());
    write!(*transaction, connection => sqlx::query(include_str!("queries/bury.sql"))
        .bind(row.workspace).bind(row.kind).bind(&row.reason).bind(&row.error).bind(&run).bind(&row.source)
        .bind(&row.event_id).bind(&row.original).bind(row.at.as_micros())
        .execute(connection).await.map(drop))?;
    Ok(())
}

async fn tell_later(transaction: &mut Transaction, batch: &FinishedBatch, now: Timestamp) -> Result<Uuid, Error> {
    let id = Uuid::now_v7();
    write!(*transaction, connection => sqlx::query(include_str!("queries/tell_later.sql"))
        .bind(id.as_bytes().as_slice()).bind(now.as_micros()).bind(batch.encode_to_vec())
        .execute(connection).await.map(drop))?;
    Ok(id)
}

fn finished(row: &EndRow) -> RunFinished {
    RunFinished {
        run_id: row.identity.id.as_bytes().to_vec().into(),
        workspace_id: row.identity.workspace.get(),
        automation_id: automation_bytes(row.identity.automation),
        version: row.identity.version,
        event_id: row.identity.event_id.clone(),
        status: row.status.to_owned(),
        started_at: row.identity.started_at.as_micros(),
        finished_at: row.finished_at.as_micros(),
        error_class: row.error_class.to_owned(),
        epoch: row.epoch,
    }
}

fn automation_bytes(id: AutomationId) -> bytes::Bytes {
    id.as_bytes().to_vec().into()
}

/// A step's index as a column's value.
pub(crate) fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
