//! What this service asks of the connection service.

use std::{future::Future, time::Duration};

use patchbay_proto::{
    Route,
    connection::{
        internal::v1::{
            ChangesSinceRequest, ChangesSinceResponse, IssueCredentialRequest, ReportCredentialRequest,
            connection_internal_service_client::ConnectionInternalServiceClient,
        },
        v1::{Connection, GetConnectionRequest, connection_service_client::ConnectionServiceClient},
    },
};
use patchbay_service::{credentials::Credential, status::of_peer};
use patchbay_types::{ConnectionId, Fault, WorkspaceId};
use tonic::{Response, Status};

use crate::telemetry;

/// How long one question may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// The connections of all workspaces.
#[derive(Debug, Clone)]
pub(crate) struct Connections {
    public: ConnectionServiceClient<Route>,
    internal: ConnectionInternalServiceClient<Route>,
}

impl Connections {
    pub(crate) fn new(route: Route) -> Self {
        let public = ConnectionServiceClient::new(route.clone());
        Self { public, internal: ConnectionInternalServiceClient::new(route) }
    }

    /// A connection, if this workspace has it.
    pub(crate) async fn get(&self, workspace: WorkspaceId, id: ConnectionId) -> Result<Connection, Fault> {
        let request = GetConnectionRequest { workspace_id: workspace.get(), id: id.get() };
        within(self.public.clone().get(request)).await
    }

    /// What it takes to call the partner. To be dropped after the call.
    pub(crate) async fn credential(&self, id: ConnectionId) -> Result<Credential, Fault> {
        let request = IssueCredentialRequest { connection_id: id.get() };
        within(self.internal.clone().issue_credential(request)).await.map(Credential::from)
    }

    /// Tells the owner that the partner refused this credential.
    pub(crate) async fn report_refused(&self, id: ConnectionId, revision: i64) {
        let request = ReportCredentialRequest { connection_id: id.get(), revision };
        if let Err(fault) = within(self.internal.clone().report_refused_credential(request)).await {
            telemetry::refusal_not_reported(id, &fault.message);
        }
    }

    /// The connections that changed after a revision.
    pub(crate) async fn changes_since(&self, revision: i64) -> Result<ChangesSinceResponse, Fault> {
        within(self.internal.clone().changes_since(ChangesSinceRequest { revision })).await
    }
}

async fn within<T>(call: impl Future<Output = Result<Response<T>, Status>>) -> Result<T, Fault> {
    let answer = tokio::time::timeout(PATIENCE, call).await;
    let answer = answer.unwrap_or_else(|_| Err(Status::deadline_exceeded("no answer in time")));
    answer.map(Response::into_inner).map_err(|status| of_peer("connection", &status))
}
