//! A new draft, with a source, so that its hook URL exists from now on.

use bytes::Bytes;
use patchbay_types::{AutomationId, Fault, SourceId, WorkspaceId};

use super::{Automations, Wanted, named_source};
use crate::{
    definition::Definition,
    domain::{Automation, Status},
    error::Failure,
};

impl Automations {
    /// Makes an automation that is not published.
    pub(crate) async fn create(&self, workspace: WorkspaceId, document: Bytes) -> Result<Automation, Failure> {
        if workspace.get() < 1 {
            return Err(Fault::invalid("a workspace's id is a positive number").with_field("workspace_id").into());
        }
        let definition = Definition::parse(&document)?;
        if let Some(refusal) = self.examine(workspace, &definition).await?.refusal_of_draft() {
            return Err(refusal.into());
        }
        let id = AutomationId::generate();
        let mut change = self.store.change().await?;
        let revision = change.raise().await?;
        let source = match definition.trigger.source_id {
            Some(shared) => named_source(&mut change, workspace, shared).await?.id,
            None => {
                let wanted = Wanted::of(&definition.trigger, &self.catalog);
                let source = wanted.into_source(SourceId::generate(), workspace, id, revision);
                change.save_source(&source).await?;
                source.id
            }
        };
        let now = self.clock.now();
        let automation = Automation {
            id,
            workspace,
            status: Status::Draft,
            version: 0,
            document,
            edits: 0,
            source,
            created_at: now,
            updated_at: now,
        };
        change.insert_automation(&automation, revision).await?;
        change.commit().await?;
        Ok(automation)
    }
}
