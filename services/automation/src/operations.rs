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
use patchbay_types::{AutomationId, ConnectionId, Fault, SourceId, WorkspaceId, json};

use crate::{
    definition::{Definition, Trigger},
    domain::{Automation, Source},
    error::Failure,
    peers::{Connections, SigningKey},
    store::{Change, Store},
    validation::{self, Report},
};

/// The automations of all workspaces, and what it takes to change them.
#[derive(Debug)]
pub(crate) struct Automations {
    pub(crate) store: Store,
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) connections: Connections,
    pub(crate) hook_key: Arc<SigningKey>,
    pub(crate) clock: Clock,
}

impl Automations {
    /// The path token of an automation's webhook; empty where its trigger takes none.
    pub(crate) fn hook_token(&self, key: &HookKey, automation: &Automation) -> String {
        let definition = Definition::parse(&automation.document);
        match definition.map(|definition| validation::mode(&definition.trigger, &self.catalog)) {
            Ok(mode) if mode != "webhook" => String::new(),
            _ => hook_token::encode(key, automation.source),
        }
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

/// What a definition's trigger asks of its source.
#[derive(Debug, PartialEq)]
struct Wanted {
    operation: String,
    connection: Option<ConnectionId>,
    mode: String,
    /// A JSON object.
    parameters: Vec<u8>,
}

impl Wanted {
    fn of(trigger: &Trigger, catalog: &Catalog) -> Self {
        let given = trigger.parameters.clone().unwrap_or_default();
        Self {
            operation: trigger.operation.clone(),
            connection: trigger.connection_id,
            mode: validation::mode(trigger, catalog),
            parameters: json::canonical(&given.into()),
        }
    }

    fn into_source(self, id: SourceId, workspace: WorkspaceId, owner: AutomationId, revision: i64) -> Source {
        let Self { operation, connection, mode, parameters } = self;
        Source { id, workspace, owner, operation, connection, mode, parameters, deleted: false, revision }
    }
}
