//! How connections to PostgreSQL are made and kept, and how long anything there may take.
//!
//! A server that vanishes behind a broken network says nothing: no error comes, only no answer. So whatever is asked has
//! a deadline here too, and a connection that owes an answer is never used again.

use std::{
    io,
    ops::{Deref, DerefMut},
    str::FromStr,
    time::Duration,
};

use sqlx::{
    Connection, PgConnection, SqlSafeStr,
    postgres::{PgConnectOptions, PgPoolOptions},
};

use crate::{Error, Options, Postgres};

/// A connection that nobody used for so long is asked for a sign of life before it is used again. One that was used
/// since is taken for alive: at worst one statement fails as it would a moment later.
const TRUSTED_FOR: Duration = Duration::from_secs(1);

/// What is asked for at every connection.
pub(crate) fn connecting(url: &str, options: &Options) -> Result<PgConnectOptions, Error> {
    let connecting = PgConnectOptions::from_str(url).map_err(|_| Error::Address)?;
    let connecting = match connecting.get_application_name() {
        Some(_) => connecting,
        None => connecting.application_name("patchbay"),
    };
    let given = connecting.get_options().unwrap_or_default().to_owned();
    let limit = format!("{}ms", options.statement_timeout.as_millis());
    let limits = ["statement_timeout", "idle_in_transaction_session_timeout"];
    Ok(connecting.options(limits.into_iter().filter(|name| !given.contains(name)).map(|name| (name, limit.clone()))))
}

/// What a statement gives, unless it takes longer than `deadline`. It may still be carried out then, as with any answer
/// that is lost.
///
/// # Errors
/// What the statement fails with, or that the deadline is over.
pub fn within<T>(
    deadline: Duration,
    statement: impl Future<Output = Result<T, sqlx::Error>>,
) -> impl Future<Output = Result<T, sqlx::Error>> {
    // What waits for it is many times as large otherwise.
    let statement = Box::pin(statement);
    async move { tokio::time::timeout(deadline, statement).await.unwrap_or_else(|_| Err(silent())) }
}

fn silent() -> sqlx::Error {
    sqlx::Error::Io(io::Error::new(io::ErrorKind::TimedOut, "no answer in time"))
}

/// No connection is made before one is needed.
pub(crate) fn later(connecting: PgConnectOptions, options: &Options) -> Postgres {
    let patience = options.patience;
    let pool = PgPoolOptions::new()
        .max_connections(options.connections)
        .acquire_timeout(patience)
        .test_before_acquire(false)
        .before_acquire(|connection, metadata| {
            Box::pin(async move {
                if metadata.idle_for >= TRUSTED_FOR {
                    connection.ping().await?;
                }
                Ok(true)
            })
        })
        // The pool itself would wait for a sign of life for ever, and have one connection less meanwhile.
        .after_release(move |connection, _| {
            Box::pin(async move { within(patience, connection.ping()).await.map(|()| true) })
        })
        .connect_lazy_with(connecting);
    // The server ends a long statement by itself and says so.
    Postgres { pool, deadline: options.statement_timeout + patience, schema: options.schema }
}

impl Postgres {
    /// Begins a transaction.
    ///
    /// # Errors
    /// When no connection is free in time, or the database can't be reached.
    pub async fn begin(&self) -> Result<Begun, sqlx::Error> {
        let inner = within(self.deadline, self.pool.begin()).await?;
        Ok(Begun { inner, deadline: self.deadline })
    }

    /// Begins a transaction by a statement of its own.
    ///
    /// # Errors
    /// Those of [`begin`](Self::begin).
    pub async fn begin_with(&self, statement: impl SqlSafeStr) -> Result<Begun, sqlx::Error> {
        let inner = within(self.deadline, self.pool.begin_with(statement)).await?;
        Ok(Begun { inner, deadline: self.deadline })
    }
}

/// A transaction and the time that each of its statements may take. Dropping it takes everything back.
#[derive(Debug)]
pub struct Begun {
    inner: sqlx::Transaction<'static, sqlx::Postgres>,
    deadline: Duration,
}

impl Begun {
    /// How long one statement may take, the way there and back included.
    #[must_use]
    pub const fn deadline(&self) -> Duration {
        self.deadline
    }

    /// Makes everything durable.
    ///
    /// # Errors
    /// When the database refuses, or does not answer: then it may have been written.
    pub async fn commit(self) -> Result<(), sqlx::Error> {
        within(self.deadline, self.inner.commit()).await
    }
}

impl Deref for Begun {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.inner
    }
}

impl DerefMut for Begun {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.inner
    }
}
