//! The end of a connection.

use patchbay_types::{ConnectionId, WorkspaceId};

use super::{Connections, rules};
use crate::{
    Error,
    domain::{Fields, Status},
    store::Row,
    telemetry,
};

impl Connections {
    /// Removes all that it held. Its id and revision stay, so that whoever holds its credential learns of the end.
    pub(crate) async fn delete(&self, workspace: WorkspaceId, id: ConnectionId) -> Result<(), Error> {
        let mut change = self.store.change().await?;
        change.get(workspace, id).await?.ok_or_else(|| rules::no_connection(id))?;
        let row =
            Row { title: "", status: Status::Deleted, shown: &Fields::new(), concurrency: None, at: self.clock.now() };
        change.update(workspace, id, &row).await?;
        change.delete_secrets(workspace, id).await?;
        change.commit().await?;
        telemetry::deleted(workspace, id);
        Ok(())
    }
}
