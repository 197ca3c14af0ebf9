//! The table of lists: everything that reads it.

use std::collections::HashSet;

use patchbay_store::{Engine, Error, Migration, Transaction, payload, read, within, write};
use patchbay_types::{ConnectionId, Timestamp, WorkspaceId};

use crate::domain::{Account, Entry, Inputs, Kept, Place, Question};

const MIGRATIONS: &[Migration] = &[Migration {
    number: 1,
    name: "lists",
    sqlite: include_str!("../migrations/sqlite/0001_lists.sql"),
    postgres: include_str!("../migrations/postgres/0001_lists.sql"),
}];

const TAKE_TURN: &str = include_str!("../queries/take_turn.postgres.sql");
const LIST: &str = include_str!("../queries/list.sql");
const ASKED: &str = include_str!("../queries/asked.sql");
const SAVE: &str = include_str!("../queries/save.sql");
const DROP_SURPLUS: &str = include_str!("../queries/drop_surplus.sql");
const DROP_CONNECTION: &str = include_str!("../queries/drop_connection.sql");
const DROP_OLD: &str = include_str!("../queries/drop_old.sql");
const CONNECTIONS: &str = include_str!("../queries/connections.sql");

/// Lists that are kept of one connection, each with each of its inputs counted: those asked for last.
const MOST_LISTS: i64 = 200;

/// Brings the table of this service up to date.
///
/// # Errors
/// When a step fails (then nothing changed), the table is newer than this version, or older and only looked at.
pub async fn migrate(engine: &Engine) -> Result<(), Error> {
    engine.migrate("catalog", MIGRATIONS).await
}

/// Lists of the accounts of all workspaces.
#[derive(Debug, Clone)]
pub(crate) struct Store {
    engine: Engine,
}

impl Store {
    /// Brings the table up to date.
    pub(crate) async fn open(engine: Engine) -> Result<Self, Error> {
        migrate(&engine).await?;
        Ok(Self { engine })
    }

    /// Begins a change. Others wait for its end: each changes many rows, in an order of its own.
    async fn begin(&self) -> Result<Transaction, Error> {
        let mut transaction = self.engine.begin().await?;
        if let Transaction::Postgres(inner) = &mut transaction {
            within(inner.deadline(), sqlx::query(TAKE_TURN).execute(&mut **inner)).await?;
        }
        Ok(transaction)
    }

    /// A list that was asked of this version of the connection.
    pub(crate) async fn list(&self, place: &Place) -> Result<Option<Kept>, Error> {
        let row = read!(&self.engine, pool => sqlx::query_as::<_, (Vec<u8>, i64, i64)>(LIST)
            .bind(place.workspace.get())
            .bind(place.connection.get())
            .bind(place.list.as_str())
            .bind(&place.digest[..])
            .bind(place.version)
            .fetch_optional(pool).await)?;
        let Some((options, truncated, fetched_at)) = row else { return Ok(None) };
        let entries: Vec<Entry> = serde_json::from_slice(&payload::unpack(&options)?).map_err(damaged)?;
        Ok(Some(Kept { entries, truncated: truncated != 0, fetched_at: Timestamp::from_micros(fetched_at) }))
    }

    /// The lists that were asked of this version of the connection, each with its inputs.
    pub(crate) async fn asked(&self, account: &Account) -> Result<Vec<(String, Inputs)>, Error> {
        let rows = read!(&self.engine, pool => sqlx::query_as::<_, (String, Vec<u8>)>(ASKED)
            .bind(account.workspace.get()).bind(account.connection.get()).bind(account.version)
            .fetch_all(pool).await)?;
        let read = |(list, inputs): (String, Vec<u8>)| {
            let inputs = serde_json::from_slice(&payload::unpack(&inputs)?).map_err(damaged)?;
            Ok((list, inputs))
        };
        rows.into_iter().map(read).collect()
    }

    /// Keeps an answer. What belongs to other versions of the connection goes, and what was asked for longest ago when
    /// there are too many.
    pub(crate) async fn save(&self, question: &Question, kept: &Kept) -> Result<(), Error> {
        let place = question.place();
        let options =
            serde_json::to_vec(&kept.entries).map_err(|error| Error::Damaged(format!("options of a list: {error}")))?;
        let mut transaction = self.begin().await?;
        write!(transaction, connection => sqlx::query(SAVE)
            .bind(place.workspace.get())
            .bind(place.connection.get())
            .bind(place.list.as_str())
            .bind(&place.digest[..])
            .bind(payload::pack(&question.inputs_json()))
            .bind(place.version)
            .bind(payload::pack(&options))
            .bind(i64::from(kept.truncated))
            .bind(kept.fetched_at.as_micros())
            .execute(connection).await.map(drop))?;
        write!(transaction, connection => sqlx::query(DROP_SURPLUS)
            .bind(place.workspace.get()).bind(place.connection.get()).bind(place.version).bind(MOST_LISTS)
            .execute(connection).await.map(drop))?;
        transaction.commit().await
    }

    /// Whose lists are kept.
    pub(crate) async fn connections(&self) -> Result<HashSet<(WorkspaceId, ConnectionId)>, Error> {
        let rows = read!(&self.engine, pool => sqlx::query_as::<_, (i64, i64)>(CONNECTIONS).fetch_all(pool).await)?;
        let ids = |(workspace, connection)| (WorkspaceId::new(workspace), ConnectionId::new(connection));
        Ok(rows.into_iter().map(ids).collect())
    }

    /// Drops all lists of these connections.
    pub(crate) async fn drop_connections(&self, gone: &[(WorkspaceId, ConnectionId)]) -> Result<(), Error> {
        let mut transaction = self.begin().await?;
        for (workspace, id) in gone {
            write!(transaction, connection => sqlx::query(DROP_CONNECTION)
                .bind(workspace.get()).bind(id.get()).execute(connection).await.map(drop))?;
        }
        transaction.commit().await
    }

    /// Drops what was asked for before a time.
    pub(crate) async fn drop_old(&self, before: Timestamp) -> Result<(), Error> {
        let mut transaction = self.begin().await?;
        write!(transaction, connection => sqlx::query(DROP_OLD)
            .bind(before.as_micros()).execute(connection).await.map(drop))?;
        transaction.commit().await
    }
}

#[expect(clippy::needless_pass_by_value, reason = "handed to map_err")]
fn damaged(error: serde_json::Error) -> Error {
    Error::Damaged(format!("list of an account: {error}"))
}
