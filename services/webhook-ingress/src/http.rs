//! The route `/hooks/{token}`.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderValue, header::RETRY_AFTER},
    response::{IntoResponse, Response},
    routing::post,
};
use patchbay_broker::{Broker, Message, PublishError};
use patchbay_proto::Topic;
use patchbay_runtime::{Clock, data_directory::Reserve};
use patchbay_service::problem::{self, Problem};
use patchbay_types::{Fault, fault::Code};
use tokio::sync::Semaphore;

use crate::{arrival::Arrival, body::Bounds, media::Media, sources::Sources, telemetry::Telemetry};

/// How long the broker may take to confirm; a sender gives up about then.
const CONFIRM_DEADLINE: Duration = Duration::from_secs(25);
/// From this size on a body is parsed apart from the threads that serve requests.
const LARGE: usize = 256 * 1024;
/// Large bodies parsed at once: a parsed body is many times its size.
pub(crate) const LARGE_AT_ONCE: usize = 2;

/// What taking a hook in needs.
#[derive(Debug)]
pub(crate) struct Ingress {
    pub(crate) sources: Arc<Sources>,
    pub(crate) telemetry: Arc<Telemetry>,
    pub(crate) broker: Arc<dyn Broker>,
    pub(crate) reserve: Option<Reserve>,
    pub(crate) clock: Clock,
    pub(crate) bounds: Bounds,
    pub(crate) large: Arc<Semaphore>,
    pub(crate) dedupe_window: Duration,
}

pub(crate) fn router(ingress: Arc<Ingress>) -> Router {
    let hint = "a hook takes POST; GET answers no verification handshake";
    Router::new()
        .route("/hooks/{token}", post(receive).fallback(async move || problem::method_not_allowed(hint)))
        .with_state(ingress)
}

async fn receive(State(ingress): State<Arc<Ingress>>, request: Request) -> Response {
    match ingress.accept(request).await {
        Ok(()) => "OK".into_response(),
        Err(fault) => {
            ingress.telemetry.refused(fault.code);
            refusal(fault)
        }
    }
}

fn refusal(fault: Fault) -> Response {
    let code = fault.code;
    let mut response = Problem(fault).into_response();
    if code == Code::Unavailable {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}

impl Ingress {
    /// Returns only when the event is durable.
    async fn accept(&self, request: Request) -> Result<(), Fault> {
        let (head, body) = request.into_parts();
        // The router has matched the path: what follows its last slash is the token.
        let token = head.uri.path().rsplit('/').next().unwrap_or_default();
        let source = self.sources.find(token).await?;
        let media = Media::of(&head.headers)?;
        if self.reserve.as_ref().is_some_and(Reserve::is_spent) {
            return Err(storage_full());
        }
        let received_at = self.clock.now();
        let body = self.bounds.read(&head.headers, body).await?;
        let bytes = body.bytes.len();
        let arrival =
            Arrival { source, head, media, body: body.bytes.clone(), received_at, dedupe_window: self.dedupe_window };
        match tokio::time::timeout(CONFIRM_DEADLINE, self.publish(arrival)).await {
            Ok(outcome) => outcome?,
            Err(_) => {
                self.telemetry.broker_failed("it took too long");
                return Err(Fault::new(Code::Unavailable, "the event could not be stored in time; send it again"));
            }
        }
        self.telemetry.accepted(bytes);
        Ok(())
    }

    async fn publish(&self, arrival: Arrival) -> Result<(), Fault> {
        let message = self.message(arrival).await?;
        match self.broker.publish(Topic::TriggerFired, vec![message]).await {
            Ok(()) => Ok(()),
            Err(PublishError::TooLarge { bytes, limit }) => Err(Fault::new(
                Code::TooLarge,
                format!("the event has {bytes} bytes, more than the {limit} that can be stored"),
            )),
            Err(error @ PublishError::Full(_)) => {
                self.telemetry.broker_failed(&error.to_string());
                Err(storage_full())
            }
            Err(error @ (PublishError::Closed | PublishError::Unavailable(_))) => {
                self.telemetry.broker_failed(&error.to_string());
                Err(Fault::new(Code::Unavailable, "the event could not be stored; send it again"))
            }
        }
    }

    async fn message(&self, arrival: Arrival) -> Result<Message, Fault> {
        if arrival.body.len() < LARGE {
            return arrival.into_message();
        }
        let stopped = || Fault::new(Code::Unavailable, "the body could not be read; send it again");
        let turn = Arc::clone(&self.large).acquire_owned().await.map_err(|_| stopped())?;
        let work = tokio::task::spawn_blocking(move || {
            let message = arrival.into_message();
            drop(turn);
            message
        });
        work.await.map_err(|_| stopped())?
    }
}

fn storage_full() -> Fault {
    Fault::new(Code::StorageFull, "there is no room to store the event; send it again later")
}
