//! Messages to published events, and back.

use std::{pin::Pin, sync::Arc};

use futures_util::{Stream, stream};
use patchbay_proto::event::v1::{
    PublishRequest, PublishResponse, TailRequest, TailedEvent, event_service_server::EventService,
};
use patchbay_runtime::Shutdown;
use patchbay_service::status::from_fault;
use patchbay_types::WorkspaceId;
use tonic::{Request, Response, Status};

use crate::http::Ingress;

/// The service of events.
#[derive(Debug)]
pub(crate) struct Events {
    pub(crate) ingress: Arc<Ingress>,
    pub(crate) shutdown: Shutdown,
}

#[tonic::async_trait]
impl EventService for Events {
    type TailStream = Pin<Box<dyn Stream<Item = Result<TailedEvent, Status>> + Send>>;

    async fn publish(&self, request: Request<PublishRequest>) -> Result<Response<PublishResponse>, Status> {
        match self.ingress.publish_events(request.into_inner()).await {
            Ok(published) => Ok(Response::new(published)),
            Err(fault) => {
                self.ingress.telemetry.refused(fault.code);
                Err(from_fault(&fault))
            }
        }
    }

    async fn tail(&self, request: Request<TailRequest>) -> Result<Response<Self::TailStream>, Status> {
        let reader = self.ingress.tail.reader(WorkspaceId::new(request.into_inner().workspace_id));
        let events = stream::unfold((reader, self.shutdown.clone()), async |(mut reader, shutdown)| {
            let event = shutdown.or(reader.next()).await??;
            Some((Ok(event), (reader, shutdown)))
        });
        Ok(Response::new(Box::pin(events)))
    }
}
