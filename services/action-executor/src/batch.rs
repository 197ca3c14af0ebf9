//! The statements that write many runs at once: lists of values on SQLite, arrays on PostgreSQL.

use std::collections::{BTreeMap, HashSet};

use patchbay_store::{Error, Rows, Transaction, chunks, padded};
use patchbay_types::{IncarnationId, RunId};
use uuid::Uuid;

use crate::{
    rows::{EndRow, OpenRow, phase_name},
    store::count,
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

    /// Opens the runs whose event was not seen before, and says which these are.
    pub(crate) async fn open(&self, transaction: &mut Transaction, rows: &[&OpenRow]) -> Result<HashSet<RunId>, Error> {
        let fresh = match transaction {
            Transaction::Sqlite(connection) => {
                let mut fresh = HashSet::with_capacity(rows.len());
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
                    if query.execute(&mut **connection).await?.rows_affected() == chunk.len() as u64 {
                        fresh.extend(chunk.iter().map(|row| row.identity.id.as_bytes().to_vec()));
                        continue;
                    }
                    let mut query = sqlx::query_scalar::<_, Vec<u8>>(self.remembered.text(chunk));
                    for row in padded(chunk) {
                        query = query.bind(row.seen.as_slice());
                    }
                    fresh.extend(query.fetch_all(&mut **connection).await?);
                }
                fresh
            }
            Transaction::Postgres(connection) => {
                let keys: Vec<&[u8]> = rows.iter().map(|row| row.seen.as_slice()).collect();
                let ids: Vec<&[u8]> = rows.iter().map(|row| row.identity.id.as_bytes().as_slice()).collect();
                let at: Vec<i64> = rows.iter().map(|row| row.seen_at.as_micros()).collect();
                let until: Vec<i64> = rows.iter().map(|row| row.seen_until.as_micros()).collect();
                let fresh: Vec<Vec<u8>> = sqlx::query_scalar(include_str!("queries/remember.postgres.sql"))
                    .bind(keys)
                    .bind(ids)
                    .bind(at)
                    .bind(until)
                    .fetch_all(&mut **connection)
                    .await?;
                fresh.into_iter().collect()
            }
        };
        let opened: Vec<&OpenRow> =
            rows.iter().copied().filter(|row| fresh.contains(row.identity.id.as_bytes().as_slice())).collect();
        self.insert(transaction, &opened).await?;
        Ok(opened.into_iter().map(|row| row.identity.id).collect())
    }

    async fn insert(&self, transaction: &mut Transaction, rows: &[&OpenRow]) -> Result<(), Error> {
        match transaction {
            Transaction::Sqlite(connection) => {
                for chunk in chunks(rows) {
                    let mut query = sqlx::query(self.open.text(chunk));
                    for row in padded(chunk) {
                        query = query
                            .bind(row.identity.id.as_bytes().as_slice())
                            .bind(row.identity.workspace.get())
                            .bind(row.identity.automation.as_bytes().as_slice())
                            .bind(row.identity.version)
                            .bind(row.identity.event_id.as_str())
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
                    query.execute(&mut **connection).await?;
                }
            }
            Transaction::Postgres(connection) => {
                let integers = |value: fn(&OpenRow) -> i64| rows.iter().map(|row| value(row)).collect::<Vec<i64>>();
                sqlx::query(include_str!("queries/open.postgres.sql"))
                    .bind(rows.iter().map(|row| row.identity.id.as_bytes().as_slice()).collect::<Vec<_>>())
                    .bind(integers(|row| row.identity.workspace.get()))
                    .bind(rows.iter().map(|row| row.identity.automation.as_bytes().as_slice()).collect::<Vec<_>>())
                    .bind(integers(|row| row.identity.version))
                    .bind(rows.iter().map(|row| row.identity.event_id.as_str()).collect::<Vec<_>>())
                    .bind(rows.iter().map(|row| phase_name(row.state.phase)).collect::<Vec<_>>())
                    .bind(integers(|_| FIRST_EPOCH))
                    .bind(rows.iter().map(|row| row.owner.map(|owner| owner.as_bytes().to_vec())).collect::<Vec<_>>())
                    .bind(integers(|row| count(row.state.step)))
                    .bind(integers(|row| i64::from(row.state.in_doubt)))
                    .bind(integers(|row| i64::from(row.state.attempts)))
                    .bind(integers(|row| i64::from(row.state.generation)))
                    .bind(integers(|row| i64::from(row.state.takeovers)))
                    .bind(integers(|row| row.identity.attempt))
                    .bind(integers(|row| row.identity.started_at.as_micros()))
                    .bind(vec![None::<i64>; rows.len()])
                    .bind(rows.iter().map(|row| row.behind.map(patchbay_types::ConnectionId::get)).collect::<Vec<_>>())
                    .bind(rows.iter().map(|row| row.reason).collect::<Vec<_>>())
                    .bind(rows.iter().map(|row| row.connections.as_str()).collect::<Vec<_>>())
                    .bind(rows.iter().map(|row| row.input.as_slice()).collect::<Vec<_>>())
                    .bind(vec![[].as_slice(); rows.len()])
                    .execute(&mut **connection)
                    .await?;
            }
        }
        Ok(())
    }

    /// Moves runs from the open ones into history, each only while it has the epoch that its row names.
    /// Says which were moved.
    pub(crate) async fn end(&self, transaction: &mut Transaction, rows: &[&EndRow]) -> Result<HashSet<RunId>, Error> {
        let mut by_epoch: BTreeMap<i64, Vec<&EndRow>> = BTreeMap::new();
        for row in rows {
            by_epoch.entry(row.epoch).or_default().push(row);
        }
        let mut ended = HashSet::with_capacity(rows.len());
        for (epoch, rows) in by_epoch {
            let closed = self.close(transaction, epoch, &rows).await?;
            ended.extend(closed.iter().filter_map(|id| RunId::from_slice(id).ok()));
        }
        let kept: Vec<&EndRow> = rows.iter().copied().filter(|row| ended.contains(&row.identity.id)).collect();
        self.keep(transaction, &kept).await?;
        Ok(ended)
    }

    async fn close(&self, transaction: &mut Transaction, epoch: i64, rows: &[&EndRow]) -> Result<Vec<Vec<u8>>, Error> {
        match transaction {
            Transaction::Sqlite(connection) => {
                let mut closed = Vec::with_capacity(rows.len());
                for chunk in chunks(rows) {
                    let mut query = sqlx::query(self.close.text(chunk));
                    for row in padded(chunk) {
                        query = query.bind(row.identity.id.as_bytes().as_slice());
                    }
                    let count = query.bind(epoch).execute(&mut **connection).await?.rows_affected();
                    let mut left = HashSet::new();
                    if count != chunk.len() as u64 {
                        // Those that were not closed are still open with another epoch, or ended already.
                        let mut query = sqlx::query_scalar::<_, Vec<u8>>(self.left.text(chunk));
                        for row in padded(chunk).chain(padded(chunk)) {
                            query = query.bind(row.identity.id.as_bytes().as_slice());
                        }
                        left.extend(query.fetch_all(&mut **connection).await?);
                    }
                    let ids = chunk.iter().map(|row| row.identity.id.as_bytes().to_vec());
                    closed.extend(ids.filter(|id| !left.contains(id)));
                }
                Ok(closed)
            }
            Transaction::Postgres(connection) => {
                let ids: Vec<&[u8]> = rows.iter().map(|row| row.identity.id.as_bytes().as_slice()).collect();
                let text = include_str!("queries/close.postgres.sql");
                Ok(sqlx::query_scalar(text).bind(ids).bind(epoch).fetch_all(&mut **connection).await?)
            }
        }
    }

    async fn keep(&self, transaction: &mut Transaction, rows: &[&EndRow]) -> Result<(), Error> {
        match transaction {
            Transaction::Sqlite(connection) => {
                for chunk in chunks(rows) {
                    let mut query = sqlx::query(self.keep.text(chunk));
                    for row in padded(chunk) {
                        query = query
                            .bind(row.identity.id.as_bytes().as_slice())
                            .bind(row.identity.workspace.get())
                            .bind(row.identity.automation.as_bytes().as_slice())
                            .bind(row.identity.version)
                            .bind(row.identity.event_id.as_str())
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
                    query.execute(&mut **connection).await?;
                }
            }
            Transaction::Postgres(connection) => {
                let integers = |value: fn(&EndRow) -> i64| rows.iter().map(|row| value(row)).collect::<Vec<i64>>();
                sqlx::query(include_str!("queries/keep.postgres.sql"))
                    .bind(rows.iter().map(|row| row.identity.id.as_bytes().as_slice()).collect::<Vec<_>>())
                    .bind(integers(|row| row.identity.workspace.get()))
                    .bind(rows.iter().map(|row| row.identity.automation.as_bytes().as_slice()).collect::<Vec<_>>())
                    .bind(integers(|row| row.identity.version))
                    .bind(rows.iter().map(|row| row.identity.event_id.as_str()).collect::<Vec<_>>())
                    .bind(rows.iter().map(|row| row.status).collect::<Vec<_>>())
                    .bind(integers(|row| row.epoch))
                    .bind(integers(|row| count(row.step)))
                    .bind(integers(|row| i64::from(row.in_doubt)))
                    .bind(integers(|row| i64::from(row.generation)))
                    .bind(integers(|row| row.identity.attempt))
                    .bind(integers(|row| row.identity.started_at.as_micros()))
                    .bind(integers(|row| row.finished_at.as_micros()))
                    .bind(rows.iter().map(|row| row.connections.as_str()).collect::<Vec<_>>())
                    .bind(rows.iter().map(|row| row.input.as_slice()).collect::<Vec<_>>())
                    .bind(rows.iter().map(|row| row.steps.as_slice()).collect::<Vec<_>>())
                    .execute(&mut **connection)
                    .await?;
            }
        }
        Ok(())
    }

    /// Forgets batches of ended runs that were told.
    pub(crate) async fn told(&self, transaction: &mut Transaction, batches: &[Uuid]) -> Result<(), Error> {
        match transaction {
            Transaction::Sqlite(connection) => {
                for chunk in chunks(batches) {
                    let mut query = sqlx::query(self.told.text(chunk));
                    for id in padded(chunk) {
                        query = query.bind(id.as_bytes().as_slice());
                    }
                    query.execute(&mut **connection).await?;
                }
            }
            Transaction::Postgres(connection) => {
                let ids: Vec<&[u8]> = batches.iter().map(|id| id.as_bytes().as_slice()).collect();
                sqlx::query(include_str!("queries/told.postgres.sql")).bind(ids).execute(&mut **connection).await?;
            }
        }
        Ok(())
    }
}

/// The epoch that a run is opened with.
pub(crate) const FIRST_EPOCH: i64 = 1;
