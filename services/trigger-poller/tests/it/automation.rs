//! An automation service that a test plays.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, Ordering},
};

use patchbay_proto::{
    Route,
    automation::internal::v1::{
        ChangesSinceRequest, ChangesSinceResponse, GetVersionRequest, GetVersionResponse, Source,
        automation_internal_service_server::{AutomationInternalService, AutomationInternalServiceServer},
    },
};
use tonic::{Request, Response, Status, service::Routes};

/// What it knows; clones share it.
#[derive(Clone, Default)]
pub(crate) struct Automation {
    state: Arc<Mutex<(i64, Vec<Source>)>>,
    refuses: Arc<AtomicBool>,
}

impl Automation {
    pub(crate) fn route(&self) -> Route {
        Route::local(Routes::new(AutomationInternalServiceServer::new(self.clone())))
    }

    pub(crate) fn set(&self, revision: i64, sources: Vec<Source>) {
        *self.state.lock().unwrap() = (revision, sources);
    }

    pub(crate) fn refuse(&self, refuses: bool) {
        self.refuses.store(refuses, Ordering::Relaxed);
    }
}

/// A source whose id is all `id`.
pub(crate) fn source(id: u8, mode: &str, revision: i64) -> Source {
    Source { id: vec![id; 16].into(), workspace_id: 1, mode: mode.to_owned(), revision, ..Source::default() }
}

#[tonic::async_trait]
impl AutomationInternalService for Automation {
    async fn changes_since(
        &self,
        request: Request<ChangesSinceRequest>,
    ) -> Result<Response<ChangesSinceResponse>, Status> {
        if self.refuses.load(Ordering::Relaxed) {
            return Err(Status::unavailable("automation is away"));
        }
        let since = request.into_inner().revision;
        let (revision, sources) = self.state.lock().unwrap().clone();
        let sources = sources.into_iter().filter(|source| source.revision > since).collect();
        Ok(Response::new(ChangesSinceResponse { revision, sources, ..ChangesSinceResponse::default() }))
    }

    async fn get_version(&self, _: Request<GetVersionRequest>) -> Result<Response<GetVersionResponse>, Status> {
        Err(Status::unimplemented("nobody asks for it"))
    }
}
