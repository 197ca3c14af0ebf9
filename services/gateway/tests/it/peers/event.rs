//! The service of events.

use std::pin::Pin;

use bytes::Bytes;
use futures_util::{Stream, stream};
use patchbay_proto::event::v1::{
    PublishRequest, PublishResponse, TailRequest, TailedEvent, event_service_server::EventService,
};
use tonic::{Request, Status};

use super::{Answer, Asked, Fakes, SOURCE};

#[tonic::async_trait]
impl EventService for Fakes {
    type TailStream = Pin<Box<dyn Stream<Item = Result<TailedEvent, Status>> + Send>>;

    async fn publish(&self, request: Request<PublishRequest>) -> Answer<PublishResponse> {
        let request = request.into_inner();
        // The first event fires one trigger, the second two, and so on.
        let sources = (1..).take(request.events.len()).collect();
        self.answer(Asked::Publish(request), PublishResponse { sources })
    }

    async fn tail(&self, request: Request<TailRequest>) -> Answer<Self::TailStream> {
        let event = TailedEvent {
            source_id: Bytes::from_static(&SOURCE),
            event_id: "1".to_owned(),
            operation: "webhook.received".to_owned(),
            accepted_at: 0,
            payload: Bytes::from_static(b"{\"text\":\"a\\nb\"}"),
        };
        let events: Self::TailStream = Box::pin(stream::iter([Ok(event), Err(Status::unavailable("gone"))]));
        self.answer(Asked::Tail(request.into_inner()), events)
    }
}
