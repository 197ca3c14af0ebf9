//! What the service does, one use case a file.

mod change_status;
mod create;
mod delete;
mod follow;
mod publish;
mod read;
mod update;

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::Arc,
};

use patchbay_connector::Catalog;
use patchbay_runtime::Clock;
use patchbay_service::hook_token::{self, HookKey};
use patchbay_types::{AutomationId, Fault, SourceId, WorkspaceId};

use crate::{
    definition::Definition,
    domain::{Automation, Source},
    error::Failure,
    peers::Connections,
    store::{Change, Store},
    validation::Report,
};

/// The automations of all workspaces, and what it takes to change them.
#[derive(Debug)]
pub(crate) struct Automations {
    pub(crate) store: Store,
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) connections: Connections,
    pub(crate) hook_key: HookKey,
    pub(crate) clock: Clock,
}

impl Automations {
    /// The path token of a source's webhook.
    pub(crate) fn hook_token(&self, source: SourceId) -> String {
        hook_token::encode(&self.hook_key, source)
    }

    /// Examines a definition, and asks whose connections it names.
    async fn examine(&self, workspace: WorkspaceId, definition: &Definition) -> Result<Report, Fault> {
        let mut report = Report::of(definition, &self.catalog);
        let mut partners = HashMap::new();
        for reference in std::mem::take(&mut report.references) {
            let id = reference.connection;
            let partner = match partners.entry(id) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(unknown) => unknown.insert(self.connections.partner(workspace, id).await?),
            };
            match partner.as_deref() {
                Some(partner) if partner == reference.partner => {}
                Some(partner) => {
                    let message = format!(
                        "connection {id} leads to `{partner}`, but this operation needs one to `{}`",
                        reference.partner
                    );
                    report.wrong(reference.field, message);
                }
                None => {
                    let message = format!("connection {id} does not exist in this workspace");
                    report.wrong(reference.field, message);
                }
            }
        }
        Ok(report)
    }
}

/// The automation, as it is inside a change.
async fn existing(change: &mut Change, workspace: WorkspaceId, id: AutomationId) -> Result<Automation, Failure> {
    let automation = change.automation(workspace, id).await?;
    Ok(automation.ok_or_else(|| absent(id))?)
}

fn absent(id: AutomationId) -> Fault {
    Fault::not_found(format_args!("automation {id}"))
}

/// The living source that a definition names as its own or another's.
async fn named_source(change: &mut Change, workspace: WorkspaceId, id: SourceId) -> Result<Source, Failure> {
    let source = change.source(workspace, id).await?;
    let refusal =
        || Fault::invalid(format!("source {id} does not exist in this workspace")).with_field("trigger.source_id");
    Ok(source.ok_or_else(refusal)?)
}

/// The parameters of a definition's trigger, as a source keeps them.
fn parameters(definition: &Definition) -> Vec<u8> {
    let given = definition.trigger.parameters.clone().unwrap_or_default();
    patchbay_types::json::canonical(&given.into())
}
