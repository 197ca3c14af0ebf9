//! The service on a ground of its own.

use std::{sync::atomic::Ordering, time::Duration};

use patchbay_automation::role;
use patchbay_proto::{
    Route,
    automation::{
        internal::v1::{
            ChangesSinceRequest, ChangesSinceResponse, GetVersionRequest,
            automation_internal_service_client::AutomationInternalServiceClient,
        },
        v1::{
            Automation, AutomationRequest, CreateAutomationRequest, ListAutomationsRequest, ListAutomationsResponse,
            UpdateAutomationRequest, automation_service_client::AutomationServiceClient,
        },
    },
};
use patchbay_service::{Check, Ground, status::to_fault};
use patchbay_types::{Fault, fault::Code};
use serde_json::{Value, json};
use tempfile::TempDir;
use tonic::{Response, Status};

use crate::{catalog::catalog, peers::Peers};

/// Two workspaces.
pub(crate) const OURS: i64 = 1;
pub(crate) const THEIRS: i64 = 2;

/// Longer than any wait that ends well.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct House {
    folder: Option<TempDir>,
    pub(crate) ground: Ground,
    pub(crate) checks: Vec<Check>,
    peers: Peers,
    public: AutomationServiceClient<Route>,
    internal: AutomationInternalServiceClient<Route>,
}

impl House {
    pub(crate) async fn open() -> Self {
        Self::open_in(tempfile::tempdir().unwrap()).await
    }

    /// The connection service is not there yet.
    pub(crate) async fn open_without_connections() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let ground = patchbay_testing::ground(folder.path()).await;
        let peers = Peers::default();
        peers.down.store(true, Ordering::Relaxed);
        Self::open_on(ground, Some(folder), peers).await
    }

    async fn open_in(folder: TempDir) -> Self {
        let ground = patchbay_testing::ground(folder.path()).await;
        Self::open_on(ground, Some(folder), Peers::default()).await
    }

    async fn open_on(ground: Ground, folder: Option<TempDir>, peers: Peers) -> Self {
        let installed = role::install(&ground, catalog(), peers.route()).await.unwrap();
        let route = Route::local(installed.services.unwrap());
        let public = AutomationServiceClient::new(route.clone());
        let internal = AutomationInternalServiceClient::new(route).max_decoding_message_size(usize::MAX);
        Self { folder, ground, checks: installed.checks, peers, public, internal }
    }

    /// Another process over the same database, as it were.
    pub(crate) async fn another(&self) -> Self {
        Self::open_on(self.ground.clone(), None, self.peers.clone()).await
    }

    /// The same files, another process as it were.
    pub(crate) async fn restart(self) -> Self {
        let Self { folder, ground, public, internal, .. } = self;
        drop((public, internal));
        ground.engine.close().await;
        ground.broker.close().await;
        drop(ground);
        Self::open_in(folder.unwrap()).await
    }

    pub(crate) fn connections_are_up(&self) {
        self.peers.down.store(false, Ordering::Relaxed);
    }

    pub(crate) fn connections_are_down(&self) {
        self.peers.down.store(true, Ordering::Relaxed);
    }

    pub(crate) async fn create(&self, definition: &Value) -> Result<Automation, Fault> {
        self.create_for(OURS, definition).await
    }

    pub(crate) async fn create_for(&self, workspace: i64, definition: &Value) -> Result<Automation, Fault> {
        let definition = definition.to_string().into();
        let request = CreateAutomationRequest { workspace_id: workspace, definition };
        told(self.public.clone().create(request).await)
    }

    pub(crate) async fn update(&self, id: &[u8], definition: &Value) -> Result<Automation, Fault> {
        self.update_for(OURS, id, definition).await
    }

    pub(crate) async fn update_for(&self, workspace: i64, id: &[u8], definition: &Value) -> Result<Automation, Fault> {
        let (id, definition) = (id.to_vec().into(), definition.to_string().into());
        let request = UpdateAutomationRequest { workspace_id: workspace, id, definition };
        told(self.public.clone().update(request).await)
    }

    pub(crate) async fn get(&self, id: &[u8]) -> Result<Automation, Fault> {
        told(self.public.clone().get(named(OURS, id)).await)
    }

    pub(crate) async fn publish(&self, id: &[u8]) -> Result<Automation, Fault> {
        told(self.public.clone().publish(named(OURS, id)).await)
    }

    pub(crate) async fn pause(&self, id: &[u8]) -> Result<Automation, Fault> {
        told(self.public.clone().pause(named(OURS, id)).await)
    }

    pub(crate) async fn start(&self, id: &[u8]) -> Result<Automation, Fault> {
        told(self.public.clone().start(named(OURS, id)).await)
    }

    pub(crate) async fn delete(&self, id: &[u8]) -> Result<(), Fault> {
        told(self.public.clone().delete(named(OURS, id)).await).map(drop)
    }

    /// What another workspace gets for this id, from every method that takes one.
    pub(crate) async fn all_methods_for(&self, workspace: i64, id: &[u8]) -> Vec<Result<(), Fault>> {
        let mut client = self.public.clone();
        vec![
            told(client.get(named(workspace, id)).await).map(drop),
            told(client.publish(named(workspace, id)).await).map(drop),
            told(client.pause(named(workspace, id)).await).map(drop),
            told(client.start(named(workspace, id)).await).map(drop),
            told(client.delete(named(workspace, id)).await).map(drop),
            self.update_for(workspace, id, &welcome()).await.map(drop),
        ]
    }

    pub(crate) async fn list(
        &self,
        workspace: i64,
        before: &[u8],
        limit: i64,
    ) -> Result<ListAutomationsResponse, Fault> {
        let request = ListAutomationsRequest { workspace_id: workspace, limit, before_id: before.to_vec().into() };
        told(self.public.clone().list(request).await)
    }

    pub(crate) async fn changes_since(&self, revision: i64) -> ChangesSinceResponse {
        told(self.internal.clone().changes_since(ChangesSinceRequest { revision }).await).unwrap()
    }

    pub(crate) async fn version(&self, id: &[u8], version: i64) -> Result<Value, Fault> {
        let request = GetVersionRequest { automation_id: id.to_vec().into(), version };
        let answer = told(self.internal.clone().get_version(request).await)?;
        Ok(serde_json::from_slice(&answer.definition).unwrap())
    }

    /// A published automation.
    pub(crate) async fn published(&self) -> Automation {
        let automation = self.create(&welcome()).await.unwrap();
        self.publish(&automation.id).await.unwrap()
    }
}

fn named(workspace: i64, id: &[u8]) -> AutomationRequest {
    AutomationRequest { workspace_id: workspace, id: id.to_vec().into() }
}

fn told<T>(answer: Result<Response<T>, Status>) -> Result<T, Fault> {
    answer.map(Response::into_inner).map_err(|status| to_fault(&status))
}

/// A definition that can be published.
pub(crate) fn welcome() -> Value {
    json!({
        "name": "Welcome scenario", "group": "CRM",
        "trigger": { "operation": "webhook.received", "connection_id": null, "mode": "webhook",
                     "parameters": { "dedupe": "trigger.id" }, "filter": "trigger.email != ''", "schedule": null },
        "steps": [
            { "key": "launch", "operation": "altcraft.import_and_launch_scenario", "connection_id": 2,
              "input": { "db_id": 7, "workflow_id": 12, "matching": "email", "email": "{{ trigger.email }}",
                         "data": { "_fname": "{{ trigger.first_name | title }}" } },
              "retry": { "max_attempts": 6 }, "on_error": "stop", "repeat_unknown": true },
        ],
    })
}

/// The same with another value at a JSON pointer, which may be a new key.
pub(crate) fn welcome_with(pointer: &str, value: Value) -> Value {
    let mut definition = welcome();
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    definition.pointer_mut(parent).unwrap()[key] = value;
    definition
}

/// The same without the key at a JSON pointer.
pub(crate) fn welcome_without(pointer: &str) -> Value {
    let mut definition = welcome();
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    definition.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(key).unwrap();
    definition
}

/// The code and field of a refusal.
pub(crate) fn refusal<T: std::fmt::Debug>(answer: Result<T, Fault>) -> (Code, Option<String>) {
    let fault = answer.unwrap_err();
    (fault.code, fault.field)
}
