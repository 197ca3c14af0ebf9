//! What this service asks of the connection service.

use std::{
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use patchbay_proto::{
    Route,
    connection::{
        internal::v1::{HookKeysRequest, connection_internal_service_client::ConnectionInternalServiceClient},
        v1::{GetConnectionRequest, connection_service_client::ConnectionServiceClient},
    },
};
use patchbay_runtime::{Shutdown, backoff::Backoff};
use patchbay_service::{hook_token::HookKey, status};
use patchbay_types::{
    ConnectionId, WorkspaceId,
    fault::{Code, Fault},
};
use tokio::sync::OnceCell;
use tonic::{Response, Status};

/// How long one question may take.
const PATIENCE: Duration = Duration::from_secs(5);
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

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
            Err(status) => match status::of_peer("connection", &status) {
                fault if fault.code == Code::NotFound => Ok(None),
                fault => Err(fault),
            },
        }
    }
}

/// The key that signs new hook tokens. The connection service may start later: the key is asked for until it is there,
/// and then kept.
#[derive(Debug)]
pub(crate) struct SigningKey {
    client: ConnectionInternalServiceClient<Route>,
    known: OnceCell<HookKey>,
    /// Why it could not be had the last time.
    trouble: Mutex<Option<String>>,
}

impl SigningKey {
    pub(crate) fn new(route: Route) -> Self {
        let client = ConnectionInternalServiceClient::new(route);
        Self { client, known: OnceCell::new(), trouble: Mutex::default() }
    }

    /// The key; the owner is asked when it is not known yet, once for all that wait.
    pub(crate) async fn get(&self) -> Result<&HookKey, Fault> {
        if let Some(key) = self.known.get() {
            return Ok(key);
        }
        // All waiting together: each tries when its turn comes, and none longer than one question takes.
        let asked = tokio::time::timeout(PATIENCE, self.known.get_or_try_init(|| self.ask())).await;
        let outcome = asked.unwrap_or_else(|_| Err("no answer in time".to_owned()));
        outcome.map_err(|reason| {
            let message = format!("hook keys can't be had from the connection service: {reason}");
            *self.trouble() = Some(message.clone());
            Fault::new(Code::Unavailable, message)
        })
    }

    /// Whether the key is known; else why not.
    pub(crate) fn is_known(&self) -> Result<(), String> {
        if self.known.initialized() {
            return Ok(());
        }
        Err(self.trouble().clone().unwrap_or_else(|| "hook keys are being asked for".to_owned()))
    }

    /// Asks until the key is known or the shutdown begins, so that the service becomes ready before it is asked anything.
    pub(crate) async fn fetch(self: Arc<Self>, shutdown: Shutdown) {
        let mut backoff = Backoff::new(FIRST_PAUSE, LONGEST_PAUSE);
        let mut is_told = false;
        while let Some(Err(fault)) = shutdown.or(self.get()).await {
            if !is_told {
                tracing::warn!(reason = fault.message, "hook tokens can't be made yet");
                is_told = true;
            }
            if shutdown.or(tokio::time::sleep(backoff.next_wait())).await.is_none() {
                return;
            }
        }
    }

    async fn ask(&self) -> Result<HookKey, String> {
        let answer = self.client.clone().hook_keys(HookKeysRequest {}).await;
        let keys = answer.map_err(|status| status.message().to_owned())?.into_inner().keys;
        let key = keys.into_iter().last().ok_or("there are none")?;
        let generation =
            u8::try_from(key.generation).map_err(|_| format!("generation {} is beyond 255", key.generation))?;
        Ok(HookKey { generation, key: key.key.to_vec() })
    }

    fn trouble(&self) -> MutexGuard<'_, Option<String>> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn within<T>(call: impl Future<Output = Result<Response<T>, Status>>) -> Result<T, Status> {
    let answer = tokio::time::timeout(PATIENCE, call).await;
    answer.map_err(|_| Status::deadline_exceeded("no answer in time"))?.map(Response::into_inner)
}
