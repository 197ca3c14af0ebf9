//! Messages to domain and back, nothing else.

use std::sync::Arc;

use bytes::Bytes;
use patchbay_proto::connection::{
    internal::v1::{self as internal, connection_internal_service_server::ConnectionInternalService},
    v1::{self as public, connection_service_server::ConnectionService},
};
use patchbay_service::status::from_fault;
use patchbay_types::{ConnectionId, WorkspaceId};
use tonic::{Request, Response, Status};

use crate::{
    Error,
    domain::{Connection, Definition, Edit, Fields, HookKey, NewConnection},
    fields,
    operations::Connections,
    telemetry,
};

/// What people's programs ask for, by way of the gateway.
#[derive(Debug)]
pub(crate) struct Public(pub(crate) Arc<Connections>);

/// What other services ask for.
#[derive(Debug)]
pub(crate) struct Internal(pub(crate) Arc<Connections>);

#[tonic::async_trait]
impl ConnectionService for Public {
    async fn create(
        &self,
        request: Request<public::CreateConnectionRequest>,
    ) -> Result<Response<public::Connection>, Status> {
        let request = request.into_inner();
        let new = NewConnection {
            workspace: WorkspaceId::new(request.workspace_id),
            partner: request.partner,
            title: request.title,
            given: read(&request.fields)?,
            concurrency: request.concurrency,
        };
        self.0.create(new).await.map(|connection| Response::new(message(connection))).map_err(status)
    }

    async fn update(
        &self,
        request: Request<public::UpdateConnectionRequest>,
    ) -> Result<Response<public::Connection>, Status> {
        let request = request.into_inner();
        let (workspace, id) = (WorkspaceId::new(request.workspace_id), ConnectionId::new(request.id));
        let edit = Edit { title: request.title, given: read(&request.fields)?, concurrency: request.concurrency };
        let updated = self.0.update(workspace, id, edit).await;
        updated.map(|connection| Response::new(message(connection))).map_err(status)
    }

    async fn get(
        &self,
        request: Request<public::GetConnectionRequest>,
    ) -> Result<Response<public::Connection>, Status> {
        let request = request.into_inner();
        let found = self.0.get(WorkspaceId::new(request.workspace_id), ConnectionId::new(request.id)).await;
        found.map(|connection| Response::new(message(connection))).map_err(status)
    }

    async fn list(
        &self,
        request: Request<public::ListConnectionsRequest>,
    ) -> Result<Response<public::ListConnectionsResponse>, Status> {
        let request = request.into_inner();
        let workspace = WorkspaceId::new(request.workspace_id);
        let page = self.0.list(workspace, request.after_id, request.limit).await.map_err(status)?;
        Ok(Response::new(public::ListConnectionsResponse {
            connections: page.connections.into_iter().map(message).collect(),
            next_after_id: page.next_after.map_or(0, ConnectionId::get),
        }))
    }

    async fn delete(
        &self,
        request: Request<public::DeleteConnectionRequest>,
    ) -> Result<Response<public::DeleteConnectionResponse>, Status> {
        let request = request.into_inner();
        let deleted = self.0.delete(WorkspaceId::new(request.workspace_id), ConnectionId::new(request.id)).await;
        deleted.map(|()| Response::new(public::DeleteConnectionResponse {})).map_err(status)
    }

    async fn test(
        &self,
        request: Request<public::ConnectionRequest>,
    ) -> Result<Response<public::TestConnectionResponse>, Status> {
        let (workspace, id) = named(&request.into_inner());
        let tested = self.0.test(workspace, id).await.map_err(status)?;
        Ok(Response::new(public::TestConnectionResponse {
            result: tested.finding.name().to_owned(),
            message: tested.message,
            partner_status: tested.partner_status.map(u32::from),
            partner_answer: tested.partner_answer,
            duration: i64::try_from(tested.duration.as_micros()).unwrap_or(i64::MAX),
            tested_at: tested.tested_at.as_micros(),
        }))
    }

    async fn disconnect(
        &self,
        request: Request<public::ConnectionRequest>,
    ) -> Result<Response<public::Connection>, Status> {
        let (workspace, id) = named(&request.into_inner());
        let disconnected = self.0.disconnect(workspace, id).await;
        disconnected.map(|connection| Response::new(message(connection))).map_err(status)
    }

    async fn reactivate(
        &self,
        request: Request<public::ConnectionRequest>,
    ) -> Result<Response<public::Connection>, Status> {
        let (workspace, id) = named(&request.into_inner());
        let reactivated = self.0.reactivate(workspace, id).await;
        reactivated.map(|connection| Response::new(message(connection))).map_err(status)
    }
}

#[tonic::async_trait]
impl ConnectionInternalService for Internal {
    async fn changes_since(
        &self,
        request: Request<internal::ChangesSinceRequest>,
    ) -> Result<Response<internal::ChangesSinceResponse>, Status> {
        let changes = self.0.changes_since(request.into_inner().revision).await.map_err(status)?;
        Ok(Response::new(internal::ChangesSinceResponse {
            revision: changes.revision,
            connections: changes.definitions.into_iter().map(definition).collect(),
        }))
    }

    async fn issue_credential(
        &self,
        request: Request<internal::IssueCredentialRequest>,
    ) -> Result<Response<internal::IssueCredentialResponse>, Status> {
        let id = ConnectionId::new(request.into_inner().connection_id);
        let credential = self.0.issue_credential(id).await.map_err(status)?;
        Ok(Response::new(internal::IssueCredentialResponse {
            fields: written(&credential.fields),
            revision: credential.revision,
        }))
    }

    async fn report_refused_credential(
        &self,
        request: Request<internal::ReportCredentialRequest>,
    ) -> Result<Response<internal::ReportCredentialResponse>, Status> {
        let request = request.into_inner();
        let reported = self.0.report_refused(ConnectionId::new(request.connection_id), request.revision).await;
        reported.map(|()| Response::new(internal::ReportCredentialResponse {})).map_err(status)
    }

    async fn hook_keys(
        &self,
        _request: Request<internal::HookKeysRequest>,
    ) -> Result<Response<internal::HookKeysResponse>, Status> {
        let keys = self.0.hook_keys().await.map_err(status)?;
        Ok(Response::new(internal::HookKeysResponse { keys: keys.into_iter().map(hook_key).collect() }))
    }
}

fn read(text: &[u8]) -> Result<Fields, Status> {
    fields::read(text).map_err(|fault| from_fault(&fault))
}

fn named(request: &public::ConnectionRequest) -> (WorkspaceId, ConnectionId) {
    (WorkspaceId::new(request.workspace_id), ConnectionId::new(request.id))
}

fn written(fields: &Fields) -> Bytes {
    // Values that came from JSON always go back into it.
    serde_json::to_vec(fields).unwrap_or_default().into()
}

fn status(error: Error) -> Status {
    from_fault(&telemetry::fault_of(error))
}

fn message(connection: Connection) -> public::Connection {
    public::Connection {
        id: connection.id.get(),
        workspace_id: connection.workspace.get(),
        partner: connection.partner,
        title: connection.title,
        status: connection.status.name().to_owned(),
        fields: written(&connection.shown),
        created_at: connection.created_at.as_micros(),
        updated_at: connection.updated_at.as_micros(),
        concurrency: connection.concurrency,
    }
}

fn definition(definition: Definition) -> internal::ConnectionDefinition {
    internal::ConnectionDefinition {
        id: definition.id.get(),
        workspace_id: definition.workspace.get(),
        partner: definition.partner,
        status: definition.status.name().to_owned(),
        revision: definition.revision,
        concurrency: definition.concurrency,
    }
}

fn hook_key(key: HookKey) -> internal::HookKey {
    internal::HookKey { generation: key.generation, key: key.key.into() }
}
