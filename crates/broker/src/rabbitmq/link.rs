//! One connection, made anew whenever it ends. The only room that connects.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use lapin::{Connection, Event};
use patchbay_runtime::Shutdown;
use patchbay_runtime::backoff::Backoff;
use prometheus_client::metrics::counter::Counter;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::address::Address;
use super::dial::dial;
use super::fault::{Fault, words_of};
use super::names::Names;
use super::options::Options;
use super::tls::Tls;
use super::topology;

/// How often a connection that tells nothing is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// How long the end of a connection may take.
const CLOSE_WITHIN: Duration = Duration::from_secs(2);

/// How a connection is.
#[derive(Debug, Clone)]
pub(super) enum State {
    /// The first try, or the first one after it was up, is under way.
    Connecting,
    /// It is up, with the topology declared.
    Up(Up),
    /// The last try failed; the next follows.
    Down(Arc<str>),
}

/// A connection that is up.
#[derive(Debug, Clone)]
pub(super) struct Up {
    pub(super) connection: Arc<Connection>,
    /// Why the broker takes nothing from it at present.
    pub(super) blocked: Option<Arc<str>>,
}

/// What everybody needs who works with the broker.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) options: Options,
    pub(super) address: Address,
    /// None without TLS.
    pub(super) tls: Option<Tls>,
    pub(super) names: Names,
    pub(super) reconnections: Counter,
    /// Begins when the broker is closed.
    pub(super) closing: Shutdown,
}

impl Plan {
    /// Declares what is missing, on a connection that is up.
    pub(super) async fn declare(&self, connection: &Connection) -> Result<(), Fault> {
        let within = self.options.connect_timeout + self.options.confirm_timeout;
        topology::declare(connection, &self.address, &self.names, within).await
    }

    pub(super) fn backoff(&self) -> Backoff {
        Backoff::new(self.options.reconnect_wait, self.options.reconnect_wait_most)
    }

    async fn connect(&self) -> Result<Connection, Fault> {
        let connection = dial(&self.address, self.tls.as_ref(), self.options.connect_timeout).await?;
        self.declare(&connection).await?;
        Ok(connection)
    }
}

/// The connection of one purpose.
#[derive(Debug)]
pub(super) struct Link {
    plan: Arc<Plan>,
    purpose: &'static str,
    state: watch::Sender<State>,
}

impl Link {
    pub(super) fn new(plan: Arc<Plan>, purpose: &'static str) -> Arc<Self> {
        Arc::new(Self { plan, purpose, state: watch::Sender::new(State::Connecting) })
    }

    pub(super) fn state(&self) -> watch::Receiver<State> {
        self.state.subscribe()
    }

    /// Whether it works.
    pub(super) fn health(&self) -> Result<(), String> {
        match &*self.state.borrow() {
            State::Up(Up { blocked: None, .. }) => Ok(()),
            State::Up(Up { blocked: Some(why), .. }) => Err(format!("blocked by the broker: {why}")),
            State::Connecting => Err(format!("is connecting to {} for {}", self.plan.address, self.purpose)),
            State::Down(why) => Err(why.to_string()),
        }
    }

    /// The first try. Only what waiting does not heal is an error.
    pub(super) async fn connect_first(&self) -> Result<(), crate::Error> {
        match self.plan.connect().await {
            Ok(connection) => self.is_up(connection),
            Err(Fault::Definite(error)) => return Err(error),
            Err(fault) => self.is_down(&fault),
        }
        Ok(())
    }

    /// Keeps it connected until `done`, then ends it.
    pub(super) async fn keep(self: Arc<Self>, done: Shutdown) {
        let kept = done.or(self.keep_connected()).await;
        debug_assert!(kept.is_none(), "it never gives up");
        let last = self.state.send_replace(State::Down("it is closed".into()));
        if let State::Up(up) = last {
            // The broker notices the end of a connection that does not close well.
            let _ = timeout(CLOSE_WITHIN, up.connection.close(200, "OK".into())).await;
        }
    }

    async fn keep_connected(&self) {
        let mut backoff = self.plan.backoff();
        loop {
            let state = self.state.borrow().clone();
            match state {
                State::Up(up) => {
                    let why = self.watch(&up.connection).await;
                    tracing::warn!(purpose = self.purpose, why, "lost the connection to the broker");
                    self.plan.reconnections.inc();
                    self.state.send_replace(State::Connecting);
                    backoff.reset();
                    continue;
                }
                State::Down(_) => sleep(backoff.next_wait()).await,
                State::Connecting => {}
            }
            match self.plan.connect().await {
                Ok(connection) => self.is_up(connection),
                Err(fault) => self.is_down(&fault),
            }
        }
    }

    /// Returns why the connection ended.
    async fn watch(&self, connection: &Connection) -> String {
        let mut events = pin!(connection.events_listener());
        loop {
            // Said before somebody listened, it is no event.
            let blocked = connection.status().blocked().then(|| Arc::from("it is low on memory or disk"));
            self.block_unless_said(blocked);
            match timeout(LOOK_EVERY, events.next()).await {
                Ok(Some(Event::ConnectionBlocked(why))) => {
                    tracing::warn!(purpose = self.purpose, why, "the broker blocks the connection");
                    self.block(Some(why.into()));
                }
                Ok(Some(Event::ConnectionUnblocked)) => {
                    tracing::info!(purpose = self.purpose, "the broker takes messages again");
                    self.block(None);
                }
                // Errors of channels are told here as well.
                Ok(Some(Event::Error(error))) if !connection.status().connected() => return words_of(&error),
                Ok(Some(_)) | Err(_) => {}
                Ok(None) => return "it ended".to_owned(),
            }
            if !connection.status().connected() {
                return "it ended".to_owned();
            }
        }
    }

    fn block(&self, why: Option<Arc<str>>) {
        self.state.send_modify(|state| {
            if let State::Up(up) = state {
                up.blocked = why;
            }
        });
    }

    fn block_unless_said(&self, why: Option<Arc<str>>) {
        self.state.send_if_modified(|state| {
            let State::Up(up) = state else { return false };
            let differs = up.blocked.is_some() != why.is_some();
            if differs {
                up.blocked = why;
            }
            differs
        });
    }

    fn is_up(&self, connection: Connection) {
        tracing::info!(at = %self.plan.address, purpose = self.purpose, "connected to the broker");
        self.state.send_replace(State::Up(Up { connection: Arc::new(connection), blocked: None }));
    }

    /// Logs it once, not at every try.
    fn is_down(&self, fault: &Fault) {
        let why: Arc<str> = fault.words().into();
        self.state.send_if_modified(|state| {
            if matches!(state, State::Down(before) if *before == why) {
                return false;
            }
            match fault {
                Fault::Definite(_) => tracing::error!(purpose = self.purpose, %why, "the broker can't be used"),
                Fault::Passing(_) => tracing::warn!(purpose = self.purpose, %why, "the broker can't be reached"),
            }
            *state = State::Down(why);
            true
        });
    }
}
