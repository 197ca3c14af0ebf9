//! Everything that writes connections: one transaction, one revision.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use patchbay_store::{Engine, Error, Transaction, write};
use patchbay_types::{ConnectionId, Timestamp, WorkspaceId};
use sqlx::{query, query_as};

use super::{ConnectionColumns, GET, connection, keys::record_key};
use crate::{
    domain::{Connection, Fields, Status},
    operations::SealedSecret,
};

const RAISE_REVISION: &str = include_str!("../../queries/raise_revision.sql");
const INSERT: &str = include_str!("../../queries/insert.sql");
const UPDATE: &str = include_str!("../../queries/update.sql");
const MARK_REFUSED: &str = include_str!("../../queries/mark_refused.sql");
const MARK_PROVEN: &str = include_str!("../../queries/mark_proven.sql");
const SET_STATUS: &str = include_str!("../../queries/set_status.sql");
const PUT_SECRET: &str = include_str!("../../queries/put_secret.sql");
const DELETE_SECRET: &str = include_str!("../../queries/delete_secret.sql");
const DELETE_SECRETS: &str = include_str!("../../queries/delete_secrets.sql");

/// What is written of a connection.
#[derive(Debug)]
pub(crate) struct Row<'a> {
    pub(crate) title: &'a str,
    pub(crate) status: Status,
    pub(crate) shown: &'a Fields,
    pub(crate) concurrency: Option<i64>,
    pub(crate) at: Timestamp,
}

/// A change under way. Dropping it takes everything back. It changes exactly one connection: a revision belongs to one.
#[derive(Debug)]
pub(crate) struct Change {
    transaction: Transaction,
    revision: i64,
    ceiling: Option<Arc<AtomicI64>>,
}

impl Change {
    pub(super) async fn begin(engine: &Engine, ceiling: Option<Arc<AtomicI64>>) -> Result<Self, Error> {
        let mut transaction = engine.begin().await?;
        // First of all: the lock on this row makes writers take turns.
        let (revision,): (i64,) =
            write!(transaction, connection => query_as(RAISE_REVISION).fetch_one(connection).await)?;
        Ok(Self { transaction, revision, ceiling })
    }

    pub(crate) async fn get(&mut self, workspace: WorkspaceId, id: ConnectionId) -> Result<Option<Connection>, Error> {
        let found: Option<ConnectionColumns> = write!(self.transaction, connection =>
            query_as(GET).bind(workspace.get()).bind(id.get()).fetch_optional(connection).await)?;
        Ok(found.map(connection))
    }

    pub(crate) async fn insert(
        &mut self,
        workspace: WorkspaceId,
        partner: &str,
        row: &Row<'_>,
    ) -> Result<ConnectionId, Error> {
        let (id,): (i64,) = write!(self.transaction, connection => query_as(INSERT)
            .bind(workspace.get())
            .bind(partner)
            .bind(row.title)
            .bind(row.status.name())
            .bind(stored(row.shown))
            .bind(row.concurrency)
            .bind(self.revision)
            .bind(row.at.as_micros())
            .fetch_one(connection)
            .await)?;
        Ok(ConnectionId::new(id))
    }

    pub(crate) async fn update(
        &mut self,
        workspace: WorkspaceId,
        id: ConnectionId,
        row: &Row<'_>,
    ) -> Result<(), Error> {
        write!(self.transaction, connection => query(UPDATE)
            .bind(workspace.get())
            .bind(id.get())
            .bind(row.title)
            .bind(row.status.name())
            .bind(stored(row.shown))
            .bind(row.concurrency)
            .bind(self.revision)
            .bind(row.at.as_micros())
            .execute(connection)
            .await
            .map(drop))?;
        Ok(())
    }

    /// Marks a connection that is active and still has this revision. Returns whether it did.
    pub(crate) async fn mark_refused(&mut self, id: ConnectionId, revision: i64, at: Timestamp) -> Result<bool, Error> {
        self.mark(MARK_REFUSED, id, revision, at).await
    }

    /// Makes a connection active that needs reauthorization and still has this revision. Returns whether it did.
    pub(crate) async fn mark_proven(&mut self, id: ConnectionId, revision: i64, at: Timestamp) -> Result<bool, Error> {
        self.mark(MARK_PROVEN, id, revision, at).await
    }

    async fn mark(
        &mut self,
        statement: &'static str,
        id: ConnectionId,
        revision: i64,
        at: Timestamp,
    ) -> Result<bool, Error> {
        let marked = write!(self.transaction, connection => query(statement)
            .bind(id.get())
            .bind(revision)
            .bind(self.revision)
            .bind(at.as_micros())
            .execute(connection)
            .await
            .map(|done| done.rows_affected()))?;
        Ok(marked == 1)
    }

    pub(crate) async fn set_status(
        &mut self,
        workspace: WorkspaceId,
        id: ConnectionId,
        status: Status,
        at: Timestamp,
    ) -> Result<(), Error> {
        write!(self.transaction, connection => query(SET_STATUS)
            .bind(workspace.get())
            .bind(id.get())
            .bind(status.name())
            .bind(self.revision)
            .bind(at.as_micros())
            .execute(connection)
            .await
            .map(drop))?;
        Ok(())
    }

    /// Stores a sealed secret, unless another key has sealed under the id of its key: then returns that one's fingerprint.
    pub(crate) async fn put_secret(
        &mut self,
        workspace: WorkspaceId,
        id: ConnectionId,
        secret: &SealedSecret,
    ) -> Result<Option<String>, Error> {
        let other = record_key(&mut self.transaction, &secret.key).await?;
        if other.is_some() {
            return Ok(other);
        }
        write!(self.transaction, connection => query(PUT_SECRET)
            .bind(workspace.get())
            .bind(id.get())
            .bind(&secret.field)
            .bind(&secret.key.id)
            .bind(&secret.sealed)
            .execute(connection)
            .await
            .map(drop))?;
        Ok(None)
    }

    pub(crate) async fn delete_secret(
        &mut self,
        workspace: WorkspaceId,
        id: ConnectionId,
        field: &str,
    ) -> Result<(), Error> {
        write!(self.transaction, connection => query(DELETE_SECRET)
            .bind(workspace.get()).bind(id.get()).bind(field).execute(connection).await.map(drop))?;
        Ok(())
    }

    pub(crate) async fn delete_secrets(&mut self, workspace: WorkspaceId, id: ConnectionId) -> Result<(), Error> {
        write!(self.transaction, connection => query(DELETE_SECRETS)
            .bind(workspace.get()).bind(id.get()).execute(connection).await.map(drop))?;
        Ok(())
    }

    /// Makes the change durable and visible.
    pub(crate) async fn commit(self) -> Result<(), Error> {
        // Before the commit: whoever gives up waiting for it must not leave a change behind that nobody asks for.
        if let Some(ceiling) = &self.ceiling {
            ceiling.fetch_max(self.revision, Ordering::AcqRel);
        }
        self.transaction.commit().await
    }
}

fn stored(shown: &Fields) -> Vec<u8> {
    // Values that came from JSON always go back into it.
    serde_json::to_vec(shown).unwrap_or_default()
}
