//! The draft becomes a version that every event accepted later follows.

use patchbay_types::{
    AutomationId, WorkspaceId,
    fault::{Code, Fault},
};
use serde_json::Value;

use super::{Automations, existing, named_source, parameters};
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
        if source.owner == id {
            let parameters = parameters(&definition);
            let operation = definition.trigger.operation;
            change.save_source(&Source { parameters, operation, revision, ..source }).await?;
        } else if sets_parameters(&definition, &source) {
            let message = format!("the source is shared, and automation {} sets its parameters", source.owner);
            return Err(Fault::new(Code::FailedPrecondition, message).with_field("trigger.parameters").into());
        }
        change.insert_version(&automation).await?;
        change.update_status(&automation, revision).await?;
        change.commit().await?;
        telemetry::published(workspace, id, automation.version);
        Ok(automation)
    }
}

/// Whether a definition wants other parameters than its shared source has.
fn sets_parameters(definition: &Definition, source: &Source) -> bool {
    let given = definition.trigger.parameters.clone().filter(|given| !given.is_empty());
    given.is_some_and(|given| serde_json::from_slice::<Value>(&source.parameters).ok() != Some(Value::Object(given)))
}
