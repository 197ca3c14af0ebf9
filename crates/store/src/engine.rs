//! Opening a database.

use std::{path::PathBuf, str::FromStr, time::Duration};

use sqlx::{
    ConnectOptions, Connection, PgPool, SqlitePool,
    sqlite::{SqliteAutoVacuum, SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use crate::{Error, Transaction, postgres};

/// A database. Cloning shares its pools.
#[derive(Debug, Clone)]
pub enum Engine {
    /// A PostgreSQL server.
    Postgres(Postgres),
    /// A file of this process.
    Sqlite(Sqlite),
}

/// A pool, and what may be done with the tables of others.
#[derive(Debug, Clone)]
pub struct Postgres {
    /// Its connections.
    pub pool: PgPool,
    /// How long one statement may take, the way there and back included.
    pub deadline: Duration,
    pub(crate) schema: Schema,
}

/// What happens to tables that are not up to date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Schema {
    /// They are brought up to date.
    Migrate,
    /// They are refused: a process among many must not change what the others use.
    Check,
}

/// One writer, because SQLite has only one, and readers that never wait for it.
#[derive(Debug, Clone)]
pub struct Sqlite {
    /// The one connection that writes.
    pub writer: SqlitePool,
    /// Connections that only read.
    pub reader: SqlitePool,
    pub(crate) schema: Schema,
}

/// How a database is opened.
#[derive(Debug, Clone)]
pub struct Options {
    /// Connections to PostgreSQL, or readers of SQLite.
    pub connections: u32,
    /// How long to wait for a connection or a lock.
    pub patience: Duration,
    /// How long PostgreSQL may work on one statement, or wait for the next one of a transaction, before it takes it back:
    /// a process that is frozen must not hold rows for ever. An address that sets them in its `options` has its way.
    /// Migrations may take longer. A connection that owes an answer for `patience` longer is given up.
    pub statement_timeout: Duration,
    /// Pages that SQLite's writer may keep in memory, in KiB.
    pub cache_kib: u32,
    /// Pages of SQLite's write-ahead log after which they are written back into the file: more are less work together,
    /// fewer keep other writers of the same disk waiting for a shorter time.
    pub checkpoint_pages: u32,
    /// What happens to tables that are not up to date.
    pub schema: Schema,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            connections: 2,
            patience: Duration::from_secs(5),
            statement_timeout: Duration::from_secs(20),
            cache_kib: 16 * 1024,
            checkpoint_pages: 2_000,
            schema: Schema::Migrate,
        }
    }
}

impl Engine {
    /// Opens `sqlite://<path>` (made when missing) or `postgres://…`.
    ///
    /// # Errors
    /// When the address can't be read, or the database can't be reached or refuses.
    pub async fn open(url: &str, options: &Options) -> Result<Self, Error> {
        if let Some(path) = url.strip_prefix("sqlite://") {
            return Self::open_sqlite(PathBuf::from(path), options).await;
        }
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return Self::open_postgres(url, options).await;
        }
        Err(Error::Address)
    }

    /// A PostgreSQL that need not be there yet: connections are made when they are needed.
    ///
    /// # Errors
    /// When the address is not one of a PostgreSQL.
    pub fn later(url: &str, options: &Options) -> Result<Self, Error> {
        Ok(Self::Postgres(postgres::later(postgres::connecting(url, options)?, options)))
    }

    /// The first connection is made apart from the pool, which would keep trying and forget why it failed.
    async fn open_postgres(url: &str, options: &Options) -> Result<Self, Error> {
        let connecting = postgres::connecting(url, options)?;
        let connection = tokio::time::timeout(options.patience, connecting.connect()).await;
        connection.map_err(|_| sqlx::Error::PoolTimedOut)??.close().await?;
        Ok(Self::Postgres(postgres::later(connecting, options)))
    }

    async fn open_sqlite(path: PathBuf, options: &Options) -> Result<Self, Error> {
        let shared = SqliteConnectOptions::from_str("sqlite://")?
            .filename(path)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .auto_vacuum(SqliteAutoVacuum::Incremental)
            .foreign_keys(true)
            .busy_timeout(options.patience)
            .pragma("temp_store", "MEMORY");
        let writing = shared
            .clone()
            .create_if_missing(true)
            .pragma("wal_autocheckpoint", options.checkpoint_pages.to_string())
            .pragma("cache_size", format!("-{}", options.cache_kib));
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            .idle_timeout(None)
            .max_lifetime(None)
            .acquire_timeout(options.patience * 4)
            .connect_with(writing)
            .await?;
        let reader = SqlitePoolOptions::new()
            .max_connections(options.connections)
            .acquire_timeout(options.patience)
            .connect_lazy_with(shared.pragma("query_only", "ON").pragma("cache_size", "-1024"));
        Ok(Self::Sqlite(Sqlite { writer, reader, schema: options.schema }))
    }

    /// Begins a transaction that writes.
    ///
    /// # Errors
    /// When no connection is free in time, or the database can't be reached.
    pub async fn begin(&self) -> Result<Transaction, Error> {
        Ok(match self {
            Self::Postgres(postgres) => Transaction::Postgres(postgres.begin().await?),
            Self::Sqlite(sqlite) => Transaction::Sqlite(begin_sqlite(&sqlite.writer).await?),
        })
    }

    /// Whether this is a file of this process alone.
    #[must_use]
    pub const fn is_local(&self) -> bool {
        matches!(self, Self::Sqlite(_))
    }

    pub(crate) const fn schema(&self) -> Schema {
        match self {
            Self::Postgres(postgres) => postgres.schema,
            Self::Sqlite(sqlite) => sqlite.schema,
        }
    }

    /// Gives all connections back. SQLite's log is written into the file.
    pub async fn close(&self) {
        match self {
            Self::Postgres(postgres) => postgres.pool.close().await,
            Self::Sqlite(sqlite) => {
                sqlite.reader.close().await;
                sqlite.writer.close().await;
            }
        }
    }
}

/// SQLite takes a transaction back by itself when the disk is full. The connection then refuses to be told so again,
/// counts a transaction that is none, and would begin no other for ever: it is given up for a new one.
async fn begin_sqlite(writer: &SqlitePool) -> Result<sqlx::Transaction<'static, sqlx::Sqlite>, sqlx::Error> {
    const BEGIN: &str = "BEGIN IMMEDIATE";
    match writer.begin_with(BEGIN).await {
        Err(sqlx::Error::InvalidSavePointStatement) => {
            tracing::warn!("a transaction ended with the disk full, the database is opened anew");
            writer.acquire().await?.close().await?;
            writer.begin_with(BEGIN).await
        }
        other => other,
    }
}

/// Runs one expression on whichever pool reads. PostgreSQL must answer within its deadline.
///
/// `read!(engine, pool => sqlx::query_as::<_, (i64,)>(SQL).fetch_all(pool).await)`
#[macro_export]
macro_rules! read {
    ($engine:expr, $pool:ident => $body:expr) => {
        match $engine {
            $crate::Engine::Postgres(postgres) => {
                let $pool = &postgres.pool;
                $crate::within(postgres.deadline, async { $body }).await
            }
            $crate::Engine::Sqlite(sqlite) => {
                let $pool = &sqlite.reader;
                $body
            }
        }
    };
}

/// Runs one expression on whichever connection a transaction holds. PostgreSQL must answer within its deadline.
///
/// `write!(transaction, connection => sqlx::query(SQL).execute(connection).await)`
#[macro_export]
macro_rules! write {
    ($transaction:expr, $connection:ident => $body:expr) => {
        match &mut $transaction {
            $crate::Transaction::Postgres(inner) => {
                let deadline = inner.deadline();
                let $connection = &mut **inner;
                $crate::within(deadline, async { $body }).await
            }
            $crate::Transaction::Sqlite(inner) => {
                let $connection = &mut **inner;
                $body
            }
        }
    };
}
