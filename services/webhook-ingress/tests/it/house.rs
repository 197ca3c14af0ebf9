//! The service on a real broker, with fake peers.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{HeaderMap, Request, StatusCode, request::Builder},
};
use patchbay_broker::Broker;
use patchbay_proto::{
    Route, Topic,
    event::v1::{TriggerFired, event_service_client::EventServiceClient},
};
use patchbay_service::{Check, Ground};
use patchbay_webhook_ingress::{Config, role};
use prost::Message;
use serde_json::Value;
use tokio::task::JoinSet;
use tonic::{
    service::Routes,
    transport::{Server, server::TcpIncoming},
};
use tower::ServiceExt;

use crate::{catalog::catalog, peers::Peers};

/// Longer than any wait that ends well.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(crate) struct House {
    pub(crate) ground: Ground,
    pub(crate) peers: Peers,
    pub(crate) checks: Vec<Check>,
    router: Router,
    services: Routes,
    _folder: tempfile::TempDir,
}

/// An answer, with its body as JSON where it is a problem.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    /// The stable code of a problem.
    pub(crate) fn code(&self) -> String {
        assert_eq!(self.headers["content-type"], "application/problem+json", "{self:?}");
        let problem: Value = serde_json::from_str(&self.body).unwrap();
        assert_eq!(problem["status"], self.status.as_u16());
        problem["code"].as_str().unwrap().to_owned()
    }
}

impl House {
    pub(crate) async fn new() -> Self {
        Self::with(|ground| Arc::clone(&ground.broker), Config::default()).await
    }

    /// A house that publishes to the broker that `broker` gives.
    pub(crate) async fn with(broker: impl FnOnce(&Ground) -> Arc<dyn Broker>, config: Config) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut ground = patchbay_testing::ground(folder.path()).await;
        ground.broker = broker(&ground);
        Self::on(ground, folder, config).await
    }

    pub(crate) async fn on(ground: Ground, folder: tempfile::TempDir, config: Config) -> Self {
        Self::beside(ground, folder, config, Peers::default()).await
    }

    /// Another process with the same broker and peers.
    pub(crate) async fn another(&self) -> Self {
        let (ground, peers) = (self.ground.clone(), self.peers.clone());
        Self::beside(ground, tempfile::tempdir().unwrap(), Config::default(), peers).await
    }

    async fn beside(ground: Ground, folder: tempfile::TempDir, config: Config, peers: Peers) -> Self {
        let installed = role::install(&ground, config, catalog(), peers.automation(), peers.connection()).await;
        let installed = installed.unwrap();
        let (router, services) = (installed.http.unwrap(), installed.services.unwrap());
        Self { ground, peers, checks: installed.checks, router, services, _folder: folder }
    }

    /// Its services on a socket of their own, served until `tasks` ends.
    pub(crate) fn listen(&self, tasks: &mut JoinSet<()>) -> String {
        let incoming = TcpIncoming::bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = incoming.local_addr().unwrap();
        let server = Server::builder().add_routes(self.services.clone());
        tasks.spawn(async move { server.serve_with_incoming(incoming).await.unwrap() });
        format!("http://{address}")
    }

    pub(crate) fn events(&self) -> EventServiceClient<Route> {
        EventServiceClient::new(Route::local(self.services.clone()))
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = tokio::time::timeout(PATIENCE, self.router.clone().oneshot(request)).await.unwrap().unwrap();
        let (head, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap();
        Answer { status: head.status, headers: head.headers, body: String::from_utf8(body.to_vec()).unwrap() }
    }

    /// Sends JSON to a hook.
    pub(crate) async fn post(&self, token: &str, body: &str) -> Answer {
        self.send(json(token).body(Body::from(body.to_owned())).unwrap()).await
    }

    /// Sends JSON to a hook, which must take it, and returns the event that came of it.
    pub(crate) async fn event(&self, token: &str, body: &str) -> TriggerFired {
        let answer = self.post(token, body).await;
        assert_eq!((answer.status, answer.body.as_str()), (StatusCode::OK, "OK"));
        self.fired().await
    }

    /// The next event that the broker has.
    pub(crate) async fn fired(&self) -> TriggerFired {
        let mut consumer = self.ground.broker.subscribe(Topic::TriggerFired, 1).await.unwrap();
        let batch = tokio::time::timeout(PATIENCE, consumer.next_batch(1)).await.unwrap().unwrap();
        let delivery = batch.into_iter().next().unwrap();
        let fired = TriggerFired::decode(delivery.message.payload.clone()).unwrap();
        assert_eq!(delivery.message.key, fired.event_id);
        delivery.acknowledge();
        fired
    }

    /// How many events wait in the broker.
    pub(crate) fn waiting(&self) -> u64 {
        self.ground.broker.progress(Topic::TriggerFired).undelivered
    }
}

/// A request to a hook, without body and content type.
pub(crate) fn hook(token: &str) -> Builder {
    Request::post(format!("/hooks/{token}"))
}

/// A request to a hook with JSON.
pub(crate) fn json(token: &str) -> Builder {
    hook(token).header("content-type", "application/json")
}
