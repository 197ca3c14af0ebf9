//! The draft becomes a version that every event accepted later follows.

use patchbay_types::{
    AutomationId, WorkspaceId,
    fault::{Code, Fault},
};

use super::{Automations, Wanted, existing, named_source};
use crate::{
    definition::Definition,
    domain::{Automation, Source},
    error::Failure,
    telemetry,
};

impl Automations {
    /// Freezes the draft. A draft becomes active; what is paused or stopped stays so.
    pub(crate) async fn publish(&self, workspace: WorkspaceId, id: AutomationId) -> Result<Automation, Failure> {
        let examined = self.get(workspace, id).await?;
        let definition = Definition::parse(&examined.document)?;
        if let Some(refusal) = self.examine(workspace, &definition).await?.refusal_of_publish() {
            return Err(refusal.into());
        }
        let mut change = self.store.change().await?;
        let revision = change.raise().await?;
        let mut automation = existing(&mut change, workspace, id).await?;
        if automation.edits != examined.edits {
            let message = "the draft was changed while it was being published; publish it again";
            return Err(Fault::new(Code::Conflict, message).into());
        }
        automation.status = automation.status.published();
        automation.version += 1;
        automation.updated_at = self.clock.now();
        let source = named_source(&mut change, workspace, automation.source).await?;
        let wanted = Wanted::of(&definition.trigger, &self.catalog);
        if source.owner == id {
            change.save_source(&wanted.into_source(source.id, workspace, id, revision)).await?;
        } else if let Some((what, field)) = differs(&wanted, &source) {
            let message = format!("the source is shared, and automation {} sets its {what}", source.owner);
            return Err(Fault::new(Code::FailedPrecondition, message).with_field(field).into());
        }
        change.insert_version(&automation).await?;
        change.update_status(&automation, revision).await?;
        change.commit().await?;
        telemetry::published(workspace, id, automation.version);
        Ok(automation)
    }
}

/// What a definition wants otherwise than its shared source has it, and where it says so. No parameters mean any.
fn differs(wanted: &Wanted, source: &Source) -> Option<(&'static str, &'static str)> {
    if wanted.operation != source.operation {
        return Some(("operation", "trigger.operation"));
    }
    if wanted.connection != source.connection {
        return Some(("connection", "trigger.connection_id"));
    }
    if wanted.mode != source.mode {
        return Some(("mode", "trigger.mode"));
    }
    let says_nothing = wanted.parameters == b"{}";
    (!says_nothing && wanted.parameters != source.parameters).then_some(("parameters", "trigger.parameters"))
}
