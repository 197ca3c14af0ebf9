//! Messages that are sent and not confirmed, of one channel.
//!
//! Two things make a confirm of the client library true:
//!
//! - It numbers messages and sends them in two steps, so that two tasks that publish on one channel may swap their numbers, and
//!   get each other's confirms. Here one task begins every publish, and each takes both steps before the next begins.
//! - It gives a message that the broker returned (no queue took it) to whichever confirm is resolved next, not to the one of
//!   that message; the one of that message is resolved later, and looks good. So what was resolved is believed only after
//!   everything that was resolved before it was looked at, and a returned message among it spoils the whole channel.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use lapin::options::BasicPublishOptions;
use lapin::{Channel, Confirmation};
use tokio::sync::Notify;
use tokio::time::Instant;

use super::request::{Outgoing, Told};

/// Messages whose state changed.
#[derive(Debug, Default)]
pub(super) struct Bell {
    rung: Mutex<Vec<u64>>,
    notify: Notify,
}

impl Bell {
    fn take(&self) -> Vec<u64> {
        std::mem::take(&mut *self.rung.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn ring(&self, number: u64) {
        let mut rung = self.rung.lock().unwrap_or_else(PoisonError::into_inner);
        rung.push(number);
        let first = rung.len() == 1;
        drop(rung);
        if first {
            self.notify.notify_one();
        }
    }
}

struct Ring {
    bell: Arc<Bell>,
    number: u64,
}

impl Wake for Ring {
    fn wake(self: Arc<Self>) {
        self.bell.ring(self.number);
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.bell.ring(self.number);
    }
}

type Confirm = Pin<Box<dyn Future<Output = lapin::Result<Confirmation>> + Send>>;

struct Sent {
    confirm: Confirm,
    waker: Waker,
    request: u64,
    at: Instant,
}

/// How messages ended that were looked at together.
#[derive(Debug, Default)]
pub(super) struct Ended {
    /// Requests and what was told of one of their messages.
    pub(super) told: Vec<(u64, Told)>,
    /// Why nothing more can be learned from this channel.
    pub(super) spoiled: Option<Spoiled>,
}

/// Why a channel is given up.
#[derive(Debug, Clone)]
pub(super) enum Spoiled {
    /// A message came back because no queue took it.
    Returned {
        exchange: String,
        routing_key: String,
        why: String,
    },
    Failed(lapin::Error),
}

/// See above.
pub(super) struct Flight {
    channel: Arc<Channel>,
    bell: Arc<Bell>,
    /// By number, the oldest in front.
    sent: VecDeque<Option<Sent>>,
    first: u64,
    ended: Ended,
}

impl Flight {
    pub(super) fn new(channel: Channel) -> Self {
        let (bell, sent) = (Arc::default(), VecDeque::new());
        Self { channel: Arc::new(channel), bell, sent, first: 0, ended: Ended::default() }
    }

    /// Whether it can be sent on.
    pub(super) fn is_open(&self) -> bool {
        self.channel.status().connected()
    }

    /// Sends a message of a request.
    pub(super) fn send(&mut self, request: u64, message: Outgoing, now: Instant) {
        let number = self.first + self.sent.len() as u64;
        let channel = Arc::clone(&self.channel);
        let confirm = Box::pin(async move {
            let Outgoing { exchange, routing_key, mandatory, properties, payload } = message;
            let options = BasicPublishOptions { mandatory, immediate: false };
            let confirm = channel.basic_publish(exchange, routing_key, options, &payload, properties).await?;
            // It is written.
            drop(payload);
            confirm.await
        });
        let waker = Waker::from(Arc::new(Ring { bell: Arc::clone(&self.bell), number }));
        self.sent.push_back(Some(Sent { confirm, waker, request, at: now }));
        // The first look sends it. What ends at once rings no bell.
        self.look_at(number);
        if !self.ended.told.is_empty() {
            self.bell.notify.notify_one();
        }
    }

    /// Waits until there is something to look at.
    pub(super) fn rung(&self) -> impl Future<Output = ()> + use<> {
        let bell = Arc::clone(&self.bell);
        async move { bell.notify.notified().await }
    }

    /// What ended meanwhile. Everything that was resolved before one of these is among these, or was among earlier ones.
    pub(super) fn look(&mut self) -> Ended {
        loop {
            let rung = self.bell.take();
            if rung.is_empty() {
                break;
            }
            for number in rung {
                self.look_at(number);
            }
        }
        while let Some(None) = self.sent.front() {
            self.sent.pop_front();
            self.first += 1;
        }
        std::mem::take(&mut self.ended)
    }

    /// Since when the oldest message is on its way.
    pub(super) fn oldest(&self) -> Option<Instant> {
        self.sent.iter().flatten().next().map(|sent| sent.at)
    }

    fn look_at(&mut self, number: u64) {
        let Some(index) = number.checked_sub(self.first).and_then(|index| usize::try_from(index).ok()) else { return };
        let Some(place) = self.sent.get_mut(index) else { return };
        let Some(sent) = place else { return };
        let Poll::Ready(result) = sent.confirm.as_mut().poll(&mut Context::from_waker(&sent.waker)) else { return };
        let request = sent.request;
        *place = None;
        let told = match result {
            Ok(Confirmation::Ack(None)) => Told::Confirmed,
            Ok(Confirmation::Nack(None)) => Told::Refused,
            Ok(Confirmation::Ack(Some(returned)) | Confirmation::Nack(Some(returned))) => {
                let (exchange, routing_key) = (returned.exchange.to_string(), returned.routing_key.to_string());
                let why = returned.reply_text.to_string();
                self.ended.spoiled = Some(Spoiled::Returned { exchange, routing_key, why });
                Told::Nothing("a message came back".into())
            }
            Ok(Confirmation::NotRequested) => Told::Nothing("the channel confirms nothing".into()),
            Err(error) => {
                let why = super::fault::words_of(&error);
                self.ended.spoiled.get_or_insert(Spoiled::Failed(error));
                Told::Nothing(why)
            }
        };
        self.ended.told.push((request, told));
    }
}
