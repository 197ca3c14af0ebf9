//! What this service asks of the connection service.

use std::{future::Future, time::Duration};

use patchbay_proto::{
    Route,
    connection::{
        internal::v1::{HookKeysRequest, connection_internal_service_client::ConnectionInternalServiceClient},
        v1::{GetConnectionRequest, connection_service_client::ConnectionServiceClient},
    },
};
use patchbay_service::{hook_token::HookKey, status};
use patchbay_types::{
    ConnectionId, WorkspaceId,
    fault::{Code, Fault},
};
use tonic::{Response, Status};

use crate::Error;

/// How long one question may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// The connections of all workspaces.
#[derive(Debug, Clone)]
pub(crate) struct Connections {
    client: ConnectionServiceClient<Route>,
}

impl Connections {
    pub(crate) fn new(route: Route) -> Self {
        Self { client: ConnectionServiceClient::new(route) }
    }

    /// Whose connection it is, if this workspace has it.
    pub(crate) async fn partner(&self, workspace: WorkspaceId, id: ConnectionId) -> Result<Option<String>, Fault> {
        let request = GetConnectionRequest { workspace_id: workspace.get(), id: id.get() };
        let mut client = self.client.clone();
        match within(client.get(request)).await {
            Ok(connection) => Ok(Some(connection.partner)),
            Err(status) => match status::to_fault(&status) {
                fault if fault.code == Code::NotFound => Ok(None),
                fault if fault.code.retryable() => {
                    let message = format!("the connection service can't be asked now, try again: {}", fault.message);
                    Err(Fault::new(fault.code, message))
                }
                fault => Err(Fault::new(Code::Internal, fault.message)),
            },
        }
    }
}

/// The key that signs new hook tokens.
pub(crate) async fn signing_key(route: Route) -> Result<HookKey, Error> {
    let mut client = ConnectionInternalServiceClient::new(route);
    let answer = within(client.hook_keys(HookKeysRequest {})).await;
    let keys = answer.map_err(|status| Error::HookKeys(status.message().to_owned()))?.keys;
    let key = keys.into_iter().last().ok_or_else(|| Error::HookKeys("there are none".to_owned()))?;
    let generation = u8::try_from(key.generation)
        .map_err(|_| Error::HookKeys(format!("generation {} is beyond 255", key.generation)))?;
    Ok(HookKey { generation, key: key.key.to_vec() })
}

async fn within<T>(call: impl Future<Output = Result<Response<T>, Status>>) -> Result<T, Status> {
    let answer = tokio::time::timeout(PATIENCE, call).await;
    answer.map_err(|_| Status::deadline_exceeded("no answer in time"))?.map(Response::into_inner)
}
