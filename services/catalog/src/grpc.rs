//! Messages to the domain and back.

use std::sync::Arc;

use patchbay_proto::catalog::v1::{
    FieldsRequest, FieldsResponse, GetPartnerRequest, ListOperationsRequest, ListOperationsResponse,
    ListPartnersRequest, ListPartnersResponse, OptionsRequest, OptionsResponse, Partner, RefreshRequest,
    RefreshResponse, catalog_service_server::CatalogService,
};
use patchbay_service::status::from_fault;
use patchbay_types::{ConnectionId, Fault, WorkspaceId};
use tonic::{Request, Response, Status, async_trait};

use crate::{messages, operations::Directory};

/// Answers the service.
#[derive(Debug)]
pub(crate) struct Server(pub(crate) Arc<Directory>);

type Answer<T> = Result<Response<T>, Status>;

#[async_trait]
impl CatalogService for Server {
    async fn list_partners(&self, request: Request<ListPartnersRequest>) -> Answer<ListPartnersResponse> {
        let found = self.0.partners(&request.into_inner().contains);
        let partners = found.iter().map(|connector| messages::partner(connector)).collect();
        Ok(Response::new(ListPartnersResponse { partners }))
    }

    async fn get_partner(&self, request: Request<GetPartnerRequest>) -> Answer<Partner> {
        answer(self.0.partner(&request.into_inner().partner), |connector| messages::partner(&connector))
    }

    async fn list_operations(&self, request: Request<ListOperationsRequest>) -> Answer<ListOperationsResponse> {
        answer(self.0.operations(&request.into_inner().partner), |found| ListOperationsResponse {
            operations: found.iter().map(messages::operation).collect(),
        })
    }

    async fn fields(&self, request: Request<FieldsRequest>) -> Answer<FieldsResponse> {
        let request = request.into_inner();
        let workspace = WorkspaceId::new(request.workspace_id);
        let connection = (request.connection_id != 0).then(|| ConnectionId::new(request.connection_id));
        let form = self.0.fields(workspace, &request.operation, connection, &request.input).await;
        answer(form, messages::form)
    }

    async fn options(&self, request: Request<OptionsRequest>) -> Answer<OptionsResponse> {
        let request = request.into_inner();
        let (workspace, connection) =
            (WorkspaceId::new(request.workspace_id), ConnectionId::new(request.connection_id));
        let kept = self.0.options(workspace, connection, &request.list, &request.input).await;
        answer(kept, |kept| OptionsResponse {
            options: kept.entries.iter().map(messages::option).collect(),
            fetched_at: kept.fetched_at.as_micros(),
            truncated: kept.truncated,
        })
    }

    async fn refresh(&self, request: Request<RefreshRequest>) -> Answer<RefreshResponse> {
        let request = request.into_inner();
        let (workspace, connection) =
            (WorkspaceId::new(request.workspace_id), ConnectionId::new(request.connection_id));
        answer(self.0.refresh(workspace, connection).await, |lists| RefreshResponse {
            lists: lists.into_iter().map(messages::refreshed).collect(),
        })
    }
}

fn answer<D, M>(result: Result<D, Fault>, message: impl FnOnce(D) -> M) -> Answer<M> {
    result.map(|domain| Response::new(message(domain))).map_err(|fault| from_fault(&fault))
}
