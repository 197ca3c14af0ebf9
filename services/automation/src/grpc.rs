//! Messages to the domain and back.

use std::{future::Future, sync::Arc};

use bytes::Bytes;
use patchbay_proto::automation::{
    internal::v1::{
        ChangesSinceRequest, ChangesSinceResponse, GetVersionRequest, GetVersionResponse,
        PublishedAutomation as PublishedMessage, Source as SourceMessage,
        automation_internal_service_server::AutomationInternalService,
    },
    v1::{
        Automation as AutomationMessage, AutomationRequest, CreateAutomationRequest, DeleteAutomationResponse,
        ListAutomationsRequest, ListAutomationsResponse, UpdateAutomationRequest,
        automation_service_server::AutomationService,
    },
};
use patchbay_service::{hook_token::HookKey, status::from_fault};
use patchbay_types::{AutomationId, ConnectionId, Fault, WorkspaceId};
use tonic::{Request, Response, Status, async_trait};

use crate::{
    domain::{Automation, Published, Source},
    error::Failure,
    operations::Automations,
    telemetry,
};

/// Answers the public and the internal service.
#[derive(Debug, Clone)]
pub(crate) struct Server(pub(crate) Arc<Automations>);

type Answer<T> = Result<Response<T>, Status>;

impl Server {
    /// Every automation is shown with its hook token, so nothing is done before one can be made.
    async fn answer(
        &self,
        method: &'static str,
        operation: impl Future<Output = Result<Automation, Failure>>,
    ) -> Answer<AutomationMessage> {
        let key = self.key().await?;
        let automation = operation.await.map_err(|failure| refuse(method, failure))?;
        Ok(Response::new(self.message(key, automation)))
    }

    async fn key(&self) -> Result<&HookKey, Status> {
        self.0.hook_key.get().await.map_err(|fault| from_fault(&fault))
    }

    fn message(&self, key: &HookKey, automation: Automation) -> AutomationMessage {
        AutomationMessage {
            hook_token: self.0.hook_token(key, &automation),
            id: bytes(automation.id.as_bytes()),
            workspace_id: automation.workspace.get(),
            status: automation.status.as_str().to_owned(),
            version: automation.version,
            definition: automation.document,
            source_id: bytes(automation.source.as_bytes()),
            created_at: automation.created_at.as_micros(),
            updated_at: automation.updated_at.as_micros(),
        }
    }
}

#[async_trait]
impl AutomationService for Server {
    async fn create(&self, request: Request<CreateAutomationRequest>) -> Answer<AutomationMessage> {
        let request = request.into_inner();
        let workspace = WorkspaceId::new(request.workspace_id);
        self.answer("Create", self.0.create(workspace, request.definition)).await
    }

    async fn update(&self, request: Request<UpdateAutomationRequest>) -> Answer<AutomationMessage> {
        let request = request.into_inner();
        let (workspace, id) = (WorkspaceId::new(request.workspace_id), automation_id("id", &request.id)?);
        self.answer("Update", self.0.update(workspace, id, request.definition)).await
    }

    async fn get(&self, request: Request<AutomationRequest>) -> Answer<AutomationMessage> {
        let (workspace, id) = named(&request)?;
        self.answer("Get", self.0.get(workspace, id)).await
    }

    async fn list(&self, request: Request<ListAutomationsRequest>) -> Answer<ListAutomationsResponse> {
        let request = request.into_inner();
        let before = match &*request.before_id {
            [] => None,
            id => Some(automation_id("before_id", id)?),
        };
        let key = self.key().await?;
        let listed = self.0.list(WorkspaceId::new(request.workspace_id), before, request.limit).await;
        let page = listed.map_err(|failure| refuse("List", failure))?;
        Ok(Response::new(ListAutomationsResponse {
            automations: page.automations.into_iter().map(|automation| self.message(key, automation)).collect(),
            next_before_id: page.next.map(|id| bytes(id.as_bytes())).unwrap_or_default(),
        }))
    }

    async fn delete(&self, request: Request<AutomationRequest>) -> Answer<DeleteAutomationResponse> {
        let (workspace, id) = named(&request)?;
        self.0.delete(workspace, id).await.map_err(|failure| refuse("Delete", failure))?;
        Ok(Response::new(DeleteAutomationResponse {}))
    }

    async fn publish(&self, request: Request<AutomationRequest>) -> Answer<AutomationMessage> {
        let (workspace, id) = named(&request)?;
        self.answer("Publish", self.0.publish(workspace, id)).await
    }

    async fn pause(&self, request: Request<AutomationRequest>) -> Answer<AutomationMessage> {
        let (workspace, id) = named(&request)?;
        self.answer("Pause", self.0.pause(workspace, id)).await
    }

    async fn start(&self, request: Request<AutomationRequest>) -> Answer<AutomationMessage> {
        let (workspace, id) = named(&request)?;
        self.answer("Start", self.0.start(workspace, id)).await
    }
}

#[async_trait]
impl AutomationInternalService for Server {
    async fn changes_since(&self, request: Request<ChangesSinceRequest>) -> Answer<ChangesSinceResponse> {
        let followed = self.0.changes_since(request.into_inner().revision).await;
        let changes = followed.map_err(|failure| refuse("ChangesSince", failure))?;
        Ok(Response::new(ChangesSinceResponse {
            revision: changes.revision,
            sources: changes.sources.into_iter().map(source).collect(),
            automations: changes.automations.into_iter().map(published).collect(),
        }))
    }

    async fn get_version(&self, request: Request<GetVersionRequest>) -> Answer<GetVersionResponse> {
        let request = request.into_inner();
        let automation = automation_id("automation_id", &request.automation_id)?;
        let found = self.0.version(automation, request.version).await;
        let definition = found.map_err(|failure| refuse("GetVersion", failure))?;
        Ok(Response::new(GetVersionResponse { definition }))
    }
}

fn named(request: &Request<AutomationRequest>) -> Result<(WorkspaceId, AutomationId), Status> {
    let request = request.get_ref();
    Ok((WorkspaceId::new(request.workspace_id), automation_id("id", &request.id)?))
}

fn automation_id(field: &str, bytes: &[u8]) -> Result<AutomationId, Status> {
    AutomationId::from_slice(bytes).map_err(|error| from_fault(&Fault::invalid(error.to_string()).with_field(field)))
}

fn bytes(id: &[u8; 16]) -> Bytes {
    Bytes::copy_from_slice(id)
}

fn source(source: Source) -> SourceMessage {
    SourceMessage {
        id: bytes(source.id.as_bytes()),
        workspace_id: source.workspace.get(),
        operation: source.operation,
        parameters: source.parameters.into(),
        deleted: source.deleted,
        revision: source.revision,
        connection_id: source.connection.map_or(0, ConnectionId::get),
        mode: source.mode,
    }
}

fn published(automation: Published) -> PublishedMessage {
    let status = if automation.deleted { "deleted" } else { automation.status.as_str() };
    PublishedMessage {
        id: bytes(automation.id.as_bytes()),
        workspace_id: automation.workspace.get(),
        status: status.to_owned(),
        version: automation.version,
        source_id: bytes(automation.source.as_bytes()),
        definition: automation.document,
        revision: automation.revision,
    }
}

fn refuse(method: &'static str, failure: Failure) -> Status {
    match failure {
        Failure::Refused(fault) => from_fault(&fault),
        Failure::Store(error) => {
            telemetry::store_failed(method, &error);
            from_fault(&error.fault())
        }
    }
}
