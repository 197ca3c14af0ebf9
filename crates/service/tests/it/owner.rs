//! An owner of connections that does what it is told.

use std::sync::{Arc, Mutex};

use patchbay_proto::{
    Route,
    connection::internal::v1::{
        ChangesSinceRequest, ChangesSinceResponse, HookKeysRequest, HookKeysResponse, IssueCredentialRequest,
        IssueCredentialResponse, ReportCredentialRequest, ReportCredentialResponse,
        connection_internal_service_server::{ConnectionInternalService, ConnectionInternalServiceServer},
    },
};
use patchbay_service::status;
use patchbay_types::fault::{Code, Fault};
use tokio::sync::Semaphore;
use tonic::{Request, Response, Status, service::Routes};

/// Cloning shares it.
#[derive(Debug, Clone)]
pub(crate) struct Owner {
    state: Arc<Mutex<State>>,
    /// Questions are answered while there are permits.
    gate: Arc<Semaphore>,
}

#[derive(Debug)]
struct State {
    answer: Result<(i64, &'static str), Fault>,
    asked: usize,
    refused: Vec<(i64, i64)>,
}

impl Owner {
    /// It lends this secret, of this revision.
    pub(crate) fn of(revision: i64, secret: &'static str) -> Self {
        let state = State { answer: Ok((revision, secret)), asked: 0, refused: Vec::new() };
        Self { state: Arc::new(Mutex::new(state)), gate: Arc::new(Semaphore::new(Semaphore::MAX_PERMITS)) }
    }

    pub(crate) fn lends(&self, revision: i64, secret: &'static str) {
        self.state.lock().unwrap().answer = Ok((revision, secret));
    }

    pub(crate) fn fails(&self, code: Code) {
        self.state.lock().unwrap().answer = Err(Fault::new(code, "it is so"));
    }

    /// From now on its answers wait for [`Owner::wake`].
    pub(crate) fn sleep(&self) {
        self.gate.forget_permits(Semaphore::MAX_PERMITS);
    }

    pub(crate) fn wake(&self) {
        self.gate.add_permits(Semaphore::MAX_PERMITS);
    }

    /// How often it was asked for a credential.
    pub(crate) fn asked(&self) -> usize {
        self.state.lock().unwrap().asked
    }

    /// The connections and revisions that were reported to it.
    pub(crate) fn refused(&self) -> Vec<(i64, i64)> {
        self.state.lock().unwrap().refused.clone()
    }

    pub(crate) fn route(&self) -> Route {
        Route::local(Routes::new(ConnectionInternalServiceServer::new(self.clone())))
    }
}

#[tonic::async_trait]
impl ConnectionInternalService for Owner {
    async fn issue_credential(
        &self,
        _: Request<IssueCredentialRequest>,
    ) -> Result<Response<IssueCredentialResponse>, Status> {
        self.state.lock().unwrap().asked += 1;
        drop(self.gate.acquire().await.unwrap());
        let answer = self.state.lock().unwrap().answer.clone();
        let (revision, secret) = answer.map_err(|fault| status::from_fault(&fault))?;
        Ok(Response::new(IssueCredentialResponse { fields: secret.into(), revision }))
    }

    async fn report_refused_credential(
        &self,
        request: Request<ReportCredentialRequest>,
    ) -> Result<Response<ReportCredentialResponse>, Status> {
        let ReportCredentialRequest { connection_id, revision } = request.into_inner();
        let mut state = self.state.lock().unwrap();
        state.refused.push((connection_id, revision));
        state.answer.clone().map_err(|fault| status::from_fault(&fault))?;
        Ok(Response::new(ReportCredentialResponse {}))
    }

    async fn changes_since(&self, _: Request<ChangesSinceRequest>) -> Result<Response<ChangesSinceResponse>, Status> {
        Err(Status::unimplemented("not asked for credentials"))
    }

    async fn hook_keys(&self, _: Request<HookKeysRequest>) -> Result<Response<HookKeysResponse>, Status> {
        Err(Status::unimplemented("not asked for credentials"))
    }
}
