//! The connections to PostgreSQL by which runs are written and taken.

use std::{
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use patchbay_store::Error;
use sqlx::{PgConnection, PgPool};

use super::postgres::Texts;

/// How long one statement may take. What a lost connection had sent may still be done, so whoever waits asks again and
/// finds what is there.
const PATIENCE: Duration = Duration::from_secs(20);
/// Connections that are kept while nobody uses them.
const KEPT: usize = 4;
/// Plans are made once, when tables may still be empty, and must hold when they are not: so an index is used where there
/// is one. The server gives up a client that is gone before others wait long for its locks.
const SETTINGS: &str = "
    SET enable_seqscan = off;
    SET enable_bitmapscan = off;
    SET jit = off;
    SET plan_cache_mode = force_generic_plan;
    SET statement_timeout = '20s';
    SET lock_timeout = '10s';
    SET idle_in_transaction_session_timeout = '10s';
    SET tcp_keepalives_idle = 5;
    SET tcp_keepalives_interval = 2;
    SET tcp_keepalives_count = 3;
";

/// Connections with settings of their own, so beside the pool. There are as many as are used at once.
#[derive(Debug, Clone)]
pub(super) struct Connections {
    pool: PgPool,
    pub(super) texts: Arc<Texts>,
    idle: Arc<Mutex<Vec<PgConnection>>>,
}

impl Connections {
    pub(super) fn new(pool: PgPool) -> Self {
        Self { pool, texts: Arc::new(Texts::new()), idle: Arc::default() }
    }

    /// A connection for statements that are each a transaction. It is dropped when it is not [given back](Self::keep),
    /// as one must be whose statement failed or was given up.
    pub(super) async fn take(&self) -> Result<PgConnection, Error> {
        if let Some(connection) = self.idle().pop() {
            return Ok(connection);
        }
        Box::pin(within(self.connect())).await
    }

    async fn connect(&self) -> Result<PgConnection, sqlx::Error> {
        let mut connection = self.pool.acquire().await?.detach();
        sqlx::raw_sql(SETTINGS).execute(&mut connection).await?;
        Ok(connection)
    }

    /// Keeps a connection for the next who needs one.
    pub(super) fn keep(&self, connection: PgConnection) {
        let mut idle = self.idle();
        if idle.len() < KEPT && !self.pool.is_closed() {
            idle.push(connection);
        }
    }

    fn idle(&self) -> MutexGuard<'_, Vec<PgConnection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a statement gives, within the time that one may take.
pub(super) async fn within<T>(statement: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, Error> {
    match tokio::time::timeout(PATIENCE, statement).await {
        Ok(result) => Ok(result?),
        Err(_) => Err(sqlx::Error::Io(io::Error::new(io::ErrorKind::TimedOut, "no answer in time")).into()),
    }
}
