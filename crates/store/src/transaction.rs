//! A transaction on either engine.

use sqlx::Sqlite;

use crate::{Error, postgres::Begun};

/// A transaction that writes. Dropping it takes everything back.
#[derive(Debug)]
pub enum Transaction {
    /// On PostgreSQL.
    Postgres(Begun),
    /// On SQLite.
    Sqlite(sqlx::Transaction<'static, Sqlite>),
}

impl Transaction {
    /// Makes everything durable.
    ///
    /// # Errors
    /// When the database refuses; then nothing was written. When its answer is lost, everything may have been.
    pub async fn commit(self) -> Result<(), Error> {
        match self {
            Self::Postgres(inner) => inner.commit().await?,
            Self::Sqlite(inner) => inner.commit().await?,
        }
        Ok(())
    }
}
