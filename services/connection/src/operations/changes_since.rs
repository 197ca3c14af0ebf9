//! What changed, for those who hold definitions and credentials.

use super::Connections;
use crate::{Error, domain::Changes};

/// At most so many definitions in one answer, far below what a message may have.
const PAGE: i64 = 10_000;

impl Connections {
    /// The connections that changed after a revision, deleted ones too, the oldest change first. There may be more:
    /// who gets any asks again from the revision of the answer.
    pub(crate) async fn changes_since(&self, revision: i64) -> Result<Changes, Error> {
        let newest = self.store.newest_revision().await?;
        if revision == newest {
            return Ok(Changes { revision, definitions: Vec::new() });
        }
        // Ahead of us is who knew a database that was replaced by an older one: all is news.
        let since = if revision > newest { 0 } else { revision };
        let definitions = self.store.definitions_since(since, PAGE).await?;
        let revision = definitions.last().map_or(since, |last| last.revision);
        Ok(Changes { revision, definitions })
    }
}
