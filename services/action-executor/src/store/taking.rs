//! Runs that are taken from the store, and the leases by which they are held.

use std::time::Duration;

use patchbay_store::{Error, Sql, read, within, write};
use patchbay_types::{ConnectionId, IncarnationId, Timestamp};
use sqlx::query::QueryAs;

use super::{Store, Way, two};
use crate::rows::TakenRow;

const TAKE_DUE: Sql = two!("take_due");
const TAKE_BEHIND: Sql = two!("take_behind");
const TAKE_OVER: Sql = two!("take_over");
const IS_DUE: Sql = two!("is_due");
const BEGIN: Sql = two!("begin_incarnation");
const RENEW: Sql = two!("renew_incarnation");

/// Runs that are counted in one line.
const COUNTED: i64 = 256;

impl Store {
    /// Takes runs whose time came. The time is the database's where several processes share one.
    pub(crate) async fn take_due(
        &self,
        owner: IncarnationId,
        now: Timestamp,
        limit: i64,
    ) -> Result<Vec<TakenRow>, Error> {
        self.take(TAKE_DUE, owner, &[now.as_micros(), limit]).await
    }

    /// Takes the first runs in the line behind a connection.
    pub(crate) async fn take_behind(
        &self,
        owner: IncarnationId,
        connection: ConnectionId,
        limit: i64,
    ) -> Result<Vec<TakenRow>, Error> {
        self.take(TAKE_BEHIND, owner, &[connection.get(), limit]).await
    }

    /// Declares all others dead whose lease ended. There are none on SQLite.
    pub(crate) async fn end_incarnations(&self, owner: IncarnationId) -> Result<(), Error> {
        let Way::Postgres(connections) = &self.way else { return Ok(()) };
        let mut link = connections.take().await?;
        let ending =
            sqlx::query(include_str!("../queries/end_incarnations.postgres.sql")).bind(owner.as_bytes().as_slice());
        within(link.deadline, ending.execute(&mut *link)).await?;
        connections.keep(link);
        Ok(())
    }

    /// Takes runs of processes that were declared dead.
    pub(crate) async fn take_over(&self, owner: IncarnationId, limit: i64) -> Result<Vec<TakenRow>, Error> {
        self.take(TAKE_OVER, owner, &[limit]).await
    }

    async fn take(&self, sql: Sql, owner: IncarnationId, values: &[i64]) -> Result<Vec<TakenRow>, Error> {
        let text = sql.on(&self.engine);
        match &self.way {
            Way::Postgres(connections) => {
                let mut link = connections.take().await?;
                let query = sqlx::query_as::<_, TakenRow>(text).bind(owner.as_bytes().as_slice());
                let query = values.iter().fold(query, |query, value| query.bind(*value));
                let rows = within(link.deadline, query.fetch_all(&mut *link)).await?;
                connections.keep(link);
                Ok(rows)
            }
            Way::Sqlite(_) => {
                let mut transaction = self.engine.begin().await?;
                let rows = write!(transaction, connection => {
                    let query = sqlx::query_as::<_, TakenRow>(text).bind(owner.as_bytes().as_slice());
                    values.iter().fold(query, QueryAs::bind).fetch_all(connection).await
                })?;
                transaction.commit().await?;
                Ok(rows)
            }
        }
    }

    /// Whether a waiting run is due.
    pub(crate) async fn is_due(&self, now: Timestamp) -> Result<bool, Error> {
        let text = IS_DUE.on(&self.engine);
        match &self.way {
            Way::Postgres(connections) => {
                let mut link = connections.take().await?;
                let asking = sqlx::query_scalar(text).bind(now.as_micros());
                let is_due = within(link.deadline, asking.fetch_one(&mut *link)).await?;
                connections.keep(link);
                Ok(is_due)
            }
            Way::Sqlite(_) => {
                Ok(read!(&self.engine, pool => sqlx::query_scalar(text).bind(now.as_micros()).fetch_one(pool).await)?)
            }
        }
    }

    /// How many runs wait behind each connection, counted up to [`COUNTED`].
    pub(crate) async fn count_behind(&self) -> Result<Vec<(ConnectionId, u64)>, Error> {
        let text = include_str!("../queries/count_behind.sql");
        let rows: Vec<(i64, i64)> = match &self.way {
            Way::Postgres(connections) => {
                let mut link = connections.take().await?;
                let counting = sqlx::query_as(text).bind(COUNTED);
                let rows = within(link.deadline, counting.fetch_all(&mut *link)).await?;
                connections.keep(link);
                rows
            }
            Way::Sqlite(_) => read!(&self.engine, pool => sqlx::query_as(text).bind(COUNTED).fetch_all(pool).await)?,
        };
        Ok(rows.into_iter().map(|(id, waiting)| (ConnectionId::new(id), counted(waiting))).collect())
    }

    /// How many runs wait behind one connection, counted up to [`COUNTED`].
    pub(crate) async fn count_line(&self, id: ConnectionId) -> Result<u64, Error> {
        let waiting: i64 = read!(&self.engine, pool => sqlx::query_scalar(include_str!("../queries/count_line.sql"))
            .bind(id.get()).bind(COUNTED).fetch_one(pool).await)?;
        Ok(counted(waiting))
    }

    /// Begins this process's lease. Where the database is this process's own, all older ones end at once.
    pub(crate) async fn begin_incarnation(
        &self,
        id: IncarnationId,
        length: Duration,
        now: Timestamp,
    ) -> Result<(), Error> {
        self.lease(BEGIN, id, length, now).await.map(drop)
    }

    /// Renews the lease. False when somebody declared this process dead: others take its runs.
    pub(crate) async fn renew_incarnation(
        &self,
        id: IncarnationId,
        length: Duration,
        now: Timestamp,
    ) -> Result<bool, Error> {
        Ok(self.lease(RENEW, id, length, now).await? == 1)
    }

    /// On PostgreSQL by a connection beside the pool: who reads lists there must not keep the lease waiting.
    async fn lease(&self, sql: Sql, id: IncarnationId, length: Duration, now: Timestamp) -> Result<u64, Error> {
        let text = sql.on(&self.engine);
        let (id, length) = (id.as_bytes().as_slice(), micros(length));
        match &self.way {
            Way::Postgres(connections) => {
                let mut link = connections.take().await?;
                let leasing = sqlx::query(text).bind(id).bind(length).bind(now.as_micros());
                let done = within(link.deadline, leasing.execute(&mut *link)).await?;
                connections.keep(link);
                Ok(done.rows_affected())
            }
            Way::Sqlite(_) => {
                let mut transaction = self.engine.begin().await?;
                if sql.sqlite == BEGIN.sqlite {
                    write!(transaction, connection => sqlx::query(include_str!("../queries/end_all_incarnations.sql"))
                        .execute(connection).await.map(drop))?;
                }
                let rows = write!(transaction, connection => sqlx::query(text)
                    .bind(id).bind(length).bind(now.as_micros())
                    .execute(connection).await.map(|done| done.rows_affected()))?;
                transaction.commit().await?;
                Ok(rows)
            }
        }
    }
}

fn counted(waiting: i64) -> u64 {
    u64::try_from(waiting).unwrap_or(0)
}

fn micros(length: Duration) -> i64 {
    i64::try_from(length.as_micros()).unwrap_or(i64::MAX)
}
