//! The two services that ingress asks, as far as it asks them.

use std::sync::{Arc, Mutex};

use patchbay_proto::{
    Route,
    automation::internal::v1::{
        ChangesSinceRequest, ChangesSinceResponse, GetVersionRequest, GetVersionResponse, Source,
        automation_internal_service_server::{AutomationInternalService, AutomationInternalServiceServer},
    },
    connection::internal::v1::{
        self as connection, HookKeysRequest, HookKeysResponse, IssueCredentialRequest, IssueCredentialResponse,
        ReportCredentialRequest, ReportCredentialResponse,
        connection_internal_service_server::{ConnectionInternalService, ConnectionInternalServiceServer},
    },
};
use patchbay_service::hook_token::{self, HookKey};
use patchbay_types::SourceId;
use tonic::{Request, Response, Status, service::Routes};

pub(crate) const WORKSPACE: i64 = 7;

/// What the peers know. Cloning shares it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Peers(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    sources: Vec<Source>,
    revision: i64,
    down: bool,
    asked: u64,
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

    pub(crate) fn change(&self, id: SourceId, parameters: &str, deleted: bool) {
        let mut state = self.0.lock().unwrap();
        state.revision += 1;
        let source = Source {
            id: id.as_bytes().to_vec().into(),
            workspace_id: WORKSPACE,
            operation: "webhook.received".to_owned(),
            parameters: parameters.as_bytes().to_vec().into(),
            deleted,
            revision: state.revision,
        };
        state.sources.retain(|known| known.id != source.id);
        state.sources.push(source);
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

    fn check(&self) -> Result<(), Status> {
        if self.0.lock().unwrap().down { Err(Status::unavailable("down")) } else { Ok(()) }
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
        _: Request<connection::ChangesSinceRequest>,
    ) -> Result<Response<connection::ChangesSinceResponse>, Status> {
        Err(Status::unimplemented("not asked by ingress"))
    }

    async fn issue_credential(
        &self,
        _: Request<IssueCredentialRequest>,
    ) -> Result<Response<IssueCredentialResponse>, Status> {
        Err(Status::unimplemented("not asked by ingress"))
    }

    async fn report_refused_credential(
        &self,
        _: Request<ReportCredentialRequest>,
    ) -> Result<Response<ReportCredentialResponse>, Status> {
        Err(Status::unimplemented("not asked by ingress"))
    }
}
