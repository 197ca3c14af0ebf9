//! Dead letters: listed, brought in again, dropped.

use patchbay_store::{Error, read, write};
use patchbay_types::{Timestamp, WorkspaceId};

use super::Store;
use crate::rows::{DeadLetterRow, DeadLetterView};

impl Store {
    /// Dead letters of a workspace, newest first. Workspace 0 has those that belong to nobody.
    pub(crate) async fn list_dead_letters(
        &self,
        workspace: WorkspaceId,
        before: i64,
        limit: i64,
    ) -> Result<Vec<DeadLetterView>, Error> {
        let text = include_str!("../queries/list_dead_letters.sql");
        Ok(read!(&self.engine, pool => sqlx::query_as::<_, DeadLetterView>(text)
            .bind(workspace.get()).bind(before).bind(limit).fetch_all(pool).await)?)
    }

    /// One dead letter of a workspace.
    pub(crate) async fn dead_letter(&self, workspace: WorkspaceId, id: i64) -> Result<Option<DeadLetterRow>, Error> {
        let text = include_str!("../queries/show_dead_letter.sql");
        Ok(read!(&self.engine, pool => sqlx::query_as::<_, DeadLetterRow>(text)
            .bind(workspace.get()).bind(id).fetch_optional(pool).await)?)
    }

    /// Asks for the event of a dead letter to be brought in again. False when there is none.
    pub(crate) async fn ask_replay(&self, workspace: WorkspaceId, id: i64, now: Timestamp) -> Result<bool, Error> {
        let text = include_str!("../queries/ask_replay.sql");
        let mut transaction = self.engine.begin().await?;
        let rows = write!(transaction, connection => sqlx::query(text)
            .bind(workspace.get()).bind(id).bind(now.as_micros())
            .execute(connection).await.map(|done| done.rows_affected()))?;
        transaction.commit().await?;
        Ok(rows == 1)
    }

    /// Dead letters whose events are to be brought in again, of all workspaces.
    pub(crate) async fn asked_replays(&self, limit: i64) -> Result<Vec<DeadLetterRow>, Error> {
        let text = include_str!("../queries/asked_replays.sql");
        Ok(read!(&self.engine, pool => sqlx::query_as::<_, DeadLetterRow>(text)
            .bind(limit).fetch_all(pool).await)?)
    }

    /// Leaves a dead letter where it is, with a word about why its event was not brought in.
    pub(crate) async fn refuse_replay(&self, id: i64, error: &str) -> Result<(), Error> {
        let text = include_str!("../queries/refuse_replay.sql");
        let mut transaction = self.engine.begin().await?;
        write!(transaction, connection => sqlx::query(text).bind(id).bind(error).execute(connection).await.map(drop))?;
        transaction.commit().await
    }

    /// Forgets a dead letter. False when there is none.
    pub(crate) async fn drop_dead_letter(&self, workspace: WorkspaceId, id: i64) -> Result<bool, Error> {
        let text = include_str!("../queries/drop_dead_letter.sql");
        let mut transaction = self.engine.begin().await?;
        let rows = write!(transaction, connection => sqlx::query(text)
            .bind(workspace.get()).bind(id).execute(connection).await.map(|done| done.rows_affected()))?;
        transaction.commit().await?;
        Ok(rows == 1)
    }
}
