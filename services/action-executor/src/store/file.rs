//! The file of SQLite as a whole: how large it is, what fills it, and making it smaller.

use patchbay_store::{Engine, Error, Size, Sqlite};
use sqlx::FromRow;

use super::Store;

/// The file that the tables of runs are in, with those of the other services.
#[derive(Debug, Clone)]
pub(crate) struct File(Sqlite);

/// A finished run, as far as it matters for how much room it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromRow)]
pub(crate) struct Finished {
    /// Grows in the order in which runs finish.
    pub(crate) place: i64,
    pub(crate) bytes: i64,
    /// Whether it has a dead letter, whose replay begins it again.
    pub(crate) is_needed: bool,
}

/// About how many bytes there are of what is not removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromRow)]
pub(crate) struct Filling {
    pub(crate) open_runs: i64,
    /// With the runs that they need.
    pub(crate) dead_letters: i64,
    pub(crate) event_ids: i64,
}

impl Store {
    /// The file, where there is one.
    pub(crate) fn file(&self) -> Option<File> {
        match &self.engine {
            Engine::Sqlite(sqlite) => Some(File(sqlite.clone())),
            Engine::Postgres(_) => None,
        }
    }
}

impl File {
    pub(crate) async fn size(&self) -> Result<Size, Error> {
        self.0.size().await
    }

    /// Finished runs behind a place, those first that finished first.
    pub(crate) async fn oldest_finished(&self, after: i64, limit: i64) -> Result<Vec<Finished>, Error> {
        let text = include_str!("../queries/oldest_finished.sql");
        Ok(sqlx::query_as(text).bind(after).bind(limit).fetch_all(&self.0.reader).await?)
    }

    /// Removes the finished runs behind a place, up to another, that have no dead letter. Says how many.
    pub(crate) async fn remove_finished(&self, after: i64, last: i64) -> Result<u64, Error> {
        let text = include_str!("../queries/remove_finished.sql");
        Ok(sqlx::query(text).bind(after).bind(last).execute(&self.0.writer).await?.rows_affected())
    }

    /// What fills the file when no finished run can be removed any more.
    pub(crate) async fn filling(&self) -> Result<Filling, Error> {
        Ok(sqlx::query_as(include_str!("../queries/filling.sql")).fetch_one(&self.0.reader).await?)
    }

    /// Makes the file shorter by up to so many unused pages.
    pub(crate) async fn shorten(&self, pages: u32) -> Result<(), Error> {
        self.0.shorten(pages).await
    }

    /// Gives what it was shortened by back to the file system.
    pub(crate) async fn checkpoint(&self) -> Result<(), Error> {
        self.0.checkpoint().await
    }
}
