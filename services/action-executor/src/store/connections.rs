//! The connections to PostgreSQL by which runs are written and taken.

use std::{
    ops::{Deref, DerefMut},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use patchbay_store::{Error, Postgres, within};
use sqlx::PgConnection;

use super::postgres::Texts;

/// Connections that are kept while nobody uses them.
const KEPT: usize = 4;
/// Plans are made once, when tables may still be empty, and must hold when they are not: so an index is used where there
/// is one. The server notices a client that is gone before others wait long for its locks.
const SETTINGS: &str = "
    SET enable_seqscan = off;
    SET enable_bitmapscan = off;
    SET jit = off;
    SET plan_cache_mode = force_generic_plan;
    SET tcp_keepalives_idle = 5;
    SET tcp_keepalives_interval = 2;
    SET tcp_keepalives_count = 3;
";

/// Connections with settings of their own, so beside the pool. There are as many as are used at once.
#[derive(Debug, Clone)]
pub(super) struct Connections {
    postgres: Postgres,
    pub(super) texts: Arc<Texts>,
    idle: Arc<Mutex<Vec<Link>>>,
}

impl Connections {
    pub(super) fn new(postgres: Postgres) -> Self {
        Self { postgres, texts: Arc::new(Texts::new()), idle: Arc::default() }
    }

    /// A connection for statements that are each a transaction. It is dropped when it is not [given back](Self::keep),
    /// as one must be whose statement failed or was given up.
    pub(super) async fn take(&self) -> Result<Link, Error> {
        if let Some(link) = self.idle().pop() {
            return Ok(link);
        }
        let deadline = self.postgres.deadline;
        let connection = Box::pin(within(deadline, self.connect())).await?;
        Ok(Link { connection, deadline })
    }

    async fn connect(&self) -> Result<PgConnection, sqlx::Error> {
        let mut connection = self.postgres.pool.acquire().await?.detach();
        sqlx::raw_sql(SETTINGS).execute(&mut connection).await?;
        Ok(connection)
    }

    /// Keeps a connection for the next who needs one.
    pub(super) fn keep(&self, link: Link) {
        let mut idle = self.idle();
        if idle.len() < KEPT && !self.postgres.pool.is_closed() {
            idle.push(link);
        }
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Link>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection, and how long each of its statements may take. What a lost connection had sent may still be done, so
/// whoever waits asks again and finds what is there.
#[derive(Debug)]
pub(super) struct Link {
    connection: PgConnection,
    pub(super) deadline: Duration,
}

impl Deref for Link {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.connection
    }
}

impl DerefMut for Link {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.connection
    }
}
