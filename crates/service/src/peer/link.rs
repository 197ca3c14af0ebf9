//! One address of a peer: its connection, and what is known of it.

use std::time::Duration;

use axum::http::{
    HeaderValue, Request, Response, Uri, header,
    uri::{Authority, Parts, Scheme},
};
use hyper::{
    body::Incoming,
    client::conn::http2::{Builder, SendRequest},
    rt::Executor,
};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use patchbay_runtime::Shutdown;
use tokio::{
    sync::{Mutex, watch},
    time::Instant,
};
use tonic::body::Body;

use super::{
    dial::Dialer,
    state::{State, Trouble},
    words,
};

/// Why a call got no answer at one address. Displayed as the end of a sentence that begins with the peer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Failure {
    /// The peer has seen nothing of it.
    #[error("{0}")]
    NotSent(String),
    /// The peer may have done it.
    #[error("{0}")]
    Lost(String),
}

/// One address of a peer.
#[derive(Debug)]
pub(crate) struct Link {
    /// For people: `https://automation:8081 (10.0.0.7)`.
    pub(crate) name: String,
    /// Begins when the address belongs to the peer no more.
    pub(crate) gone: Shutdown,
    dialer: Dialer,
    scheme: Scheme,
    authority: Authority,
    user_agent: HeaderValue,
    keepalive: Duration,
    connection: Mutex<Connection>,
    state: watch::Sender<State>,
}

#[derive(Debug, Default)]
struct Connection {
    sender: Option<SendRequest<Body>>,
    /// The last failure: those who waited for the attempt share it.
    failed: Option<(Instant, String)>,
}

impl Link {
    pub(crate) fn new(name: String, dialer: Dialer, authority: Authority, keepalive: Duration, gone: Shutdown) -> Self {
        Self {
            name,
            gone,
            scheme: if dialer.tls.is_some() { Scheme::HTTPS } else { Scheme::HTTP },
            dialer,
            authority,
            user_agent: HeaderValue::from_static(concat!("patchbay/", env!("CARGO_PKG_VERSION"))),
            keepalive,
            connection: Mutex::default(),
            state: watch::Sender::new(State::Unknown),
        }
    }

    pub(crate) fn state(&self) -> State {
        self.state.borrow().clone()
    }

    pub(crate) fn rank(&self) -> u8 {
        self.state.borrow().rank()
    }

    /// Keeps what a look at it showed. A change is logged.
    pub(crate) fn saw(&self, state: State) {
        self.state.send_if_modified(|known| {
            if *known == state {
                return false;
            }
            match &state {
                State::Down(reason) => tracing::warn!(peer = self.name, reason, "peer is lost"),
                State::Ready | State::Waiting if known.rank() > 0 => tracing::info!(peer = self.name, "peer is found"),
                State::Ready | State::Waiting | State::Unknown => {}
            }
            *known = state;
            true
        });
    }

    /// Returns when calls would fail here.
    pub(crate) async fn down(&self) {
        let mut state = self.state.subscribe();
        // The sender lives as long as this link.
        let _ = state.wait_for(State::is_down).await;
    }

    /// What is wrong here, as the end of a sentence that begins with the peer.
    pub(crate) fn said(&self, trouble: &Trouble) -> String {
        format!("{} at {}: {}", trouble.what, self.name, trouble.cause)
    }

    /// Sends a request to this address, and returns when the answer begins.
    pub(crate) async fn send(&self, mut request: Request<Body>) -> Result<Response<Incoming>, Failure> {
        self.address(&mut request);
        let mut cause = String::new();
        // A connection that ended meanwhile gives the request back; a second one is new.
        for _ in 0..2 {
            let mut sender = self.sender().await.map_err(|words| {
                self.saw(State::Down(words.clone()));
                Failure::NotSent(words)
            })?;
            let mut refused = match sender.try_send_request(request).await {
                Ok(response) => return Ok(response),
                Err(refused) => refused,
            };
            cause = words::innermost(refused.error());
            match refused.take_message() {
                Some(unsent) => request = unsent,
                None => return Err(Failure::Lost(self.said(&Trouble::new("gave no answer", cause)))),
            }
        }
        Err(Failure::NotSent(self.said(&Trouble::unreachable(cause))))
    }

    fn address(&self, request: &mut Request<Body>) {
        let mut parts = Parts::default();
        parts.scheme = Some(self.scheme.clone());
        parts.authority = Some(self.authority.clone());
        parts.path_and_query = request.uri().path_and_query().cloned();
        // A request of gRPC always has a path.
        *request.uri_mut() = Uri::from_parts(parts).unwrap_or_default();
        request.headers_mut().insert(header::USER_AGENT, self.user_agent.clone());
    }

    async fn sender(&self) -> Result<SendRequest<Body>, String> {
        let asked = Instant::now();
        let mut connection = self.connection.lock().await;
        if let Some(sender) = connection.sender.as_ref().filter(|sender| !sender.is_closed()) {
            return Ok(sender.clone());
        }
        if let Some((_, words)) = connection.failed.as_ref().filter(|(at, _)| *at >= asked) {
            return Err(words.clone());
        }
        let made = self.connect().await.map_err(|trouble| self.said(&trouble));
        connection.sender = made.as_ref().ok().cloned();
        connection.failed = made.as_ref().err().map(|words| (Instant::now(), words.clone()));
        made
    }

    async fn connect(&self) -> Result<SendRequest<Body>, Trouble> {
        let socket = self.dialer.dial().await?;
        let (sender, connection) = Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .keep_alive_interval(self.keepalive)
            .keep_alive_timeout(self.keepalive)
            .keep_alive_while_idle(true)
            .handshake(TokioIo::new(socket))
            .await
            .map_err(|error| Trouble::unreachable(words::innermost(&error)))?;
        let name = self.name.clone();
        // It ends when this link and all calls over it have ended.
        TokioExecutor::new().execute(async move {
            if let Err(error) = connection.await {
                tracing::debug!(peer = name, error = words::innermost(&error), "connection broke off");
            }
        });
        Ok(sender)
    }
}
