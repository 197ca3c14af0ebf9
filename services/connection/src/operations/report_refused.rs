//! A credential that no longer works.

use patchbay_types::ConnectionId;

use super::Connections;
use crate::{Error, telemetry};

impl Connections {
    /// Marks a connection whose credential of this revision does not work. One that changed since is left alone: its
    /// credential may be another.
    pub(crate) async fn report_refused(&self, id: ConnectionId, revision: i64) -> Result<(), Error> {
        let mut change = self.store.change().await?;
        if !change.mark_refused(id, revision, self.clock.now()).await? {
            return Ok(());
        }
        change.commit().await?;
        telemetry::refused_by_partner(id);
        Ok(())
    }
}
