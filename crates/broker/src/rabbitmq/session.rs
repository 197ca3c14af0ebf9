//! The task of one consumer: it alone has its channels, one after the other.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::join_all;
use lapin::message::Delivery;
use lapin::options::{BasicAckOptions, BasicCancelOptions, BasicNackOptions, QueueDeclareOptions};
use lapin::types::{FieldTable, ShortString};
use lapin::{Channel, Connection, Consumer};
use prometheus_client::metrics::counter::Counter;
use tokio::sync::{oneshot, watch};
use tokio::time::{Instant, interval, sleep, sleep_until, timeout};

use super::fault::{Fault, words_of};
use super::link::{Plan, State};
use super::names::Source;
use super::shelf::Shelf;
use super::stream::poll_deliveries;
use super::window::Order;
use super::{codec, letter};
use crate::Error;

/// Acknowledgements are told at once, but not more often than this.
const TELL_EVERY: Duration = Duration::from_millis(1);
/// How often the watchdog looks, at most.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Why a channel ended.
enum End {
    /// The broker was closed.
    Closed,
    /// The consumer is gone, and everything is settled.
    Left,
    /// Its holders settle nothing.
    Stuck,
    /// A queue that was left out answers again.
    Whole,
    /// It did not work.
    Failed(Fault),
}

/// How the first try went: an error for what waiting does not heal.
type First = oneshot::Sender<Result<(), Error>>;

/// See above.
pub(super) struct Session {
    pub(super) plan: Arc<Plan>,
    pub(super) link: watch::Receiver<State>,
    pub(super) shelf: Arc<Shelf>,
    pub(super) sources: Vec<Source>,
    /// Queues that did not answer, such as one whose leader is missing: they are left out until they do, so that the others
    /// go on.
    pub(super) mute: Vec<ShortString>,
    pub(super) first: Option<First>,
    pub(super) recycled: Counter,
}

impl Session {
    pub(super) async fn run(mut self) {
        let closing = self.plan.closing.clone();
        let mut backoff = self.plan.backoff();
        let mut declare = false;
        while let Some(connection) = closing.or(self.connection()).await.flatten() {
            let begun = Instant::now();
            let end = self.attend(&connection, declare).await;
            self.shelf.end();
            declare = true;
            match end {
                End::Closed | End::Left => break,
                End::Whole => {}
                End::Stuck => {
                    closing.or(self.wait_for_room()).await;
                }
                End::Failed(fault) => {
                    self.failed(fault);
                    if begun.elapsed() > self.plan.options.reconnect_wait_most {
                        backoff.reset();
                    }
                    closing.or(sleep(backoff.next_wait())).await;
                }
            }
        }
        self.shelf.close();
    }

    /// The connection, when it is up; nothing when nobody needs it any more.
    async fn connection(&mut self) -> Option<Arc<Connection>> {
        loop {
            if self.shelf.has_left() {
                return None;
            }
            let (up, down) = match &*self.link.borrow_and_update() {
                State::Up(up) if up.connection.status().connected() => (Some(Arc::clone(&up.connection)), false),
                State::Up(_) | State::Connecting => (None, false),
                State::Down(_) => (None, true),
            };
            if up.is_some() {
                return up;
            }
            if down {
                self.first_went(Ok(()));
            }
            tokio::select! {
                changed = self.link.changed() => changed.ok()?,
                () = self.shelf.work() => {}
            }
        }
    }

    fn failed(&mut self, fault: Fault) {
        let words = fault.words();
        tracing::warn!(topic = self.shelf.topic().name(), why = words, "a consumer begins anew");
        self.shelf.say(Some(self.undelivered(&words)));
        match fault {
            Fault::Definite(error) => self.first_went(Err(error)),
            Fault::Passing(_) => self.first_went(Ok(())),
        }
    }

    fn first_went(&mut self, how: Result<(), Error>) {
        if let Some(first) = self.first.take() {
            // Who asked may have gone.
            let _ = first.send(how);
        }
    }

    /// Nothing is taken from the broker that nobody would receive.
    async fn wait_for_room(&self) {
        let topic = self.shelf.topic().name();
        let after = self.plan.options.stuck_after;
        tracing::error!(topic, ?after, "a consumer settles nothing; what it has goes to others");
        self.shelf
            .say(Some(format!("a consumer of {topic} has had its full prefetch for {after:?} and settles nothing")));
        while self.shelf.is_full() && !self.shelf.has_left() {
            sleep(LOOK_EVERY.min(after)).await;
        }
        self.shelf.say(None);
    }

    /// Serves one channel to its end.
    async fn attend(&mut self, connection: &Connection, declare: bool) -> End {
        if declare && let Err(fault) = self.plan.declare(connection).await {
            return End::Failed(fault);
        }
        let within = self.plan.options.connect_timeout + self.plan.options.confirm_timeout;
        let silent = || Fault::Passing("the broker does not answer".into());
        let channel = match timeout(within, connection.create_channel()).await {
            Ok(Ok(channel)) => channel,
            Ok(Err(error)) => return End::Failed(Fault::Passing(words_of(&error))),
            Err(_) => return End::Failed(silent()),
        };
        let end = match timeout(within, self.subscribe(&channel)).await {
            Ok(Ok(mut consumers)) => {
                self.first_went(Ok(()));
                self.shelf.say(self.left_out().map(|why| self.undelivered(&why)));
                self.serve(connection, &channel, &mut consumers).await
            }
            Ok(Err(fault)) => End::Failed(fault),
            Err(_) => End::Failed(silent()),
        };
        if matches!(end, End::Failed(_)) {
            // Nobody waits for the answer of a broker that fails; what was delivered here goes back.
            let _ = channel.close(200, "OK".into()).now_or_never();
        } else {
            self.tell(&channel);
            // The answer comes when the broker has taken the acknowledgements before it.
            let _ = timeout(self.plan.options.connect_timeout, channel.close(200, "OK".into())).await;
        }
        end
    }

    fn undelivered(&self, why: &str) -> String {
        format!("does not deliver {}: {why}", self.shelf.topic().name())
    }

    async fn serve(&mut self, connection: &Connection, channel: &Channel, consumers: &mut Vec<Consumer>) -> End {
        let end = tokio::select! {
            end = self.deliver(channel, consumers) => end,
            () = self.answers(connection), if !self.mute.is_empty() => End::Whole,
        };
        // Each try begins with all of them.
        self.mute.clear();
        end
    }

    async fn deliver(&self, channel: &Channel, consumers: &mut Vec<Consumer>) -> End {
        let after = self.plan.options.stuck_after;
        let mut look = interval((after / 4).clamp(Duration::from_millis(10), LOOK_EVERY));
        let mut taken = Vec::new();
        let mut tell_at: Option<Instant> = None;
        let mut told_at = Instant::now();
        loop {
            let telling = async {
                match tell_at {
                    Some(at) => sleep_until(at).await,
                    None => self.shelf.work().await,
                }
            };
            tokio::select! {
                end = poll_fn(|context| poll_deliveries(consumers, &mut taken, context)) => {
                    self.put(&mut taken);
                    if let Some(end) = end {
                        return End::Failed(end.fault(channel));
                    }
                }
                () = telling => {
                    let soonest = told_at + TELL_EVERY;
                    if tell_at.is_none() && soonest > Instant::now() {
                        tell_at = Some(soonest);
                        continue;
                    }
                    self.tell(channel);
                    (told_at, tell_at) = (Instant::now(), None);
                    if self.shelf.has_left() && !consumers.is_empty() {
                        self.cancel(channel, consumers, &mut taken).await;
                    }
                }
                _ = look.tick() => if let Some(end) = self.watch(channel, after).await {
                    return end;
                },
                () = self.plan.closing.begun() => return End::Closed,
            }
            // There is none either while all queues are left out.
            if self.shelf.has_left() && consumers.is_empty() && self.shelf.is_settled() {
                return End::Left;
            }
        }
    }

    fn put(&self, taken: &mut Vec<(usize, Delivery)>) {
        if taken.is_empty() {
            return;
        }
        self.shelf.deliver(taken.drain(..).map(|(lane, delivery)| {
            let mut message = codec::decode(&delivery.properties, delivery.data);
            message.headers.extend(letter::headers(
                &delivery.properties,
                delivery.routing_key.as_str(),
                &self.plan.names,
            ));
            (lane, delivery.delivery_tag, delivery.redelivered, message)
        }));
    }

    /// Hands the orders to the connection, which sends them in this order. Whether they arrive shows in what follows.
    fn tell(&self, channel: &Channel) {
        for order in self.shelf.take_orders() {
            match order {
                Order::Acknowledge { tag, multiple } => {
                    let _ = channel.basic_ack(tag, BasicAckOptions { multiple }).now_or_never();
                }
                Order::Release { tag } => {
                    let options = BasicNackOptions { multiple: false, requeue: true };
                    let _ = channel.basic_nack(tag, options).now_or_never();
                }
            }
        }
    }

    /// Asks for no more deliveries; those that are on their way go back.
    async fn cancel(&self, channel: &Channel, consumers: &mut Vec<Consumer>, taken: &mut Vec<(usize, Delivery)>) {
        let cancel = |consumer: &Consumer| channel.basic_cancel(consumer.tag(), BasicCancelOptions::default());
        let cancelling = join_all(consumers.iter().map(cancel));
        let _ = timeout(self.plan.options.connect_timeout, cancelling).await;
        let rest = poll_fn(|context| {
            while let Poll::Ready(None) = poll_deliveries(consumers, taken, context) {}
            Poll::Ready(())
        });
        rest.await;
        consumers.clear();
        self.put(taken);
        self.tell(channel);
    }

    /// Whether the channel is to be given up because nothing moves on it.
    async fn watch(&self, channel: &Channel, after: Duration) -> Option<End> {
        if self.shelf.is_stuck(after) {
            self.recycled.inc();
            return Some(End::Stuck);
        }
        if self.shelf.has_left() || !self.shelf.is_silent(after) {
            return None;
        }
        self.shelf.was_looked_after();
        let counting = async {
            let mut ready = 0;
            let is_asked = |source: &&Source| !source.queue.as_str().is_empty() && !self.mute.contains(&source.queue);
            for source in self.sources.iter().filter(is_asked) {
                let options = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
                ready +=
                    channel.queue_declare(source.queue.clone(), options, FieldTable::default()).await?.message_count();
            }
            Ok::<_, lapin::Error>(ready)
        };
        let why = match timeout(self.plan.options.connect_timeout, counting).await {
            // What waits may have come meanwhile.
            Ok(Ok(ready)) if ready == 0 || !self.shelf.is_settled() => return None,
            Ok(Ok(ready)) => format!("{ready} messages wait and none comes"),
            Ok(Err(error)) => words_of(&error),
            Err(_) => "the broker does not answer".to_owned(),
        };
        self.recycled.inc();
        Some(End::Failed(Fault::Passing(why)))
    }
}
