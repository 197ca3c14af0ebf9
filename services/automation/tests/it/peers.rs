//! A connection service that knows a few connections and one hook key.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use patchbay_proto::{
    Route,
    connection::{
        internal::v1::{self as internal, connection_internal_service_server as internal_server},
        v1::{self as public, connection_service_server as public_server},
    },
};
use patchbay_service::{hook_token::HookKey, status::from_fault};
use patchbay_types::Fault;
use tonic::{Request, Response, Status, async_trait, service::Routes};

use crate::house::{OURS, THEIRS};

/// Connections as workspace, id and partner.
const CONNECTIONS: [(i64, i64, &str); 6] = [
    (OURS, 2, "altcraft"),
    (OURS, 3, "sandbox-crm"),
    (OURS, 5, "shop"),
    (OURS, 6, "shop"),
    (THEIRS, 9, "altcraft"),
    (THEIRS, 10, "shop"),
];

/// Keys of hook tokens; the last one signs.
pub(crate) fn hook_keys() -> [HookKey; 2] {
    [1, 2].map(|generation| HookKey { generation, key: vec![generation; 32] })
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Peers {
    pub(crate) down: Arc<AtomicBool>,
}

impl Peers {
    pub(crate) fn route(&self) -> Route {
        let services = Routes::new(public_server::ConnectionServiceServer::new(self.clone()))
            .add_service(internal_server::ConnectionInternalServiceServer::new(self.clone()));
        Route::local(services)
    }
}

#[async_trait]
impl public_server::ConnectionService for Peers {
    async fn get(
        &self,
        request: Request<public::GetConnectionRequest>,
    ) -> Result<Response<public::Connection>, Status> {
        if self.down.load(Ordering::Relaxed) {
            return Err(Status::unavailable("down"));
        }
        let request = request.into_inner();
        let asked = (request.workspace_id, request.id);
        let found = CONNECTIONS.into_iter().find(|(workspace, id, _)| (*workspace, *id) == asked);
        let (workspace_id, id, partner) =
            found.ok_or_else(|| from_fault(&Fault::not_found(format_args!("connection {}", request.id))))?;
        Ok(Response::new(public::Connection { id, workspace_id, partner: partner.to_owned(), ..Default::default() }))
    }

    async fn create(
        &self,
        _: Request<public::CreateConnectionRequest>,
    ) -> Result<Response<public::Connection>, Status> {
        Err(Status::unimplemented("create"))
    }

    async fn update(
        &self,
        _: Request<public::UpdateConnectionRequest>,
    ) -> Result<Response<public::Connection>, Status> {
        Err(Status::unimplemented("update"))
    }

    async fn list(
        &self,
        _: Request<public::ListConnectionsRequest>,
    ) -> Result<Response<public::ListConnectionsResponse>, Status> {
        Err(Status::unimplemented("list"))
    }

    async fn delete(
        &self,
        _: Request<public::DeleteConnectionRequest>,
    ) -> Result<Response<public::DeleteConnectionResponse>, Status> {
        Err(Status::unimplemented("delete"))
    }

    async fn test(
        &self,
        _: Request<public::ConnectionRequest>,
    ) -> Result<Response<public::TestConnectionResponse>, Status> {
        Err(Status::unimplemented("test"))
    }

    async fn disconnect(&self, _: Request<public::ConnectionRequest>) -> Result<Response<public::Connection>, Status> {
        Err(Status::unimplemented("disconnect"))
    }

    async fn reactivate(&self, _: Request<public::ConnectionRequest>) -> Result<Response<public::Connection>, Status> {
        Err(Status::unimplemented("reactivate"))
    }
}

#[async_trait]
impl internal_server::ConnectionInternalService for Peers {
    async fn hook_keys(
        &self,
        _: Request<internal::HookKeysRequest>,
    ) -> Result<Response<internal::HookKeysResponse>, Status> {
        if self.down.load(Ordering::Relaxed) {
            return Err(Status::unavailable("down"));
        }
        let key = |key: HookKey| internal::HookKey { generation: key.generation.into(), key: key.key.into() };
        Ok(Response::new(internal::HookKeysResponse { keys: hook_keys().map(key).to_vec() }))
    }

    async fn changes_since(
        &self,
        _: Request<internal::ChangesSinceRequest>,
    ) -> Result<Response<internal::ChangesSinceResponse>, Status> {
        Err(Status::unimplemented("changes_since"))
    }

    async fn issue_credential(
        &self,
        _: Request<internal::IssueCredentialRequest>,
    ) -> Result<Response<internal::IssueCredentialResponse>, Status> {
        Err(Status::unimplemented("issue_credential"))
    }

    async fn report_refused_credential(
        &self,
        _: Request<internal::ReportCredentialRequest>,
    ) -> Result<Response<internal::ReportCredentialResponse>, Status> {
        Err(Status::unimplemented("report_refused_credential"))
    }
}
