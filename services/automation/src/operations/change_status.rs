//! An automation is paused, and started again.

use patchbay_types::{AutomationId, Fault, WorkspaceId};

use super::{Automations, existing};
use crate::{
    domain::{Automation, Status},
    error::Failure,
    telemetry,
};

impl Automations {
    /// Events accepted later start no runs of it.
    pub(crate) async fn pause(&self, workspace: WorkspaceId, id: AutomationId) -> Result<Automation, Failure> {
        self.change_status(workspace, id, Status::paused).await
    }

    /// Events accepted later start runs of it again.
    pub(crate) async fn start(&self, workspace: WorkspaceId, id: AutomationId) -> Result<Automation, Failure> {
        self.change_status(workspace, id, Status::started).await
    }

    async fn change_status(
        &self,
        workspace: WorkspaceId,
        id: AutomationId,
        next: fn(Status) -> Result<Status, Fault>,
    ) -> Result<Automation, Failure> {
        let mut change = self.store.change().await?;
        let revision = change.raise().await?;
        let mut automation = existing(&mut change, workspace, id).await?;
        let status = next(automation.status)?;
        if status == automation.status {
            return Ok(automation);
        }
        automation.status = status;
        automation.updated_at = self.clock.now();
        change.update_status(&automation, revision).await?;
        change.commit().await?;
        telemetry::status_changed(workspace, id, status.as_str());
        Ok(automation)
    }
}
