//! Another draft of an automation. What is published stays as it is.

use bytes::Bytes;
use patchbay_types::{AutomationId, WorkspaceId};

use super::{Automations, existing, named_source};
use crate::{definition::Definition, domain::Automation, error::Failure};

impl Automations {
    /// Replaces the draft. The automation keeps its id, and its source unless the draft names another.
    pub(crate) async fn update(
        &self,
        workspace: WorkspaceId,
        id: AutomationId,
        document: Bytes,
    ) -> Result<Automation, Failure> {
        // First, so that who can't see it learns nothing else.
        self.get(workspace, id).await?;
        let definition = Definition::parse(&document)?;
        if let Some(refusal) = self.examine(workspace, &definition).await?.refusal_of_draft() {
            return Err(refusal.into());
        }
        let mut change = self.store.change().await?;
        // Keeps this automation from being changed or deleted, and the one that has the named source, before this is written.
        change.take_turn().await?;
        let mut automation = existing(&mut change, workspace, id).await?;
        if let Some(named) = definition.trigger.source_id.filter(|named| *named != automation.source) {
            automation.source = named_source(&mut change, workspace, named).await?.id;
        }
        automation.document = document;
        automation.updated_at = self.clock.now();
        change.update_draft(&automation).await?;
        change.commit().await?;
        Ok(automation)
    }
}
