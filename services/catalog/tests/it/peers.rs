//! A connection service that holds a few connections in memory.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
};

use patchbay_proto::{
    Route,
    connection::{
        internal::v1::{self as internal, connection_internal_service_server as internal_server},
        v1::{self as public, connection_service_server as public_server},
    },
};
use patchbay_service::status::from_fault;
use patchbay_types::fault::{Code, Fault};
use serde_json::json;
use tonic::{Request, Response, Status, async_trait, service::Routes};

/// Cloning shares the connections.
#[derive(Debug, Clone, Default)]
pub(crate) struct Peers(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    connections: BTreeMap<i64, Held>,
    revision: i64,
    issued: usize,
    down: bool,
}

#[derive(Debug, Clone)]
struct Held {
    workspace: i64,
    partner: &'static str,
    host: String,
    token: String,
    status: &'static str,
    revision: i64,
}

type Answer<T> = Result<Response<T>, Status>;

impl Peers {
    pub(crate) fn route(&self) -> Route {
        let services = Routes::new(public_server::ConnectionServiceServer::new(self.clone()))
            .add_service(internal_server::ConnectionInternalServiceServer::new(self.clone()));
        Route::local(services)
    }

    pub(crate) fn add(&self, workspace: i64, id: i64, partner: &'static str, host: &str, token: &str) {
        let (host, token) = (host.to_owned(), token.to_owned());
        let held = Held { workspace, partner, host, token, status: "active", revision: 0 };
        self.inner().connections.insert(id, held);
        self.change(id, |_| {});
    }

    /// Gives a connection another token.
    pub(crate) fn set_token(&self, id: i64, token: &str) {
        self.change(id, |held| token.clone_into(&mut held.token));
    }

    pub(crate) fn set_status(&self, id: i64, status: &'static str) {
        self.change(id, |held| held.status = status);
    }

    pub(crate) fn status(&self, id: i64) -> &'static str {
        self.inner().connections[&id].status
    }

    pub(crate) fn set_down(&self, down: bool) {
        self.inner().down = down;
    }

    /// How many credentials were issued.
    pub(crate) fn issued(&self) -> usize {
        self.inner().issued
    }

    fn change(&self, id: i64, change: impl FnOnce(&mut Held)) {
        let mut inner = self.inner();
        inner.revision += 1;
        let revision = inner.revision;
        let held = inner.connections.get_mut(&id).unwrap();
        change(held);
        held.revision = revision;
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap()
    }

    fn up(&self) -> Result<MutexGuard<'_, Inner>, Status> {
        let inner = self.inner();
        if inner.down { Err(Status::unavailable("down")) } else { Ok(inner) }
    }
}

fn absent(id: i64) -> Status {
    from_fault(&Fault::not_found(format_args!("connection {id}")))
}

#[async_trait]
impl public_server::ConnectionService for Peers {
    async fn get(&self, request: Request<public::GetConnectionRequest>) -> Answer<public::Connection> {
        let public::GetConnectionRequest { workspace_id, id } = request.into_inner();
        let inner = self.up()?;
        let held = inner.connections.get(&id).filter(|held| held.workspace == workspace_id);
        let held = held.filter(|held| held.status != "deleted").ok_or_else(|| absent(id))?;
        Ok(Response::new(public::Connection {
            id,
            workspace_id,
            partner: held.partner.to_owned(),
            status: held.status.to_owned(),
            updated_at: held.revision * 1000,
            ..Default::default()
        }))
    }

    async fn create(&self, _: Request<public::CreateConnectionRequest>) -> Answer<public::Connection> {
        Err(Status::unimplemented("create"))
    }

    async fn update(&self, _: Request<public::UpdateConnectionRequest>) -> Answer<public::Connection> {
        Err(Status::unimplemented("update"))
    }

    async fn list(&self, _: Request<public::ListConnectionsRequest>) -> Answer<public::ListConnectionsResponse> {
        Err(Status::unimplemented("list"))
    }

    async fn delete(&self, _: Request<public::DeleteConnectionRequest>) -> Answer<public::DeleteConnectionResponse> {
        Err(Status::unimplemented("delete"))
    }

    async fn test(&self, _: Request<public::ConnectionRequest>) -> Answer<public::TestConnectionResponse> {
        Err(Status::unimplemented("test"))
    }

    async fn disconnect(&self, _: Request<public::ConnectionRequest>) -> Answer<public::Connection> {
        Err(Status::unimplemented("disconnect"))
    }

    async fn reactivate(&self, _: Request<public::ConnectionRequest>) -> Answer<public::Connection> {
        Err(Status::unimplemented("reactivate"))
    }
}

#[async_trait]
impl internal_server::ConnectionInternalService for Peers {
    async fn changes_since(
        &self,
        request: Request<internal::ChangesSinceRequest>,
    ) -> Answer<internal::ChangesSinceResponse> {
        let since = request.into_inner().revision;
        let inner = self.up()?;
        let changed = inner.connections.iter().filter(|(_, held)| held.revision > since);
        let connections = changed.map(|(id, held)| internal::ConnectionDefinition {
            id: *id,
            workspace_id: held.workspace,
            partner: held.partner.to_owned(),
            status: held.status.to_owned(),
            revision: held.revision,
            concurrency: None,
        });
        Ok(Response::new(internal::ChangesSinceResponse {
            revision: inner.revision,
            connections: connections.collect(),
        }))
    }

    async fn issue_credential(
        &self,
        request: Request<internal::IssueCredentialRequest>,
    ) -> Answer<internal::IssueCredentialResponse> {
        let id = request.into_inner().connection_id;
        let mut inner = self.up()?;
        inner.issued += 1;
        let held = inner.connections.get(&id).ok_or_else(|| absent(id))?;
        if held.status != "active" {
            let message = format!("connection {id} is {}", held.status);
            return Err(from_fault(&Fault::new(Code::FailedPrecondition, message)));
        }
        let fields = json!({"host": held.host, "token": held.token});
        Ok(Response::new(internal::IssueCredentialResponse {
            fields: fields.to_string().into(),
            revision: held.revision,
        }))
    }

    async fn report_refused_credential(
        &self,
        request: Request<internal::ReportCredentialRequest>,
    ) -> Answer<internal::ReportCredentialResponse> {
        let internal::ReportCredentialRequest { connection_id, revision } = request.into_inner();
        if self.inner().connections[&connection_id].revision == revision {
            self.set_status(connection_id, "needs_reauthorization");
        }
        Ok(Response::new(internal::ReportCredentialResponse {}))
    }

    async fn hook_keys(&self, _: Request<internal::HookKeysRequest>) -> Answer<internal::HookKeysResponse> {
        Err(Status::unimplemented("hook_keys"))
    }
}
