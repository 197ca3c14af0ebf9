//! Switching a connection on again.

use patchbay_types::{ConnectionId, Fault, WorkspaceId, fault::Code};

use super::{Connections, rules};
use crate::{
    Error,
    domain::{Connection, Status},
    telemetry,
};

impl Connections {
    /// Lets a disconnected connection be used again; its runs go on. An active one stays as it is, and so does one that
    /// needs reauthorization: only a credential that works helps it.
    pub(crate) async fn reactivate(&self, workspace: WorkspaceId, id: ConnectionId) -> Result<Connection, Error> {
        let mut change = self.store.change().await?;
        let before = change.get(workspace, id).await?.ok_or_else(|| rules::no_connection(id))?;
        match before.status {
            Status::Active => return Ok(before),
            Status::NeedsReauthorization => {
                let message = format!(
                    "connection {id} needs reauthorization; give it its credential again, or test it if the partner takes \
                     the stored one again"
                );
                return Err(Fault::new(Code::FailedPrecondition, message).into());
            }
            Status::Disconnected | Status::Deleted => {}
        }
        let after = Connection { status: Status::Active, updated_at: self.clock.now(), ..before };
        change.set_status(workspace, id, after.status, after.updated_at).await?;
        change.commit().await?;
        telemetry::reactivated(workspace, id);
        Ok(after)
    }
}
