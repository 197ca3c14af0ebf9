//! The tables of connections: everything that reads them.

mod change;
mod keys;

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use patchbay_store::{Engine, Error, Migration, read};
use patchbay_types::{ConnectionId, Timestamp, WorkspaceId};
use sqlx::query_as;

pub(crate) use change::{Change, Row};
pub(crate) use keys::{KeyChange, UsedKey};

use crate::{
    domain::{Connection, Definition, Fields, SealedCredential, Status},
    telemetry,
};

const MIGRATIONS: &[Migration] = &[Migration {
    number: 1,
    name: "connections",
    sqlite: include_str!("../migrations/sqlite/0001_connections.sql"),
    postgres: include_str!("../migrations/postgres/0001_connections.sql"),
}];

const REVISION: &str = include_str!("../queries/revision.sql");
const GET: &str = include_str!("../queries/get.sql");
const LIST: &str = include_str!("../queries/list.sql");
const DEFINITIONS_SINCE: &str = include_str!("../queries/definitions_since.sql");
const CREDENTIAL: &str = include_str!("../queries/credential.sql");
const HOOK_KEYS: &str = include_str!("../queries/hook_keys.sql");

/// Columns of `get.sql` and `list.sql`, in their order.
type ConnectionColumns = (i64, i64, String, String, String, Vec<u8>, Option<i64>, i64, i64);
/// Columns of `definitions_since.sql`.
type DefinitionColumns = (i64, i64, String, String, i64, Option<i64>);
/// Columns of `credential.sql`: one row a secret, or one without.
type CredentialColumns = (i64, String, String, Vec<u8>, i64, Option<String>, Option<Vec<u8>>);

/// Brings the tables of this service up to date.
///
/// # Errors
/// When a step fails (then nothing changed), the tables are newer than this version, or older and only looked at.
pub async fn migrate(engine: &Engine) -> Result<(), Error> {
    engine.migrate("connection", MIGRATIONS).await
}

/// The tables. Cloning shares them.
#[derive(Debug, Clone)]
pub(crate) struct Store {
    engine: Engine,
    /// No committed revision is above it. Known where no other process writes.
    ceiling: Option<Arc<AtomicI64>>,
}

impl Store {
    /// Brings the tables up to date.
    pub(crate) async fn open(engine: Engine) -> Result<Self, Error> {
        migrate(&engine).await?;
        let mut store = Self { engine, ceiling: None };
        if store.engine.is_local() {
            store.ceiling = Some(Arc::new(AtomicI64::new(store.newest_revision().await?)));
        }
        Ok(store)
    }

    /// The revision of the newest change. Where only this process writes it costs no query, and may be ahead of a change
    /// that is being committed or was given up.
    pub(crate) async fn newest_revision(&self) -> Result<i64, Error> {
        if let Some(ceiling) = &self.ceiling {
            return Ok(ceiling.load(Ordering::Acquire));
        }
        let (revision,): (i64,) = read!(&self.engine, pool => query_as(REVISION).fetch_one(pool).await)?;
        Ok(revision)
    }

    pub(crate) async fn get(&self, workspace: WorkspaceId, id: ConnectionId) -> Result<Option<Connection>, Error> {
        let found: Option<ConnectionColumns> = read!(&self.engine, pool =>
            query_as(GET).bind(workspace.get()).bind(id.get()).fetch_optional(pool).await)?;
        Ok(found.map(connection))
    }

    /// At most `limit` connections of a workspace after `after`, in the order of their ids.
    pub(crate) async fn list(&self, workspace: WorkspaceId, after: i64, limit: i64) -> Result<Vec<Connection>, Error> {
        let found: Vec<ConnectionColumns> = read!(&self.engine, pool =>
            query_as(LIST).bind(workspace.get()).bind(after).bind(limit).fetch_all(pool).await)?;
        Ok(found.into_iter().map(connection).collect())
    }

    /// At most `limit` definitions of all workspaces that changed after `revision`, in the order of their changes.
    pub(crate) async fn definitions_since(&self, revision: i64, limit: i64) -> Result<Vec<Definition>, Error> {
        let found: Vec<DefinitionColumns> = read!(&self.engine, pool =>
            query_as(DEFINITIONS_SINCE).bind(revision).bind(limit).fetch_all(pool).await)?;
        Ok(found.into_iter().map(definition).collect())
    }

    /// What is needed to issue the credential of a connection, read at one moment.
    pub(crate) async fn credential(&self, id: ConnectionId) -> Result<Option<SealedCredential>, Error> {
        let rows: Vec<CredentialColumns> =
            read!(&self.engine, pool => query_as(CREDENTIAL).bind(id.get()).fetch_all(pool).await)?;
        let Some((workspace, partner, status, fields, revision, ..)) = rows.first() else { return Ok(None) };
        let mut sealed = SealedCredential {
            workspace: WorkspaceId::new(*workspace),
            partner: partner.clone(),
            status: Status::from_stored(status),
            revision: *revision,
            shown: serde_json::from_slice(fields).ok(),
            secrets: Vec::with_capacity(rows.len()),
        };
        let secrets = rows.into_iter().filter_map(|(_, _, _, _, _, field, secret)| field.zip(secret));
        sealed.secrets.extend(secrets);
        Ok(Some(sealed))
    }

    /// Generation and sealed key, the oldest first.
    pub(crate) async fn hook_keys(&self) -> Result<Vec<(i64, Vec<u8>)>, Error> {
        Ok(read!(&self.engine, pool => query_as(HOOK_KEYS).fetch_all(pool).await)?)
    }

    /// Begins a change of connections. Others wait for its end, so revisions become visible in their order.
    pub(crate) async fn change(&self) -> Result<Change, Error> {
        Change::begin(&self.engine, self.ceiling.clone()).await
    }

    /// Begins a change of keys. Others wait for its end.
    pub(crate) async fn change_keys(&self) -> Result<KeyChange, Error> {
        KeyChange::begin(&self.engine).await
    }
}

/// A row as a connection. One whose fields can't be read is still listed, so that a person can mend it.
fn connection(columns: ConnectionColumns) -> Connection {
    let (id, workspace, partner, title, status, fields, concurrency, created_at, updated_at) = columns;
    let id = ConnectionId::new(id);
    let (shown, status) = match serde_json::from_slice::<Fields>(&fields) {
        Ok(shown) => (shown, Status::from_stored(&status)),
        Err(_) => {
            telemetry::fields_damaged(id);
            (Fields::new(), Status::NeedsReauthorization)
        }
    };
    Connection {
        id,
        workspace: WorkspaceId::new(workspace),
        partner,
        title,
        status,
        shown,
        concurrency,
        created_at: Timestamp::from_micros(created_at),
        updated_at: Timestamp::from_micros(updated_at),
    }
}

fn definition((id, workspace, partner, status, revision, concurrency): DefinitionColumns) -> Definition {
    Definition {
        id: ConnectionId::new(id),
        workspace: WorkspaceId::new(workspace),
        partner,
        status: Status::from_stored(&status),
        revision,
        concurrency,
    }
}
