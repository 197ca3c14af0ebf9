//! The route `/hooks/{token}`.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderValue, StatusCode, header::RETRY_AFTER},
    response::{IntoResponse, Response},
    routing::post,
};
use patchbay_broker::{Broker, Message, PublishError};
use patchbay_proto::Topic;
use patchbay_runtime::{Clock, data_directory::Reserve};
use patchbay_service::{
    credentials::{Credential, Credentials},
    problem::{self, Problem},
};
use patchbay_types::{Fault, fault::Code};

use crate::{
    arrival::Arrival,
    body::{Bounds, Held},
    domain::{Kind, Partner, Source},
    event::{self, Refusal},
    media::Media,
    sources::{Sources, no_such_hook},
    tail::Tail,
    telemetry::Telemetry,
    workshop::{Workshop, weight_of_text, weight_of_values},
};

/// How long the broker may take to confirm; a sender gives up about then.
const CONFIRM_DEADLINE: Duration = Duration::from_secs(25);
/// From this size on a body is parsed apart from the threads that serve requests.
const LARGE: usize = 256 * 1024;
/// The same for what is slower to read than JSON, and for triggers of partners, which evaluate expressions for every item.
const LARGE_IF_SLOW: usize = 16 * 1024;

/// What taking a hook in needs.
#[derive(Debug)]
pub(crate) struct Ingress {
    pub(crate) sources: Arc<Sources>,
    pub(crate) credentials: Arc<Credentials>,
    pub(crate) telemetry: Arc<Telemetry>,
    pub(crate) broker: Arc<dyn Broker>,
    pub(crate) reserve: Option<Reserve>,
    pub(crate) clock: Clock,
    pub(crate) bounds: Bounds,
    pub(crate) workshop: Workshop,
    pub(crate) dedupe_window: Duration,
    pub(crate) tail: Tail,
}

pub(crate) fn router(ingress: Arc<Ingress>) -> Router {
    let hint = "a hook takes POST; GET answers no verification handshake";
    Router::new()
        .route("/hooks/{token}", post(receive).fallback(async move || problem::method_not_allowed(hint)))
        .with_state(ingress)
}

async fn receive(State(ingress): State<Arc<Ingress>>, request: Request) -> Response {
    match ingress.accept(request).await {
        Ok(answer) => answer,
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
    /// Returns only when all events are durable.
    async fn accept(&self, request: Request) -> Result<Response, Fault> {
        let (head, body) = request.into_parts();
        // The router has matched the path: what follows its last slash is the token.
        let token = head.uri.path().rsplit('/').next().unwrap_or_default();
        let source = self.sources.find(token).await?;
        let media = Media::of(&head.headers)?;
        if self.reserve.as_ref().is_some_and(Reserve::is_spent) {
            return Err(storage_full());
        }
        let received_at = self.clock.now();
        let Held { bytes: body, memory: _memory } = self.bounds.read(&head.headers, body).await?;
        let bytes = body.len();
        let arrival = Arc::new(Arrival { head, media, body, received_at });
        let events = self.in_time(self.take(&source, arrival)).await?;
        self.telemetry.accepted(events, bytes);
        taken(&source)
    }

    /// How many events it was.
    async fn take(&self, source: &Arc<Source>, arrival: Arc<Arrival>) -> Result<usize, Fault> {
        let body = arrival.body.len();
        let messages = self.messages(source, arrival).await?;
        let events = messages.len();
        let all = messages.iter().fold(0, |sum: usize, message| sum.saturating_add(message.payload.len()));
        // Many events of one body can be larger than the body, whose share of the memory they take over.
        let _more = self.bounds.take(all.saturating_sub(body))?;
        if events > 0 {
            let shown =
                self.tail.is_watched().then(|| messages.iter().map(|message| (Arc::clone(source), message.clone())));
            let shown: Option<Vec<_>> = shown.map(Iterator::collect);
            self.publish(messages).await?;
            shown.iter().for_each(|shown| self.tail.show(shown));
        }
        Ok(events)
    }

    /// A signature that does not fit is verified once more when there is a newer secret.
    async fn messages(&self, source: &Arc<Source>, arrival: Arc<Arrival>) -> Result<Vec<Message>, Fault> {
        let credential = match &source.kind {
            Kind::Partner(partner) => self.credential(source, partner).await?,
            Kind::Any(_) | Kind::Published(_) | Kind::Unusable(_) => None,
        };
        let unverified = match self.work(source, &arrival, credential.clone()).await {
            Ok(messages) => return Ok(messages),
            Err(Refusal::Fault(fault)) => return Err(fault),
            Err(Refusal::Unverified(fault)) => fault,
        };
        let (Kind::Partner(partner), Some(refused)) = (&source.kind, credential) else { return Err(unverified) };
        let newer = self.credentials.newer(partner.connection, &refused).await.map_err(|fault| unlent(&fault))?;
        let Some(newer) = newer else { return Err(unverified) };
        self.work(source, &arrival, Some(newer)).await.map_err(|refusal| match refusal {
            Refusal::Fault(fault) | Refusal::Unverified(fault) => fault,
        })
    }

    /// What the sender is verified with, where the trigger looks at its connection.
    async fn credential(&self, source: &Source, partner: &Partner) -> Result<Option<Arc<Credential>>, Fault> {
        let Some(connection) = self.sources.connection(partner.connection) else {
            return Err(Fault::new(Code::Unavailable, "the connection of this hook is not known yet; try again"));
        };
        if connection.deleted || connection.workspace != source.workspace {
            return Err(no_such_hook());
        }
        if !partner.webhook()?.uses_connection() {
            return Ok(None);
        }
        let credential = self.credentials.get(partner.connection, connection.revision).await;
        credential.map(Some).map_err(|fault| unlent(&fault))
    }

    /// Makes the messages, apart from the threads that serve requests when that may take long.
    async fn work(
        &self,
        source: &Arc<Source>,
        arrival: &Arc<Arrival>,
        credential: Option<Arc<Credential>>,
    ) -> Result<Vec<Message>, Refusal> {
        let (source, arrival, window) = (Arc::clone(source), Arc::clone(arrival), self.dedupe_window);
        let is_slow = matches!(source.kind, Kind::Partner(_)) || !arrival.media.is_json();
        let is_large = arrival.body.len() >= if is_slow { LARGE_IF_SLOW } else { LARGE };
        let weight = is_large.then(|| weight(&source, &arrival));
        let work = move || {
            let fields = credential.as_ref().map(|credential| credential.fields.as_slice());
            event::messages(&source, &arrival, fields, window)
        };
        match weight {
            None => work(),
            Some(weight) => self.workshop.perform(weight, work).await,
        }
    }

    /// Publishes what was not read from a hook.
    pub(crate) async fn publish_in_time(&self, messages: Vec<(Arc<Source>, Message)>) -> Result<(), Fault> {
        if self.reserve.as_ref().is_some_and(Reserve::is_spent) {
            return Err(storage_full());
        }
        let all = messages.iter().map(|(_, message)| message.clone()).collect();
        self.in_time(self.publish(all)).await?;
        if self.tail.is_watched() {
            self.tail.show(&messages);
        }
        Ok(())
    }

    async fn in_time<T>(&self, taking: impl Future<Output = Result<T, Fault>>) -> Result<T, Fault> {
        match tokio::time::timeout(CONFIRM_DEADLINE, taking).await {
            Ok(outcome) => outcome,
            Err(_) => {
                self.telemetry.broker_failed("it took too long");
                Err(Fault::new(Code::Unavailable, "the event could not be stored in time; send it again"))
            }
        }
    }

    async fn publish(&self, messages: Vec<Message>) -> Result<(), Fault> {
        match self.broker.publish(Topic::TriggerFired, messages).await {
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
}

/// The memory that reading the body takes, in bytes. Forms have a bounded number of values.
fn weight(source: &Source, arrival: &Arrival) -> usize {
    let has_values = arrival.media.is_json() && source.kind.reads_values();
    if has_values { weight_of_values(&arrival.body) } else { weight_of_text(arrival.body.len()) }
}

/// What the sender is told when all is durable, or nothing was wanted.
fn taken(source: &Source) -> Result<Response, Fault> {
    let Kind::Partner(partner) = &source.kind else { return Ok("OK".into_response()) };
    let (status, body) = partner.webhook()?.respond();
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    Ok((status, body.to_owned()).into_response())
}

/// What senders are told of a credential that can't be had, which is less than what operators read.
fn unlent(fault: &Fault) -> Fault {
    if fault.code == Code::NotFound {
        return no_such_hook();
    }
    Fault::new(Code::Unavailable, "the connection of this hook can't be used now; send it again later")
}

fn storage_full() -> Fault {
    Fault::new(Code::StorageFull, "there is no room to store the event; send it again later")
}
