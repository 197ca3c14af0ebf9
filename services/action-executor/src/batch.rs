//! A batch on SQLite: statements over lists of values, which it has in the place of arrays.

use std::collections::{BTreeMap, HashSet};

use patchbay_store::{Error, Rows, chunks, padded};
use patchbay_types::{IncarnationId, RunId, Timestamp};
use prost::Message as _;
use sqlx::SqliteConnection;
use uuid::Uuid;

use crate::{
    rows::{DeadRow, EndRow, Identity, OpenRow, ProgressRow, phase_name},
    store::{Changes, Moved, count, finished_batch},
};

const REMEMBER_COLUMNS: usize = 4;
const OPEN_COLUMNS: usize = 21;
const KEEP_COLUMNS: usize = 16;

#[derive(Debug)]
pub(crate) struct Statements {
    remember: Rows,
    open: Rows,
    close: Rows,
    keep: Rows,
    remembered: Rows,
    left: Rows,
    told: Rows,
}

impl Statements {
    pub(crate) fn new() -> Self {
        Self {
            remember: Rows::new(include_str!("queries/remember.sql"), REMEMBER_COLUMNS),
            open: Rows::new(include_str!("queries/open.sql"), OPEN_COLUMNS),
            close: Rows::new(include_str!("queries/close.sql"), 1),
            keep: Rows::new(include_str!("queries/keep.sql"), KEEP_COLUMNS),
            remembered: Rows::new(include_str!("queries/remembered.sql"), 1),
            left: Rows::new(include_str!("queries/left.sql"), 1),
            told: Rows::new(include_str!("queries/told.sql"), 1),
        }
    }

    /// Writes all of `changes` in the transaction that the connection is in. The batch of ended runs gets this id.
    pub(crate) async fn write(
        &self,
        connection: &mut SqliteConnection,
        changes: &Changes<'_>,
        batch: Uuid,
        now: Timestamp,
    ) -> Result<Moved, Error> {
        let mut moved = Moved { opened: self.open(connection, &changes.opens).await?, ..Moved::default() };
        for row in &changes.progress {
            if progress(connection, row).await? {
                moved.moved.insert(row.id);
            }
        }
        self.end(connection, &changes.ends, &mut moved).await?;
        let ended: Vec<&EndRow> =
            changes.ends.iter().copied().filter(|row| moved.ended.contains(&row.identity.id)).collect();
        if !ended.is_empty() {
            let runs = finished_batch(ended.iter().copied()).encode_to_vec();
            sqlx::query(include_str!("queries/tell_later.sql"))
                .bind(batch.as_bytes().as_slice())
                .bind(now.as_micros())
                .bind(runs)
                .execute(&mut *connection)
                .await?;
        }
        for row in ended.iter().filter_map(|row| row.dead.as_ref()).chain(changes.dead.iter().copied()) {
            bury(connection, row).await?;
        }
        self.told(connection, &changes.told).await?;
        Ok(moved)
    }

    /// Opens the runs whose event was not seen before, and says which these are.
    async fn open(&self, connection: &mut SqliteConnection, rows: &[&OpenRow]) -> Result<HashSet<RunId>, Error> {
        let mut opened = HashSet::with_capacity(rows.len());
        for chunk in chunks(rows) {
            let mut query = sqlx::query(self.remember.text(chunk));
            for row in padded(chunk) {
                query = query
                    .bind(row.seen.as_slice())
                    .bind(row.identity.id.as_bytes().as_slice())
                    .bind(row.seen_at.as_micros())
                    .bind(row.seen_until.as_micros());
            }
            // A window ends after its run's own beginning, so a row that comes twice changes nothing the second time.
            // Rows that come back one by one cost more than the statement: they are asked for only when
            // some event was seen before.
            if query.execute(&mut *connection).await?.rows_affected() == chunk.len() as u64 {
                self.insert(connection, chunk).await?;
                opened.extend(chunk.iter().map(|row| row.identity.id));
                continue;
            }
            let mut query = sqlx::query_scalar::<_, Vec<u8>>(self.remembered.text(chunk));
            for row in padded(chunk) {
                query = query.bind(row.seen.as_slice());
            }
            let remembered: HashSet<Vec<u8>> = query.fetch_all(&mut *connection).await?.into_iter().collect();
            let ours = |row: &&&OpenRow| remembered.contains(row.identity.id.as_bytes().as_slice());
            let ours: Vec<&OpenRow> = chunk.iter().filter(ours).copied().collect();
            if ours.is_empty() {
                continue;
            }
            // A run of ours that was seen before was written by a commit whose answer was lost.
            let ids: Vec<RunId> = ours.iter().map(|row| row.identity.id).collect();
            let there = self.left(connection, &ids).await?;
            let fresh: Vec<&OpenRow> =
                ours.iter().copied().filter(|row| !there.contains_key(&row.identity.id)).collect();
            if !fresh.is_empty() {
                self.insert(connection, &fresh).await?;
            }
            opened.extend(ours.iter().map(|row| row.identity.id));
        }
        Ok(opened)
    }

    async fn insert(&self, connection: &mut SqliteConnection, chunk: &[&OpenRow]) -> Result<(), Error> {
        let mut query = sqlx::query(self.open.text(chunk));
        for row in padded(chunk) {
            query = bind_identity(query, &row.identity)
                .bind(phase_name(row.state.phase))
                .bind(FIRST_EPOCH)
                .bind(row.owner.as_ref().map(IncarnationId::as_bytes).map(<[u8; 16]>::as_slice))
                .bind(count(row.state.step))
                .bind(i64::from(row.state.in_doubt))
                .bind(i64::from(row.state.attempts))
                .bind(i64::from(row.state.generation))
                .bind(i64::from(row.state.takeovers))
                .bind(row.identity.attempt)
                .bind(row.identity.started_at.as_micros())
                .bind(None::<i64>)
                .bind(row.behind.map(patchbay_types::ConnectionId::get))
                .bind(row.reason)
                .bind(row.connections.as_str())
                .bind(row.input.as_slice())
                .bind([].as_slice());
        }
        query.execute(connection).await?;
        Ok(())
    }

    /// Moves runs from the open ones into history, each only while it has the epoch that its row names.
    async fn end(&self, connection: &mut SqliteConnection, rows: &[&EndRow], moved: &mut Moved) -> Result<(), Error> {
        let mut by_epoch: BTreeMap<i64, Vec<&EndRow>> = BTreeMap::new();
        for row in rows {
            by_epoch.entry(row.epoch).or_default().push(row);
        }
        for (epoch, rows) in by_epoch {
            for chunk in chunks(&rows) {
                self.close(connection, epoch, chunk, moved).await?;
            }
        }
        let kept: Vec<&EndRow> = rows.iter().copied().filter(|row| moved.ended.contains(&row.identity.id)).collect();
        for chunk in chunks(&kept) {
            self.keep(connection, chunk).await?;
        }
        Ok(())
    }

    async fn close(
        &self,
        connection: &mut SqliteConnection,
        epoch: i64,
        chunk: &[&EndRow],
        moved: &mut Moved,
    ) -> Result<(), Error> {
        let mut query = sqlx::query(self.close.text(chunk));
        for row in padded(chunk) {
            query = query.bind(row.identity.id.as_bytes().as_slice());
        }
        let closed = query.bind(epoch).execute(&mut *connection).await?.rows_affected();
        if closed == chunk.len() as u64 {
            moved.ended.extend(chunk.iter().map(|row| row.identity.id));
            return Ok(());
        }
        // Those that were not closed are still open with another epoch, or ended already.
        let ids: Vec<RunId> = chunk.iter().map(|row| row.identity.id).collect();
        let there = self.left(connection, &ids).await?;
        for row in chunk {
            match there.get(&row.identity.id) {
                None => moved.ended.insert(row.identity.id),
                Some(end) if *end == (row.epoch, row.finished_at.as_micros()) => {
                    moved.ended_before.insert(row.identity.id)
                }
                Some(_) => false,
            };
        }
        Ok(())
    }

    /// Which of these runs are there, with the epoch and the time of their end when they ended.
    async fn left(
        &self,
        connection: &mut SqliteConnection,
        ids: &[RunId],
    ) -> Result<BTreeMap<RunId, (i64, i64)>, Error> {
        let mut left = BTreeMap::new();
        for chunk in chunks(ids) {
            let mut query = sqlx::query_as::<_, (Vec<u8>, i64, i64)>(self.left.text(chunk));
            for id in padded(chunk).chain(padded(chunk)) {
                query = query.bind(id.as_bytes().as_slice());
            }
            for (id, epoch, finished_at) in query.fetch_all(&mut *connection).await? {
                let id = RunId::from_slice(&id).map_err(|error| Error::Damaged(error.to_string()))?;
                left.insert(id, (epoch, finished_at));
            }
        }
        Ok(left)
    }

    async fn keep(&self, connection: &mut SqliteConnection, chunk: &[&EndRow]) -> Result<(), Error> {
        let mut query = sqlx::query(self.keep.text(chunk));
        for row in padded(chunk) {
            query = bind_identity(query, &row.identity)
                .bind(row.status)
                .bind(row.epoch)
                .bind(count(row.step))
                .bind(i64::from(row.in_doubt))
                .bind(i64::from(row.generation))
                .bind(row.identity.attempt)
                .bind(row.identity.started_at.as_micros())
                .bind(row.finished_at.as_micros())
                .bind(row.connections.as_str())
                .bind(row.input.as_slice())
                .bind(row.steps.as_slice());
        }
        query.execute(connection).await?;
        Ok(())
    }

    /// Forgets batches of ended runs that were told.
    async fn told(&self, connection: &mut SqliteConnection, batches: &[Uuid]) -> Result<(), Error> {
        for chunk in chunks(batches) {
            let mut query = sqlx::query(self.told.text(chunk));
            for id in padded(chunk) {
                query = query.bind(id.as_bytes().as_slice());
            }
            query.execute(&mut *connection).await?;
        }
        Ok(())
    }
}

async fn progress(connection: &mut SqliteConnection, row: &ProgressRow) -> Result<bool, Error> {
    let owner = row.owner.map(|owner| owner.as_bytes().to_vec());
    let done = sqlx::query(include_str!("queries/progress.sql"))
        .bind(row.id.as_bytes().as_slice())
        .bind(row.epoch)
        .bind(phase_name(row.state.phase))
        .bind(&owner)
        .bind(count(row.state.step))
        .bind(i64::from(row.state.in_doubt))
        .bind(i64::from(row.state.attempts))
        .bind(i64::from(row.state.generation))
        .bind(i64::from(row.state.takeovers))
        .bind(row.due_at.map(Timestamp::as_micros))
        .bind(row.behind.map(patchbay_types::ConnectionId::get))
        .bind(&row.reason)
        .bind(&row.steps)
        .execute(connection)
        .await?;
    Ok(done.rows_affected() == 1)
}

async fn bury(connection: &mut SqliteConnection, row: &DeadRow) -> Result<(), Error> {
    let run = row.run.map(|run| run.as_bytes().to_vec());
    sqlx::query(include_str!("queries/bury.sql"))
        .bind(row.key().as_slice())
        .bind(row.workspace)
        .bind(row.kind)
        .bind(&row.reason)
        .bind(&row.error)
        .bind(&run)
        .bind(&row.source)
        .bind(&row.event_id)
        .bind(&row.original)
        .bind(row.at.as_micros())
        .execute(connection)
        .await?;
    Ok(())
}

/// The epoch that a run is opened with.
pub(crate) const FIRST_EPOCH: i64 = 1;

type Query<'q> = sqlx::query::Query<'q, sqlx::Sqlite, sqlx::sqlite::SqliteArguments>;

/// What all tables of runs begin with.
fn bind_identity<'q>(query: Query<'q>, identity: &'q Identity) -> Query<'q> {
    query
        .bind(identity.id.as_bytes().as_slice())
        .bind(identity.workspace.get())
        .bind(identity.automation.as_bytes().as_slice())
        .bind(identity.version)
        .bind(identity.event_id.as_str())
}
