//! Delivers what waits in the outbox.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue, Method, header};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use patchbay_egress::{AllowRule, Egress, Options, Redirects, Request, SendError};
use patchbay_runtime::backoff::Backoff;
use patchbay_runtime::{Shutdown, Tasks};
use patchbay_types::Timestamp;
use serde::Serialize;
use tokio::sync::Semaphore;

use crate::crm::contact::ContactId;
use crate::crm::outbox::{Event, Lane};
use crate::crm::signature::{signature, timestamp};
use crate::crm::webhooks::{Kind, Webhook};
use crate::state::{State, lock};

/// How many exchanges are under way at once. Deliveries that rest between two tries do not count.
const IN_FLIGHT_LIMIT: usize = 64;

const TRIES: u32 = 8;
const FIRST_WAIT: Duration = Duration::from_millis(200);
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// How long a receiver may take for one answer, and how large that may be.
const ANSWER_DEADLINE: Duration = Duration::from_secs(10);
const ANSWER_BYTES_LIMIT: usize = 1024 * 1024;

/// How long the task may take to end. It drops what it does, so that this is ample.
const END_DEADLINE: Duration = Duration::from_secs(1);

const USER_AGENT: HeaderValue = HeaderValue::from_static("sandbox-crm");

/// One try to deliver, as it is listed.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Attempt {
    at: Timestamp,
    webhook_id: String,
    url: Arc<str>,
    event_id: String,
    #[serde(rename = "type")]
    kind: Kind,
    contact_id: ContactId,
    /// From 1.
    attempt: u32,
    status: Option<u16>,
    error: Option<String>,
}

/// The task that delivers. It ends with its owner.
#[derive(Debug)]
pub(crate) struct Deliveries {
    tasks: Tasks,
}

impl Deliveries {
    pub(crate) fn begin(state: Arc<State>) -> io::Result<Self> {
        let courier = Courier { state, egress: egress()?, slots: Semaphore::new(IN_FLIGHT_LIMIT) };
        let tasks = Tasks::new(Shutdown::default());
        let shutdown = tasks.shutdown().clone();
        tasks.spawn("CRM deliveries", async move {
            let _ = shutdown.or(courier.run()).await;
        });
        Ok(Self { tasks })
    }

    /// Returns when the task has failed.
    pub(crate) async fn failed(&self) -> io::Error {
        self.tasks.shutdown().begun().await;
        io::Error::other("the deliveries of the CRM failed")
    }

    /// Ends the task, deliveries under way included.
    pub(crate) async fn end(self) {
        self.tasks.shutdown().begin();
        let _ = self.tasks.join(END_DEADLINE).await;
    }
}

impl Drop for Deliveries {
    fn drop(&mut self) {
        self.tasks.shutdown().begin();
    }
}

/// A client that reaches test programs wherever they listen; cloud metadata stays out of reach.
fn egress() -> io::Result<Egress> {
    let everywhere: Result<Vec<AllowRule>, _> = ["0.0.0.0/0", "::/0"].into_iter().map(str::parse).collect();
    let options = Options {
        allow_private: everywhere.map_err(io::Error::other)?,
        max_response_bytes: ANSWER_BYTES_LIMIT,
        max_idle_per_host: IN_FLIGHT_LIMIT,
        ..Options::default()
    };
    Egress::new(options).map_err(io::Error::other)
}

struct Courier {
    state: Arc<State>,
    egress: Egress,
    slots: Semaphore,
}

impl Courier {
    /// Empties all lanes side by side, without end.
    async fn run(&self) {
        let filled = lock(&self.state.crm).outbox.filled();
        let mut lanes = FuturesUnordered::new();
        loop {
            let opened = lock(&self.state.crm).outbox.take_opened();
            lanes.extend(opened.into_iter().map(|lane| self.empty(lane)));
            tokio::select! {
                () = filled.notified() => {}
                Some(()) = lanes.next() => {}
            }
        }
    }

    async fn empty(&self, lane: Lane) {
        let mut next = lock(&self.state.crm).outbox.first(lane);
        while let Some(event) = next {
            self.deliver(lane, &event).await;
            next = lock(&self.state.crm).outbox.settle(lane);
        }
    }

    /// Tries until the receiver takes the event, the tries are used up, or nobody wants it any more.
    async fn deliver(&self, lane: Lane, event: &Event) {
        let mut backoff = Backoff::new(FIRST_WAIT, LONGEST_WAIT);
        for attempt in 1..=TRIES {
            if attempt > 1 {
                tokio::time::sleep(backoff.next_wait()).await;
            }
            let Ok(_slot) = self.slots.acquire().await else { return };
            let Some(webhook) = self.receiver(lane) else { return };
            let at = self.state.clock.now();
            // In a box, because a delivery that waits or rests would otherwise take as much memory as one under way.
            let status = Box::pin(self.send(&webhook, event, at)).await;

            let is_taken = matches!(status, Ok(200..=299));
            let tried = Attempt {
                at,
                webhook_id: webhook.id,
                url: webhook.url,
                event_id: event.id.clone(),
                kind: event.kind,
                contact_id: lane.contact,
                attempt,
                status: status.as_ref().ok().copied(),
                error: status.err().map(|error| error.to_string()),
            };
            self.note(lane, tried);
            if is_taken {
                return;
            }
        }
    }

    /// The webhook as it is registered now, unless it was deleted or the lane forgotten.
    fn receiver(&self, lane: Lane) -> Option<Webhook> {
        let crm = lock(&self.state.crm);
        crm.outbox.first(lane)?;
        crm.webhooks.get(lane.webhook).cloned()
    }

    /// The status of the answer.
    async fn send(&self, webhook: &Webhook, event: &Event, at: Timestamp) -> Result<u16, SendError> {
        let request = Request {
            method: Method::POST,
            url: webhook.url.to_string(),
            headers: headers(webhook, event, at),
            body: event.body.clone(),
            timeout: ANSWER_DEADLINE,
            redirects: Redirects::default(),
        };
        self.egress.send(request).await.map(|response| response.status)
    }

    /// Writes a try down, unless everything was forgotten meanwhile.
    fn note(&self, lane: Lane, attempt: Attempt) {
        let mut crm = lock(&self.state.crm);
        if crm.outbox.first(lane).is_some() {
            crm.attempts.push(attempt);
        }
    }
}

/// Signed anew for every try, because receivers refuse old timestamps.
fn headers(webhook: &Webhook, event: &Event, at: Timestamp) -> HeaderMap {
    let timestamp = timestamp(at);
    let signature = signature(&webhook.secret, &timestamp, &event.body);
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::USER_AGENT, USER_AGENT);
    let own = [("x-crm-event-id", &event.id), ("x-crm-timestamp", &timestamp), ("x-crm-signature", &signature)];
    for (name, text) in own {
        if let Ok(value) = HeaderValue::try_from(text) {
            headers.insert(name, value);
        }
    }
    headers
}
