//! What the executor knows of automations and connections: a copy that follows their owners by revision.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use patchbay_connector::Catalog;
use patchbay_proto::{
    Route,
    automation::internal::v1::{
        ChangesSinceRequest, GetVersionRequest, PublishedAutomation,
        automation_internal_service_client::AutomationInternalServiceClient,
    },
    connection::internal::v1::{
        ChangesSinceRequest as ConnectionChangesRequest, ConnectionDefinition,
        connection_internal_service_client::ConnectionInternalServiceClient,
    },
};
use patchbay_runtime::Clock;
use patchbay_service::status;
use patchbay_types::{AutomationId, ConnectionId, Fault, SourceId, WorkspaceId, fault::Code};

use crate::{
    gate::{Gates, Rate},
    plan::{CompiledAutomation, source_of},
};

/// Compiled older versions that are kept for runs that began with them.
const OLD_VERSIONS: usize = 256;
/// All definitions may come in one answer.
const LARGEST_ANSWER: usize = 256 * 1024 * 1024;

/// A copy of the definitions.
#[derive(Debug)]
pub(crate) struct Definitions {
    automation: AutomationInternalServiceClient<Route>,
    connection: ConnectionInternalServiceClient<Route>,
    catalog: Arc<Catalog>,
    delays: Vec<Duration>,
    gates: Arc<Gates>,
    known: Mutex<Known>,
    /// Since when the owners can't be asked, since boot, and why.
    trouble: Mutex<Option<(Duration, String)>>,
    clock: Clock,
    /// One at a time: an older answer must not overwrite a newer one.
    refreshing: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct Known {
    automation_revision: i64,
    connection_revision: i64,
    by_source: HashMap<SourceId, Vec<Listener>>,
    published: HashMap<AutomationId, PublishedAutomation>,
    old: HashMap<(AutomationId, i64), Compiled>,
    connections: HashMap<ConnectionId, ConnectionDefinition>,
}

/// A version that is compiled, or why it can't be.
pub(crate) type Compiled = Result<Arc<CompiledAutomation>, Arc<str>>;

/// An automation that listens to a source.
#[derive(Debug, Clone)]
pub(crate) struct Listener {
    pub(crate) id: AutomationId,
    pub(crate) active: bool,
    pub(crate) compiled: Compiled,
    pub(crate) workspace: i64,
    pub(crate) version: i64,
}

impl Definitions {
    pub(crate) fn new(
        automation: Route,
        connection: Route,
        catalog: Arc<Catalog>,
        delays: Vec<Duration>,
        gates: Arc<Gates>,
        clock: Clock,
    ) -> Self {
        Self {
            automation: AutomationInternalServiceClient::new(automation).max_decoding_message_size(LARGEST_ANSWER),
            connection: ConnectionInternalServiceClient::new(connection).max_decoding_message_size(LARGEST_ANSWER),
            catalog,
            delays,
            gates,
            known: Mutex::default(),
            trouble: Mutex::default(),
            clock,
            refreshing: tokio::sync::Mutex::default(),
        }
    }

    /// Catches up with the owners. When one can't be reached nothing may be decided.
    pub(crate) async fn refresh(&self) -> Result<(), Fault> {
        let _turn = self.refreshing.lock().await;
        let refreshed = async {
            while self.refresh_once().await? {}
            Ok(())
        };
        let refreshed: Result<(), Fault> = refreshed.await;
        self.note(refreshed.as_ref().err());
        refreshed
    }

    /// For how long the owners can't be asked, and why.
    pub(crate) fn trouble(&self) -> Option<(Duration, String)> {
        let trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.since_boot();
        trouble.as_ref().map(|(since, reason)| (now.saturating_sub(*since), reason.clone()))
    }

    /// Logs the beginning and the end of an outage, not every try.
    fn note(&self, fault: Option<&Fault>) {
        let mut trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        match (fault, trouble.take()) {
            (None, None) => {}
            (None, Some(_)) => tracing::info!("definitions can be read again"),
            (Some(fault), before) => {
                let reason = fault.to_string();
                if before.as_ref().is_none_or(|(_, said)| *said != reason) {
                    tracing::warn!(reason, "definitions can't be read, events and runs wait");
                }
                let since = before.map_or_else(|| self.clock.since_boot(), |(since, _)| since);
                *trouble = Some((since, reason));
            }
        }
    }

    /// One answer of each owner. True while there may be more.
    async fn refresh_once(&self) -> Result<bool, Fault> {
        let (automation_revision, connection_revision) = {
            let known = self.known();
            (known.automation_revision, known.connection_revision)
        };
        // Asked at the same time: where something has changed both are asked again, until both know of nothing new.
        let (mut connection, mut automation) = (self.connection.clone(), self.automation.clone());
        let (connections, automations) = tokio::try_join!(
            connection.changes_since(ConnectionChangesRequest { revision: connection_revision }),
            automation.changes_since(ChangesSinceRequest { revision: automation_revision }),
        )
        .map_err(|error| status::to_fault(&error))?;
        let (connections, automations) = (connections.into_inner(), automations.into_inner());
        let more = !connections.connections.is_empty() || !automations.automations.is_empty();
        let mut known = self.known();
        known.connection_revision = known.connection_revision.max(connections.revision);
        for definition in connections.connections {
            self.define(&mut known, definition);
        }
        known.automation_revision = known.automation_revision.max(automations.revision);
        for published in automations.automations {
            self.follow(&mut known, published);
        }
        Ok(more)
    }

    fn define(&self, known: &mut Known, definition: ConnectionDefinition) {
        let id = ConnectionId::new(definition.id);
        // Calls to a deleted connection are let through, so that its waiting runs fail with a clear reason.
        let usable = matches!(definition.status.as_str(), "active" | "deleted");
        let budget = self.catalog.connector(&definition.partner).map(|connector| connector.budget());
        let own = budget.and_then(|budget| budget.concurrency);
        let limit = definition.concurrency.map_or(own, |limit| u32::try_from(limit).ok());
        let rate = budget.and_then(|budget| budget.rate);
        let rate = rate.map(|rate| Rate { requests: rate.requests, per: rate.per });
        self.gates.gate(id).define(usable, limit, rate);
        known.connections.insert(id, definition);
    }

    fn follow(&self, known: &mut Known, published: PublishedAutomation) {
        let Ok(id) = AutomationId::from_slice(&published.id) else { return };
        if let Some(before) = known.published.remove(&id)
            && let Some(listeners) = source_of(&before).and_then(|source| known.by_source.get_mut(&source))
        {
            let replaced = listeners.iter().position(|listener| listener.id == id);
            if let Some(listener) = replaced.map(|index| listeners.swap_remove(index)) {
                known.remember((id, before.version), listener.compiled);
            }
        }
        if published.status == "deleted" {
            return;
        }
        let compiled = CompiledAutomation::compile(&published, &published.definition, &self.catalog, &self.delays)
            .map(Arc::new)
            .map_err(Arc::from);
        if let Err(reason) = &compiled {
            tracing::warn!(automation = %id, version = published.version, %reason, "automation can't be compiled, its runs will fail");
        }
        if let Some(source) = source_of(&published) {
            known.by_source.entry(source).or_default().push(Listener {
                id,
                active: published.status == "active",
                compiled,
                workspace: published.workspace_id,
                version: published.version,
            });
        }
        known.published.insert(id, published);
    }

    /// The automations that listen to a source.
    pub(crate) fn listeners(&self, source: SourceId) -> Vec<Listener> {
        self.known().by_source.get(&source).cloned().unwrap_or_default()
    }

    /// The revision of a connection of this workspace. One of another workspace is unknown here.
    pub(crate) fn connection_revision(&self, workspace: WorkspaceId, id: ConnectionId) -> Option<i64> {
        let known = self.known();
        let definition = known.connections.get(&id).filter(|definition| definition.workspace_id == workspace.get())?;
        (definition.status != "deleted").then_some(definition.revision)
    }

    /// The version that a run began with, newest or not.
    pub(crate) async fn version(&self, id: AutomationId, version: i64) -> Result<Compiled, Fault> {
        let published = {
            let known = self.known();
            let newest = known.published.get(&id);
            let current = newest.filter(|published| published.version == version).and_then(source_of);
            let listeners = current.and_then(|source| known.by_source.get(&source));
            if let Some(listener) = listeners.and_then(|listeners| listeners.iter().find(|listener| listener.id == id))
            {
                return Ok(listener.compiled.clone());
            }
            if let Some(compiled) = known.old.get(&(id, version)) {
                return Ok(compiled.clone());
            }
            newest.cloned()
        };
        let request = GetVersionRequest { automation_id: id.as_bytes().to_vec().into(), version };
        let definition = match self.automation.clone().get_version(request).await {
            Ok(response) => response.into_inner().definition,
            Err(error) if status::to_fault(&error).code == Code::NotFound => {
                return Ok(Err(Arc::from("its automation was deleted")));
            }
            Err(error) => return Err(status::to_fault(&error)),
        };
        let published = published.unwrap_or_else(|| PublishedAutomation {
            id: id.as_bytes().to_vec().into(),
            ..PublishedAutomation::default()
        });
        let compiled = CompiledAutomation::compile(&published, &definition, &self.catalog, &self.delays)
            .map(Arc::new)
            .map_err(Arc::from);
        self.known().remember((id, version), compiled.clone());
        Ok(compiled)
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn remember(&mut self, key: (AutomationId, i64), compiled: Compiled) {
        if self.old.len() >= OLD_VERSIONS {
            self.old.clear();
        }
        self.old.insert(key, compiled);
    }
}
