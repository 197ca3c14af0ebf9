//! Claims events in batches and calls the partner for each.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Method};
use patchbay_egress::{Egress, Redirects, Request};
use patchbay_runtime::Tasks;
use serde::Deserialize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use super::log::Reader;
use super::tables::Tables;
use super::{BATCH, PLACES_FOR_A_CLAIM, order};
use crate::stub::IMPORT_PATH;

const CALL_TIMEOUT: Duration = Duration::from_secs(30);

/// An event between claim and call.
pub(super) struct Event {
    pub(super) number: i64,
    pub(super) payload: Bytes,
    import: Bytes,
}

/// An event with the partner's answer. The place in flight is given back when the outcome is durable.
pub(super) struct Outcome {
    pub(super) number: i64,
    pub(super) payload: Bytes,
    pub(super) answer: Bytes,
    pub(super) _place: OwnedSemaphorePermit,
}

/// Calls the partner.
pub(super) struct Caller {
    egress: Egress,
    url: String,
    headers: HeaderMap,
    outcomes: mpsc::Sender<Outcome>,
}

#[derive(Debug, Deserialize)]
struct Answer {
    error: i64,
}

/// Takes what is there and has a place in flight, claims it in one transaction, acknowledges, and starts the calls.
pub(super) async fn claim(
    mut reader: Reader,
    tables: Arc<Tables>,
    caller: Arc<Caller>,
    in_flight: Arc<Semaphore>,
    tasks: Tasks,
) -> Result<()> {
    loop {
        let mut places = Arc::clone(&in_flight).acquire_many_owned(PLACES_FOR_A_CLAIM).await?;
        while places.num_permits() < BATCH {
            let Ok(place) = Arc::clone(&in_flight).try_acquire_owned() else { break };
            places.merge(place);
        }
        let mut batch = reader.next_batch(places.num_permits()).await?;
        let events = batch.payloads().into_iter().map(decode).collect::<Result<Vec<Event>>>()?;
        tables.claim(&events).await?;
        batch.acknowledge().await?;
        for event in events {
            let place = places.split(1).context("an event without a place in flight")?;
            let caller = Arc::clone(&caller);
            super::watched_call(&tasks, async move { caller.call(event, place).await });
        }
    }
}

fn decode(payload: Bytes) -> Result<Event> {
    let (number, import) = order::map(&payload)?;
    Ok(Event { number, payload, import })
}

impl Caller {
    pub(super) fn new(egress: Egress, partner: SocketAddr, outcomes: mpsc::Sender<Outcome>) -> Self {
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/json"))]);
        Self { egress, url: format!("http://{partner}{IMPORT_PATH}"), headers, outcomes }
    }

    async fn call(&self, event: Event, place: OwnedSemaphorePermit) -> Result<()> {
        let request = Request {
            method: Method::POST,
            url: self.url.clone(),
            headers: self.headers.clone(),
            body: event.import,
            timeout: CALL_TIMEOUT,
            redirects: Redirects::default(),
        };
        let response = self.egress.send(request).await?;
        let answer: Answer = serde_json::from_slice(&response.body).context("read the partner's answer")?;
        ensure!(response.status == 200 && answer.error == 0, "the partner refused");
        let outcome = Outcome { number: event.number, payload: event.payload, answer: response.body, _place: place };
        self.outcomes.send(outcome).await.context("hand over an outcome")
    }
}
