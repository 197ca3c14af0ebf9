//! The two services that ingress asks, as far as it asks them.

use std::sync::{Arc, Mutex};

use patchbay_proto::{
    Route,
    automation::internal::v1::{
        ChangesSinceRequest, ChangesSinceResponse, GetVersionRequest, GetVersionResponse, Source,
        automation_internal_service_server::{AutomationInternalService, AutomationInternalServiceServer},
    },
    connection::internal::v1::{
        self as connection, ConnectionDefinition, HookKeysRequest, HookKeysResponse, IssueCredentialRequest,
        IssueCredentialResponse, ReportCredentialRequest, ReportCredentialResponse,
        connection_internal_service_server::{ConnectionInternalService, ConnectionInternalServiceServer},
    },
};
use patchbay_service::{
    hook_token::{self, HookKey},
    status::from_fault,
};
use patchbay_types::{Fault, SourceId, fault::Code};
use tonic::{Request, Response, Status, service::Routes};

pub(crate) const WORKSPACE: i64 = 7;
pub(crate) const OTHER_WORKSPACE: i64 = 8;

/// What the peers know. Cloning shares it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Peers(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    sources: Vec<Source>,
    revision: i64,
    connections: Vec<(ConnectionDefinition, String)>,
    connection_revision: i64,
    down: bool,
    asked: u64,
    failed: u64,
    issued: u64,
}

pub(crate) fn hook_key() -> HookKey {
    HookKey { generation: 1, key: vec![5; 32] }
}

impl Peers {
    /// Publishes a source with these parameters, and returns it with its token.
    pub(crate) fn publish(&self, parameters: &str) -> (SourceId, String) {
        let id = SourceId::generate();
        self.change(id, parameters, false);
        (id, hook_token::encode(&hook_key(), id))
    }

    /// The same of a partner's trigger.
    pub(crate) fn publish_of(&self, operation: &str, connection_id: i64, parameters: &str) -> (SourceId, String) {
        let id = SourceId::generate();
        let parameters = parameters.as_bytes().to_vec().into();
        self.put(id, Source { operation: operation.to_owned(), parameters, connection_id, ..Source::default() });
        (id, hook_token::encode(&hook_key(), id))
    }

    pub(crate) fn change(&self, id: SourceId, parameters: &str, deleted: bool) {
        let (operation, parameters) = ("webhook.received".to_owned(), parameters.as_bytes().to_vec().into());
        self.put(id, Source { operation, parameters, deleted, ..Source::default() });
    }

    fn put(&self, id: SourceId, source: Source) {
        let mut state = self.0.lock().unwrap();
        state.revision += 1;
        let source = Source {
            id: id.as_bytes().to_vec().into(),
            workspace_id: WORKSPACE,
            mode: "webhook".to_owned(),
            revision: state.revision,
            ..source
        };
        state.sources.retain(|known| known.id != source.id);
        state.sources.push(source);
    }

    /// Makes a connection, or gives it another secret.
    pub(crate) fn connect(&self, id: i64, workspace_id: i64, secret: &str) {
        let connection =
            ConnectionDefinition { id, workspace_id, status: "active".to_owned(), ..ConnectionDefinition::default() };
        self.put_connection(connection, secret);
    }

    pub(crate) fn set_status(&self, id: i64, status: &str) {
        let known = self.0.lock().unwrap().connections.iter().find(|(known, _)| known.id == id).cloned();
        let (connection, secret) = known.unwrap();
        self.put_connection(ConnectionDefinition { status: status.to_owned(), ..connection }, &secret);
    }

    fn put_connection(&self, connection: ConnectionDefinition, secret: &str) {
        let mut state = self.0.lock().unwrap();
        state.connection_revision += 1;
        let connection = ConnectionDefinition { revision: state.connection_revision, ..connection };
        state.connections.retain(|(known, _)| known.id != connection.id);
        state.connections.push((connection, secret.to_owned()));
    }

    /// How often a credential was asked for.
    pub(crate) fn issued(&self) -> u64 {
        self.0.lock().unwrap().issued
    }

    /// A database that was restored from before everything.
    pub(crate) fn forget(&self) {
        let mut state = self.0.lock().unwrap();
        state.sources.clear();
        state.revision = 0;
    }

    pub(crate) fn set_down(&self, down: bool) {
        self.0.lock().unwrap().down = down;
    }

    /// How often changes were asked for.
    pub(crate) fn asked(&self) -> u64 {
        self.0.lock().unwrap().asked
    }

    pub(crate) fn automation(&self) -> Route {
        Route::local(Routes::new(AutomationInternalServiceServer::new(self.clone())))
    }

    pub(crate) fn connection(&self) -> Route {
        Route::local(Routes::new(ConnectionInternalServiceServer::new(self.clone())))
    }

    /// How often something was asked for in vain.
    pub(crate) fn failed(&self) -> u64 {
        self.0.lock().unwrap().failed
    }

    fn check(&self) -> Result<(), Status> {
        let mut state = self.0.lock().unwrap();
        if !state.down {
            return Ok(());
        }
        state.failed += 1;
        Err(Status::unavailable("down"))
    }
}

#[tonic::async_trait]
impl AutomationInternalService for Peers {
    async fn changes_since(
        &self,
        request: Request<ChangesSinceRequest>,
    ) -> Result<Response<ChangesSinceResponse>, Status> {
        self.check()?;
        let mut state = self.0.lock().unwrap();
        state.asked += 1;
        let since = request.into_inner().revision;
        let sources = state.sources.iter().filter(|source| source.revision > since).cloned().collect();
        Ok(Response::new(ChangesSinceResponse { revision: state.revision, sources, automations: Vec::new() }))
    }

    async fn get_version(&self, _: Request<GetVersionRequest>) -> Result<Response<GetVersionResponse>, Status> {
        Err(Status::unimplemented("not asked by ingress"))
    }
}

#[tonic::async_trait]
impl ConnectionInternalService for Peers {
    async fn hook_keys(&self, _: Request<HookKeysRequest>) -> Result<Response<HookKeysResponse>, Status> {
        self.check()?;
        let HookKey { generation, key } = hook_key();
        let key = connection::HookKey { generation: u32::from(generation), key: key.into() };
        Ok(Response::new(HookKeysResponse { keys: vec![key] }))
    }

    async fn changes_since(
        &self,
        request: Request<connection::ChangesSinceRequest>,
    ) -> Result<Response<connection::ChangesSinceResponse>, Status> {
        self.check()?;
        let state = self.0.lock().unwrap();
        let since = request.into_inner().revision;
        let known = state.connections.iter().map(|(connection, _)| connection);
        let connections = known.filter(|connection| connection.revision > since).cloned().collect();
        Ok(Response::new(connection::ChangesSinceResponse { revision: state.connection_revision, connections }))
    }

    async fn issue_credential(
        &self,
        request: Request<IssueCredentialRequest>,
    ) -> Result<Response<IssueCredentialResponse>, Status> {
        self.check()?;
        let mut state = self.0.lock().unwrap();
        state.issued += 1;
        let id = request.into_inner().connection_id;
        let found = state.connections.iter().find(|(connection, _)| connection.id == id);
        let (connection, secret) = found.ok_or_else(|| from_fault(&Fault::not_found("the connection")))?;
        if connection.status != "active" {
            return Err(from_fault(&Fault::new(Code::FailedPrecondition, format!("it is {}", connection.status))));
        }
        let fields = serde_json::json!({ "secret": secret }).to_string().into();
        Ok(Response::new(IssueCredentialResponse { fields, revision: connection.revision }))
    }

    async fn report_refused_credential(
        &self,
        _: Request<ReportCredentialRequest>,
    ) -> Result<Response<ReportCredentialResponse>, Status> {
        Err(Status::unimplemented("not asked by ingress"))
    }
}
