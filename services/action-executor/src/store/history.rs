//! Runs as people see them: listed, shown, begun again, ended, forgotten.

use patchbay_proto::event::v1::{FinishedBatch, RunFinished};
use patchbay_store::{Engine, Error, Sql, Transaction, read, within, write};
use patchbay_types::{RunId, Timestamp, WorkspaceId};
use uuid::Uuid;

use super::{Ended, Store, days, tell_later, two};
use crate::rows::{RunFilter, ViewRow};

const LIST_RUNS: Sql = two!("list_runs");
const SHOW_RUN: Sql = two!("show_run");

/// On PostgreSQL a list is planned for the very values that are asked for, and by indexes alone, whatever the planner
/// knows of the tables: they lead from the newest run on, and nobody reads on when a page is full.
const LOOK: &str = "
    BEGIN READ ONLY;
    SET LOCAL plan_cache_mode = force_custom_plan;
    SET LOCAL enable_seqscan = off;
    SET LOCAL enable_bitmapscan = off;
    SET LOCAL enable_sort = off;
    SET LOCAL jit = off;
    SET LOCAL statement_timeout = '10s';
";

/// Runs one expression on whichever connection answers lists.
macro_rules! look {
    ($engine:expr, $connection:ident => $body:expr) => {
        match $engine {
            Engine::Postgres(postgres) => {
                let mut transaction = postgres.begin_with(LOOK).await?;
                let deadline = transaction.deadline();
                let $connection = &mut *transaction;
                let found = within(deadline, async { $body }).await?;
                transaction.commit().await?;
                Ok::<_, Error>(found)
            }
            Engine::Sqlite(sqlite) => {
                let $connection = &sqlite.reader;
                Ok($body?)
            }
        }
    };
}

/// A cancelled run as its row was: automation, version, event, start, epoch.
type Cancelled = (Vec<u8>, i64, String, i64, i64);

impl Store {
    /// Runs of a workspace, newest first, open and ended ones alike.
    pub(crate) async fn list_runs(&self, workspace: WorkspaceId, filter: &RunFilter) -> Result<Vec<ViewRow>, Error> {
        let text = LIST_RUNS.on(&self.engine);
        let before = filter.before.map(|id| id.as_bytes().to_vec());
        let automation = filter.automation.map(|id| id.as_bytes().to_vec());
        let used = filter.connection.map(|id| format!("%,{id},%"));
        let edge = filter.edge.map(|id| id.as_bytes().to_vec());
        look!(&self.engine, connection => sqlx::query_as::<_, ViewRow>(text)
            .bind(workspace.get()).bind(&before).bind(&automation).bind(&filter.status).bind(&used)
            .bind(&filter.event_id).bind(filter.limit).bind(&edge).fetch_all(connection).await)
    }

    /// The run down to which so many are looked at, from the newest before `before` on; nothing when there are fewer.
    pub(crate) async fn list_edge(
        &self,
        workspace: WorkspaceId,
        before: Option<RunId>,
        runs: i64,
    ) -> Result<Option<RunId>, Error> {
        let before = before.map_or_else(|| vec![u8::MAX; 17], |id| id.as_bytes().to_vec());
        let text = include_str!("../queries/list_edge.sql");
        let edge: Option<Vec<u8>> = look!(&self.engine, connection => sqlx::query_scalar(text)
            .bind(workspace.get()).bind(&before).bind(runs - 1).fetch_optional(connection).await)?;
        edge.map(|id| RunId::from_slice(&id).map_err(|error| Error::Damaged(error.to_string()))).transpose()
    }

    /// One run of a workspace.
    pub(crate) async fn show_run(&self, workspace: WorkspaceId, id: RunId) -> Result<Option<ViewRow>, Error> {
        let text = SHOW_RUN.on(&self.engine);
        Ok(read!(&self.engine, pool => sqlx::query_as::<_, ViewRow>(text)
            .bind(workspace.get()).bind(id.as_bytes().as_slice()).bind(days::begun(id)).fetch_optional(pool).await)?)
    }

    /// Opens a failed or cancelled run again, or releases one whose outcome is unknown. False when it is neither.
    pub(crate) async fn replay(&self, workspace: WorkspaceId, id: RunId, now: Timestamp) -> Result<bool, Error> {
        let mut transaction = self.engine.begin().await?;
        let key = id.as_bytes().as_slice();
        let released = write!(transaction, connection => sqlx::query(include_str!("../queries/release.sql"))
            .bind(workspace.get()).bind(key).bind(now.as_micros())
            .execute(connection).await.map(|done| done.rows_affected()))?;
        let reopened = write!(transaction, connection => sqlx::query(include_str!("../queries/reopen.sql"))
            .bind(workspace.get()).bind(key).bind(now.as_micros()).bind(days::begun(id))
            .execute(connection).await.map(|done| done.rows_affected()))?;
        if released + reopened == 0 {
            return Ok(false);
        }
        write!(transaction, connection => sqlx::query(include_str!("../queries/forget_history.sql"))
            .bind(workspace.get()).bind(key).bind(days::begun(id)).execute(connection).await.map(drop))?;
        write!(transaction, connection => sqlx::query(include_str!("../queries/raise_dead_letter.sql"))
            .bind(key).execute(connection).await.map(drop))?;
        transaction.commit().await?;
        Ok(true)
    }

    /// Ends a run that nobody works on. Nothing when there is none.
    pub(crate) async fn cancel(
        &self,
        workspace: WorkspaceId,
        id: RunId,
        now: Timestamp,
    ) -> Result<Option<Ended>, Error> {
        match self.cancel_on_a_day(workspace, id, now).await {
            Err(error) if days::is_missing(&error) => {
                self.make_days([now]).await?;
                self.cancel_on_a_day(workspace, id, now).await
            }
            other => other,
        }
    }

    async fn cancel_on_a_day(&self, workspace: WorkspaceId, id: RunId, now: Timestamp) -> Result<Option<Ended>, Error> {
        let mut transaction = self.engine.begin().await?;
        let cancelled = match &mut transaction {
            Transaction::Sqlite(connection) => cancel_sqlite(connection, workspace, id, now).await?,
            Transaction::Postgres(connection) => {
                let cancelling = sqlx::query_as::<_, Cancelled>(include_str!("../queries/cancel.postgres.sql"))
                    .bind(workspace.get())
                    .bind(id.as_bytes().as_slice())
                    .bind(now.as_micros());
                within(connection.deadline(), cancelling.fetch_optional(&mut **connection)).await?
            }
        };
        let Some((automation, version, event_id, started_at, epoch)) = cancelled else { return Ok(None) };
        let run = RunFinished {
            run_id: id.as_bytes().to_vec().into(),
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

    /// Removes runs that finished before `before`: some of them on SQLite, whole days on PostgreSQL. Says how many of these.
    pub(crate) async fn sweep_history(&self, before: Timestamp, limit: i64) -> Result<u64, Error> {
        if let Engine::Postgres(_) = &self.engine {
            return self.drop_days(before).await;
        }
        // A run's id tells when it was made, so that old ones are found by the key.
        let millis = u64::try_from(before.as_micros() / 1000).unwrap_or(0);
        let bound = Uuid::new_v7(uuid::Timestamp::from_unix(uuid::NoContext, millis / 1000, 0));
        let mut transaction = self.engine.begin().await?;
        let rows = write!(transaction, connection => sqlx::query(include_str!("../queries/sweep_history.sql"))
            .bind(bound.as_bytes().as_slice()).bind(before.as_micros()).bind(limit)
            .execute(connection).await.map(|done| done.rows_affected()))?;
        transaction.commit().await?;
        Ok(rows)
    }
}

async fn cancel_sqlite(
    connection: &mut sqlx::SqliteConnection,
    workspace: WorkspaceId,
    id: RunId,
    now: Timestamp,
) -> Result<Option<Cancelled>, Error> {
    let key = id.as_bytes().as_slice();
    let kept = sqlx::query(include_str!("../queries/cancel.sql"))
        .bind(workspace.get())
        .bind(key)
        .bind(now.as_micros())
        .execute(&mut *connection)
        .await?
        .rows_affected();
    if kept == 0 {
        return Ok(None);
    }
    let discard = sqlx::query_as(include_str!("../queries/discard.sql")).bind(workspace.get()).bind(key);
    Ok(Some(discard.fetch_one(connection).await?))
}
