//! `/v1/events`: events of teams' own programs, and a look at what comes in.

use std::{convert::Infallible, time::Duration};

use axum::{
    Json,
    body::Body,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{
        IntoResponse, Response, Sse,
        sse::{Event, KeepAlive},
    },
};
use futures_util::{Stream, StreamExt, stream};
use patchbay_proto::{
    Route,
    event::v1::{
        PublishRequest, PublishResponse, PublishedEvent, TailRequest, TailedEvent,
        event_service_client::EventServiceClient,
    },
};
use patchbay_types::{SourceId, Timestamp};
use serde::Serialize;
use serde_json::value::RawValue;
use tonic::Streaming;

use super::{Answer, Gateway, LARGEST_ANSWER, Shared, ask, body, caller::Caller, patient};
use crate::cloud_event;

/// The largest body, in bytes.
const LARGEST: usize = 10 * 1024 * 1024;
/// How often a silent stream says that it lives, so that nothing on the way closes it.
const ALIVE_EVERY: Duration = Duration::from_secs(15);

#[derive(Debug, Serialize)]
struct Accepted {
    accepted: usize,
    events: Vec<AcceptedEvent>,
}

#[derive(Debug, Serialize)]
struct AcceptedEvent {
    id: String,
    /// How many triggers it fires; 0 is no failure, the event is counted and forgotten.
    triggers: i64,
}

#[derive(Debug, Serialize)]
struct Tailed {
    source_id: Option<SourceId>,
    event_id: String,
    operation: String,
    accepted_at: Timestamp,
    trigger: Option<Box<RawValue>>,
}

/// Takes one `CloudEvent` or a batch. All of them are durable when it answers.
pub(super) async fn publish(
    State(gateway): Shared,
    caller: Caller,
    headers: HeaderMap,
    body: Body,
) -> Answer<Response> {
    let body = body::read_up_to(body, LARGEST).await?;
    let events = cloud_event::read(&headers, &body).map_err(patchbay_service::problem::Problem)?;
    let ids: Vec<String> = events.iter().map(|event: &PublishedEvent| event.id.clone()).collect();
    let request = PublishRequest { workspace_id: caller.workspace.get(), events };
    let PublishResponse { sources } = ask("webhook-ingress", service(&gateway).publish(patient(request))).await?;
    let events = ids.into_iter().zip(sources).map(|(id, triggers)| AcceptedEvent { id, triggers });
    let events: Vec<_> = events.collect();
    Ok((StatusCode::ACCEPTED, Json(Accepted { accepted: events.len(), events })).into_response())
}

/// What is accepted from now on, as server-sent events. Where several ingress processes share the work, this shows what one
/// of them accepts.
pub(super) async fn tail(
    State(gateway): Shared,
    caller: Caller,
) -> Answer<Sse<impl Stream<Item = Result<Event, Infallible>>>> {
    let request = TailRequest { workspace_id: caller.workspace.get() };
    let events = ask("webhook-ingress", service(&gateway).tail(request)).await?;
    Ok(Sse::new(shown(events)).keep_alive(KeepAlive::new().interval(ALIVE_EVERY)))
}

/// Ends when the peer ends, whatever the reason: whoever looks on connects again.
fn shown(events: Streaming<TailedEvent>) -> impl Stream<Item = Result<Event, Infallible>> {
    stream::unfold(events, async |mut events| {
        let event = events.next().await?.ok()?;
        let data = serde_json::to_string(&tailed(event)).ok()?;
        Some((Ok(Event::default().event("event").data(data)), events))
    })
}

fn tailed(event: TailedEvent) -> Tailed {
    Tailed {
        source_id: SourceId::from_slice(&event.source_id).ok(),
        event_id: event.event_id,
        operation: event.operation,
        accepted_at: Timestamp::from_micros(event.accepted_at),
        trigger: serde_json::from_slice(&event.payload).ok(),
    }
}

fn service(gateway: &Gateway) -> EventServiceClient<Route> {
    EventServiceClient::new(gateway.peers.events.clone()).max_decoding_message_size(LARGEST_ANSWER)
}
