//! An automation goes, and its source with it.

use patchbay_types::{AutomationId, WorkspaceId};

use super::{Automations, existing};
use crate::{error::Failure, telemetry};

impl Automations {
    /// Deletes an automation. Its versions stay for runs that began with them; a source that others share stays too.
    pub(crate) async fn delete(&self, workspace: WorkspaceId, id: AutomationId) -> Result<(), Failure> {
        let mut change = self.store.change().await?;
        let revision = change.raise().await?;
        existing(&mut change, workspace, id).await?;
        change.delete_automation(workspace, id, self.clock.now(), revision).await?;
        change.commit().await?;
        telemetry::deleted(workspace, id);
        Ok(())
    }
}
