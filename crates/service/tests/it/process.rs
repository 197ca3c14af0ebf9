//! Processes on both ends of a connection: one that is called, and one that calls.

use std::{
    collections::HashMap,
    net::SocketAddr,
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract,
    http::{HeaderMap, HeaderName, HeaderValue, Response, Uri},
};
use futures_util::FutureExt;
use http_body_util::{BodyExt, Full};
use patchbay_proto::connection::v1::{
    Connection, CreateConnectionRequest, GetConnectionRequest, connection_service_client::ConnectionServiceClient,
};
use patchbay_runtime::{Shutdown, Tasks};
use patchbay_service::{
    Check, Role, Verdict,
    access::{Access, ServiceToken, Tls},
    grpc, peer,
};
use patchbay_testing::wait_for;
use tokio::{net::TcpListener, task::JoinSet};
use tonic::{Status, service::Routes};

pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
pub(crate) const TOKEN: &str = "correct horse battery staple";

/// Short waits, but long enough for a busy machine.
pub(crate) fn options() -> peer::Options {
    peer::Options {
        timeout: Duration::from_secs(10),
        connect_timeout: Duration::from_secs(1),
        keepalive: Duration::from_secs(1),
        resolve_every: Duration::from_millis(50),
        probe_every: Duration::from_millis(50),
    }
}

pub(crate) fn access(token: &str, tls: Option<Tls>) -> Access {
    Access { token: token.parse::<ServiceToken>().unwrap(), tls }
}

/// What a fake role does with its next calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    Answers,
    /// Takes the call, and never answers.
    Hangs,
    /// Says that it can't now, this many times.
    Unavailable(usize),
    /// Answers with a message of this size.
    Large(usize),
}

/// A fake role `connection`. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct FakeRole {
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    manner: Manner,
    calls: HashMap<String, Vec<HeaderMap>>,
}

impl FakeRole {
    pub(crate) fn new(manner: Manner) -> Self {
        Self { state: Arc::new(Mutex::new(State { manner, calls: HashMap::new() })) }
    }

    pub(crate) fn behaves(&self, manner: Manner) {
        self.state.lock().unwrap().manner = manner;
    }

    /// How often this method was called.
    pub(crate) fn calls(&self, method: &str) -> usize {
        self.heads(method).len()
    }

    /// The heads of the calls of this method.
    pub(crate) fn heads(&self, method: &str) -> Vec<HeaderMap> {
        self.state.lock().unwrap().calls.get(method).cloned().unwrap_or_default()
    }

    fn routes(&self) -> Routes {
        let path = "/patchbay.connection.v1.ConnectionService/{*method}";
        Router::new().route(path, axum::routing::post(answer)).with_state(self.clone()).into()
    }
}

async fn answer(
    extract::State(role): extract::State<FakeRole>,
    uri: Uri,
    head: HeaderMap,
    _body: Bytes,
) -> Response<Body> {
    let method = uri.path().rsplit('/').next().unwrap().to_owned();
    if !["Get", "Create"].contains(&method.as_str()) {
        return Status::unimplemented("").into_http();
    }
    let manner = {
        let mut state = role.state.lock().unwrap();
        state.calls.entry(method).or_default().push(head);
        let manner = state.manner;
        if let Manner::Unavailable(times) = manner {
            state.manner = if times > 1 { Manner::Unavailable(times - 1) } else { Manner::Answers };
        }
        manner
    };
    match manner {
        Manner::Answers => message(Connection { id: 4, ..Connection::default() }),
        Manner::Hangs => std::future::pending().await,
        Manner::Unavailable(_) => Status::unavailable("its database is away").into_http(),
        Manner::Large(size) => message(Connection { title: "x".repeat(size), ..Connection::default() }),
    }
}

fn message(message: Connection) -> Response<Body> {
    let encoded = prost::Message::encode_to_vec(&message);
    let mut frame = vec![0];
    frame.extend(u32::try_from(encoded.len()).unwrap().to_be_bytes());
    frame.extend(encoded);
    let trailers = HeaderMap::from_iter([(HeaderName::from_static("grpc-status"), HeaderValue::from_static("0"))]);
    let body = Full::new(Bytes::from(frame)).with_trailers(std::future::ready(Some(Ok(trailers))));
    let mut response = Response::new(Body::new(body));
    response.headers_mut().insert("content-type", HeaderValue::from_static("application/grpc"));
    response
}

/// A process that serves the fake role. Dropping it is a crash.
pub(crate) struct Process {
    pub(crate) role: FakeRole,
    pub(crate) address: SocketAddr,
    access: Option<Access>,
    running: JoinSet<()>,
}

impl Process {
    pub(crate) async fn start(access: Access) -> Self {
        Self::start_at("127.0.0.1:0".parse().unwrap(), Some(access), FakeRole::new(Manner::Answers), Vec::new()).await
    }

    pub(crate) async fn start_at(
        address: SocketAddr,
        access: Option<Access>,
        role: FakeRole,
        checks: Vec<Check>,
    ) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut running = JoinSet::new();
        let (routes, shown) = (role.routes(), access.clone());
        running.spawn(async move {
            let grace = Duration::from_secs(1);
            grpc::serve(listener, routes, shown, Arc::new(checks), Shutdown::default(), grace).await.unwrap();
        });
        Self { role, address, access, running }
    }

    /// Breaks off all connections at once, without a word.
    pub(crate) async fn crash(&mut self) {
        self.running.shutdown().await;
    }

    /// On the same port.
    pub(crate) async fn start_again(&mut self) {
        let checks = Vec::new();
        *self = Self::start_at(self.address, self.access.clone(), self.role.clone(), checks).await;
    }

    pub(crate) fn http(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn https(&self) -> String {
        format!("https://{}", self.address)
    }
}

/// A process that calls the role `connection`.
pub(crate) struct Caller {
    tasks: Tasks,
    pub(crate) peer: peer::Peer,
}

impl Caller {
    pub(crate) fn of(address: &str) -> Self {
        Self::with(address, &access(TOKEN, None), &options())
    }

    pub(crate) fn with(address: &str, access: &Access, options: &peer::Options) -> Self {
        Self::of_role(Role::Connection, address, access, options)
    }

    pub(crate) fn of_role(role: Role, address: &str, access: &Access, options: &peer::Options) -> Self {
        let tasks = Tasks::new(Shutdown::default());
        let peer = peer::connect(role, &address.parse().unwrap(), access, options, &tasks).unwrap();
        Self { tasks, peer }
    }

    /// Whether all its tasks end in this time.
    pub(crate) async fn end(&self, within: Duration) -> bool {
        self.tasks.shutdown().begin();
        self.tasks.join(within).await
    }

    pub(crate) fn client(&self) -> ConnectionServiceClient<patchbay_proto::Route> {
        ConnectionServiceClient::new(self.peer.route.clone())
    }

    /// A call that is safe to repeat.
    pub(crate) async fn get(&self) -> Result<i64, Status> {
        let answer = self.client().get(GetConnectionRequest::default()).await;
        answer.map(|answer| answer.into_inner().id)
    }

    /// A call that is not.
    pub(crate) async fn create(&self) -> Result<i64, Status> {
        let answer = self.client().create(CreateConnectionRequest::default()).await;
        answer.map(|answer| answer.into_inner().id)
    }

    /// Whether the peer is there, whatever that means for readiness.
    pub(crate) fn holds(&self) -> Result<(), String> {
        match self.peer.check.verdict() {
            Verdict::Holds => Ok(()),
            Verdict::Degraded(reason) | Verdict::Fails(reason) => Err(reason),
        }
    }

    /// Returns when the peer was found.
    pub(crate) async fn found(&self) {
        wait_for("the peer", PATIENCE, async || self.holds().ok()).await;
    }

    /// Returns when the check says this.
    pub(crate) async fn complains(&self, expected: &str) {
        self.complains_so(|said| said == expected).await;
    }

    /// What the check says, as soon as it fits.
    pub(crate) async fn complains_so(&self, fits: impl Fn(&str) -> bool) -> String {
        let look = async || self.holds().err().filter(|said| fits(said));
        let waited = AssertUnwindSafe(wait_for("a complaint", PATIENCE, look)).catch_unwind().await;
        waited.unwrap_or_else(|_| panic!("the check says {:?}", self.holds()))
    }
}

impl Drop for Caller {
    fn drop(&mut self) {
        self.tasks.shutdown().begin();
    }
}
