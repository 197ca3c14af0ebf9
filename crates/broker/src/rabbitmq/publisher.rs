//! The publishers' side of the task that publishes.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use lapin::types::ShortString;
use patchbay_proto::Topic;
use tokio::sync::{Semaphore, mpsc, oneshot, watch};
use tokio::time::{Instant, timeout_at};

use super::address::FRAME_BYTES;
use super::codec;
use super::link::{Plan, State};
use super::request::{Outgoing, Request, Room};
use super::sender::{Problem, Sender};
use crate::{Message, PublishError};

/// Messages that may be on their way at once.
const MESSAGES_IN_FLIGHT: usize = 8192;
/// Bytes that may be on their way at once, unless one message is larger.
const BYTES_IN_FLIGHT: usize = 64 * 1024 * 1024;
/// Bytes are counted in units of this many.
const UNIT: usize = 1024;
/// More than the deadline of a request: its answer comes by then.
const GRACE: Duration = Duration::from_secs(1);

/// See above.
#[derive(Debug)]
pub(super) struct Publisher {
    plan: Arc<Plan>,
    /// Nothing after the close.
    requests: Mutex<Option<mpsc::Sender<Request>>>,
    messages: Arc<Semaphore>,
    bytes: Arc<Semaphore>,
    problem: Problem,
}

impl Publisher {
    /// The publisher, and the task that it needs.
    pub(super) fn new(plan: Arc<Plan>, link: watch::Receiver<State>) -> (Self, Sender) {
        let (requests, receiver) = mpsc::channel(MESSAGES_IN_FLIGHT);
        let problem = Problem::default();
        let sender = Sender::new(Arc::clone(&plan), link, receiver, Arc::clone(&problem));
        let publisher = Self {
            plan,
            requests: Mutex::new(Some(requests)),
            messages: Arc::new(Semaphore::new(MESSAGES_IN_FLIGHT)),
            bytes: Arc::new(Semaphore::new(BYTES_IN_FLIGHT / UNIT)),
            problem,
        };
        (publisher, sender)
    }

    pub(super) async fn publish(&self, topic: Topic, messages: Vec<Message>) -> Result<(), PublishError> {
        for message in &messages {
            self.check_size(message)?;
        }
        let requests = self.requests().ok_or(PublishError::Closed)?;
        if messages.is_empty() {
            return Ok(());
        }
        let deadline = Instant::now() + self.plan.options.confirm_timeout;
        let room = self.room(&messages, deadline).await?;
        let messages = messages.into_iter().map(|message| self.outgoing(topic, message)).collect();
        let (answer, answered) = oneshot::channel();
        let request = Request { messages, deadline, answer, room };
        requests.send(request).await.map_err(|_| PublishError::Closed)?;
        drop(requests);
        match timeout_at(deadline + GRACE, answered).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err(PublishError::Unavailable("its channel has ended".into())),
            Err(_) => Err(PublishError::Unavailable("it did not confirm in time".into())),
        }
    }

    /// Ends the task when it has answered what it has.
    pub(super) fn close(&self) {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    pub(super) fn health(&self) -> Result<(), String> {
        self.problem.lock().unwrap_or_else(PoisonError::into_inner).clone().map_or(Ok(()), Err)
    }

    fn requests(&self) -> Option<mpsc::Sender<Request>> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn check_size(&self, message: &Message) -> Result<(), PublishError> {
        let limit = self.plan.options.max_message_bytes;
        let bytes = codec::head_bytes(message) + message.payload.len();
        if bytes > limit {
            return Err(PublishError::TooLarge { bytes, limit });
        }
        let (bytes, limit) = (codec::framed_bytes(message), FRAME_BYTES as usize);
        if bytes > limit {
            return Err(PublishError::TooLarge { bytes, limit });
        }
        Ok(())
    }

    async fn room(&self, messages: &[Message], deadline: Instant) -> Result<Room, PublishError> {
        let units: usize =
            messages.iter().map(|message| 1 + (codec::head_bytes(message) + message.payload.len()) / UNIT).sum();
        let acquire = async {
            let count = permits(messages.len(), MESSAGES_IN_FLIGHT);
            let messages = Arc::clone(&self.messages).acquire_many_owned(count).await.ok()?;
            let bytes =
                Arc::clone(&self.bytes).acquire_many_owned(permits(units, BYTES_IN_FLIGHT / UNIT)).await.ok()?;
            Some(Room { _messages: messages, _bytes: bytes })
        };
        let full = || PublishError::Full("too much is on its way to the broker".into());
        timeout_at(deadline, acquire).await.ok().flatten().ok_or_else(full)
    }

    fn outgoing(&self, topic: Topic, message: Message) -> Outgoing {
        let bytes = codec::head_bytes(&message) + message.payload.len();
        let destination = self.plan.names.destination(topic, message.tenant, &message.route, bytes);
        Outgoing {
            exchange: destination.exchange.clone(),
            routing_key: ShortString::try_new(destination.routing_key).unwrap_or_default(),
            mandatory: destination.mandatory,
            properties: codec::encode(&message),
            payload: message.payload,
        }
    }
}

/// What is more than there is takes all.
fn permits(wanted: usize, most: usize) -> u32 {
    u32::try_from(wanted.min(most)).unwrap_or(u32::MAX)
}
