//! Switching a connection off.

use patchbay_types::{ConnectionId, WorkspaceId};

use super::{Connections, rules};
use crate::{
    Error,
    domain::{Connection, Status},
    telemetry,
};

impl Connections {
    /// Keeps the connection and all that it holds; its runs wait. One that is off already stays as it is.
    pub(crate) async fn disconnect(&self, workspace: WorkspaceId, id: ConnectionId) -> Result<Connection, Error> {
        let mut change = self.store.change().await?;
        let before = change.get(workspace, id).await?.ok_or_else(|| rules::no_connection(id))?;
        if before.status == Status::Disconnected {
            return Ok(before);
        }
        let after = Connection { status: Status::Disconnected, updated_at: self.clock.now(), ..before };
        change.set_status(workspace, id, after.status, after.updated_at).await?;
        change.commit().await?;
        telemetry::disconnected(workspace, id);
        Ok(after)
    }
}
