//! The two services that the executor asks, as far as it asks them.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
};

use bytes::Bytes;
use patchbay_proto::{
    Route,
    automation::internal::v1::{
        ChangesSinceRequest, ChangesSinceResponse, GetVersionRequest, GetVersionResponse, PublishedAutomation,
        automation_internal_service_server::{AutomationInternalService, AutomationInternalServiceServer},
    },
    connection::internal::v1::{
        self as connection, ConnectionDefinition, HookKeysRequest, HookKeysResponse, IssueCredentialRequest,
        IssueCredentialResponse, ReportCredentialRequest, ReportCredentialResponse,
        connection_internal_service_server::{ConnectionInternalService, ConnectionInternalServiceServer},
    },
};
use patchbay_service::status;
use patchbay_types::{AutomationId, Fault, SourceId, fault::Code};
use serde_json::{Value, json};
use tonic::{Request, Response, Status, service::Routes};

use crate::partner::Partner;

pub(crate) const WORKSPACE: i64 = 7;
pub(crate) const FOREIGN: i64 = 8;
pub(crate) const TOKEN: &str = "hush-hush-token";

/// What the peers know. Cloning shares it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Peers(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    revision: i64,
    automations: BTreeMap<Bytes, PublishedAutomation>,
    versions: BTreeMap<(Bytes, i64), Bytes>,
    connections: BTreeMap<i64, (ConnectionDefinition, Value)>,
    automation_down: bool,
    connection_down: bool,
    refused: Vec<i64>,
}

impl Peers {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    /// Publishes a new automation of these steps on a source of its own.
    pub(crate) fn publish(&self, steps: Value) -> (AutomationId, SourceId) {
        let source = SourceId::generate();
        (self.publish_on(source, json!({"steps": steps})), source)
    }

    /// Publishes a new automation on this source.
    pub(crate) fn publish_on(&self, source: SourceId, definition: Value) -> AutomationId {
        let id = AutomationId::generate();
        self.publish_again(id, source, definition);
        id
    }

    /// Publishes the next version of an automation.
    pub(crate) fn publish_again(&self, id: AutomationId, source: SourceId, definition: Value) {
        let mut state = self.state();
        state.revision += 1;
        let key = Bytes::copy_from_slice(id.as_bytes());
        let version = state.automations.get(&key).map_or(0, |before| before.version) + 1;
        let definition = Bytes::from(definition.to_string());
        state.versions.insert((key.clone(), version), definition.clone());
        let published = PublishedAutomation {
            id: key.clone(),
            workspace_id: WORKSPACE,
            status: "active".to_owned(),
            version,
            source_id: Bytes::copy_from_slice(source.as_bytes()),
            definition,
            revision: state.revision,
        };
        state.automations.insert(key, published);
    }

    /// `active`, `paused`, `stopped` or `deleted`.
    pub(crate) fn set_automation(&self, id: AutomationId, status: &str) {
        let mut state = self.state();
        state.revision += 1;
        let revision = state.revision;
        let automation = state.automations.get_mut(id.as_bytes().as_slice()).unwrap();
        status.clone_into(&mut automation.status);
        automation.revision = revision;
        if status == "deleted" {
            state.versions.retain(|(key, _), _| key != id.as_bytes().as_slice());
        }
    }

    /// An active connection to this partner.
    pub(crate) fn connect(&self, partner: &Partner) -> i64 {
        self.connect_in(WORKSPACE, partner, None)
    }

    /// An active connection of this workspace with a limit of calls at once.
    pub(crate) fn connect_in(&self, workspace: i64, partner: &Partner, concurrency: Option<i64>) -> i64 {
        let mut state = self.state();
        state.revision += 1;
        let id = i64::try_from(state.connections.len()).unwrap() + 1;
        let definition = ConnectionDefinition {
            id,
            workspace_id: workspace,
            partner: "altcraft".to_owned(),
            status: "active".to_owned(),
            revision: state.revision,
            concurrency,
        };
        state.connections.insert(id, (definition, json!({"host": partner.host(), "token": TOKEN})));
        id
    }

    /// `active`, `disconnected`, `needs_reauthorization` or `deleted`.
    pub(crate) fn set_connection(&self, id: i64, status: &str) {
        let mut state = self.state();
        state.revision += 1;
        let revision = state.revision;
        let (definition, _) = state.connections.get_mut(&id).unwrap();
        status.clone_into(&mut definition.status);
        definition.revision = revision;
    }

    /// Changes how many calls at once a connection takes.
    pub(crate) fn set_concurrency(&self, id: i64, concurrency: i64) {
        self.state().connections.get_mut(&id).unwrap().0.concurrency = Some(concurrency);
        self.set_connection(id, "active");
    }

    /// Gives an active connection another token.
    pub(crate) fn reconnect(&self, id: i64, token: &str) {
        self.state().connections.get_mut(&id).unwrap().1["token"] = json!(token);
        self.set_connection(id, "active");
    }

    /// Whether the owner of automations can't be reached.
    pub(crate) fn set_automation_down(&self, down: bool) {
        self.state().automation_down = down;
    }

    /// Whether the owner of connections can't be reached.
    pub(crate) fn set_connection_down(&self, down: bool) {
        self.state().connection_down = down;
    }

    /// The connections whose credential was reported as refused, in order.
    pub(crate) fn refused(&self) -> Vec<i64> {
        self.state().refused.clone()
    }

    pub(crate) fn automation_route(&self) -> Route {
        Route::local(Routes::new(AutomationInternalServiceServer::new(self.clone())))
    }

    pub(crate) fn connection_route(&self) -> Route {
        Route::local(Routes::new(ConnectionInternalServiceServer::new(self.clone())))
    }
}

impl State {
    fn automation_up(&self) -> Result<(), Status> {
        if self.automation_down { Err(Status::unavailable("automation is down")) } else { Ok(()) }
    }

    fn connection_up(&self) -> Result<(), Status> {
        if self.connection_down { Err(Status::unavailable("connection is down")) } else { Ok(()) }
    }
}

#[tonic::async_trait]
impl AutomationInternalService for Peers {
    async fn changes_since(
        &self,
        request: Request<ChangesSinceRequest>,
    ) -> Result<Response<ChangesSinceResponse>, Status> {
        let state = self.state();
        state.automation_up()?;
        let since = request.into_inner().revision;
        let automations = state.automations.values().filter(|one| one.revision > since).cloned().collect();
        Ok(Response::new(ChangesSinceResponse { revision: state.revision, sources: Vec::new(), automations }))
    }

    async fn get_version(&self, request: Request<GetVersionRequest>) -> Result<Response<GetVersionResponse>, Status> {
        let state = self.state();
        state.automation_up()?;
        let request = request.into_inner();
        let found = state.versions.get(&(request.automation_id, request.version)).cloned();
        let definition = found.ok_or_else(|| status::from_fault(&Fault::not_found("no such version".to_owned())))?;
        Ok(Response::new(GetVersionResponse { definition }))
    }
}

#[tonic::async_trait]
impl ConnectionInternalService for Peers {
    async fn changes_since(
        &self,
        request: Request<connection::ChangesSinceRequest>,
    ) -> Result<Response<connection::ChangesSinceResponse>, Status> {
        let state = self.state();
        state.connection_up()?;
        let since = request.into_inner().revision;
        let changed = state.connections.values().map(|(definition, _)| definition);
        let connections = changed.filter(|one| one.revision > since).cloned().collect();
        Ok(Response::new(connection::ChangesSinceResponse { revision: state.revision, connections }))
    }

    async fn issue_credential(
        &self,
        request: Request<IssueCredentialRequest>,
    ) -> Result<Response<IssueCredentialResponse>, Status> {
        let state = self.state();
        state.connection_up()?;
        let (definition, fields) = state.connections.get(&request.into_inner().connection_id).unwrap();
        if definition.status != "active" {
            let message = format!("connection {} is {}", definition.id, definition.status);
            return Err(status::from_fault(&Fault::new(Code::FailedPrecondition, message)));
        }
        let fields = fields.to_string().into();
        Ok(Response::new(IssueCredentialResponse { fields, revision: definition.revision }))
    }

    async fn report_refused_credential(
        &self,
        request: Request<ReportCredentialRequest>,
    ) -> Result<Response<ReportCredentialResponse>, Status> {
        let mut state = self.state();
        state.connection_up()?;
        let request = request.into_inner();
        let current = state.connections[&request.connection_id].0.revision == request.revision;
        state.refused.push(request.connection_id);
        drop(state);
        if current {
            self.set_connection(request.connection_id, "needs_reauthorization");
        }
        Ok(Response::new(ReportCredentialResponse {}))
    }

    async fn hook_keys(&self, _: Request<HookKeysRequest>) -> Result<Response<HookKeysResponse>, Status> {
        Err(Status::unimplemented("not asked by the executor"))
    }
}
