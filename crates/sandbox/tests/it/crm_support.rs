//! Calls to the CRM, and a receiver of its webhooks that answers as it is told.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "what fails here fails the test")]

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::support::{Reply, Server};

pub(crate) const KEY: &str = "sandbox-crm-key";
const DEADLINE: Duration = Duration::from_secs(20);

impl Server {
    /// Calls the CRM with its key.
    pub(crate) async fn crm(&self, request: &str, body: &Value) -> Reply {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.send(request, &[("X-Api-Key", KEY)], body.as_bytes()).await.unwrap()
    }

    /// Creates a contact and gives it as it was answered.
    pub(crate) async fn create_contact(&self, body: &Value) -> Value {
        let reply = self.crm("POST /crm/contacts", body).await;
        assert_eq!(reply.status, 201, "{}", reply.body);
        reply.json()
    }

    /// Registers a webhook and gives it as it was answered.
    pub(crate) async fn register(&self, body: &Value) -> Value {
        let reply = self.crm("POST /crm/webhooks", body).await;
        assert_eq!(reply.status, 201, "{}", reply.body);
        reply.json()
    }

    /// The tries to deliver, as soon as there are this many.
    pub(crate) async fn deliveries(&self, count: usize) -> Vec<Value> {
        let enough = async {
            loop {
                let items = self.items("/_/crm/deliveries").await;
                if items.len() >= count {
                    return items;
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(DEADLINE, enough).await.expect("too few deliveries in time")
    }
}

/// The ids of contacts, in their order.
pub(crate) fn ids(contacts: &Value) -> Vec<&str> {
    contacts["items"].as_array().unwrap().iter().map(|contact| contact["id"].as_str().unwrap()).collect()
}

/// One delivery as it arrived.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Delivery {
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Delivery {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// What happened to which contact.
    pub(crate) fn news(&self) -> Value {
        let event = self.json();
        json!([event["type"], event["data"]["id"]])
    }
}

#[derive(Clone)]
struct Ears {
    statuses: Arc<Mutex<VecDeque<u16>>>,
    heard: Arc<watch::Sender<Vec<Delivery>>>,
}

/// A receiver on a port of its own; it ends with the test.
pub(crate) struct Receiver {
    address: SocketAddr,
    heard: watch::Receiver<Vec<Delivery>>,
    _tasks: JoinSet<()>,
}

impl Receiver {
    /// Answers with these statuses in turn, then always with 204.
    pub(crate) async fn start(statuses: &[u16]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, heard) = watch::channel(Vec::new());
        let statuses = Arc::new(Mutex::new(statuses.iter().copied().collect()));
        let router = Router::new().fallback(hear).with_state(Ears { statuses, heard: Arc::new(sender) });
        let mut tasks = JoinSet::new();
        tasks.spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, heard, _tasks: tasks }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// What arrived, as soon as it is this much.
    pub(crate) async fn heard(&self, count: usize) -> Vec<Delivery> {
        let mut heard = self.heard.clone();
        let enough = heard.wait_for(|deliveries| deliveries.len() >= count);
        tokio::time::timeout(DEADLINE, enough).await.expect("too few deliveries in time").unwrap().clone()
    }
}

async fn hear(State(ears): State<Ears>, uri: Uri, headers: HeaderMap, body: Bytes) -> StatusCode {
    let delivery = Delivery { path: uri.path().to_owned(), headers, body: String::from_utf8(body.into()).unwrap() };
    ears.heard.send_modify(|heard| heard.push(delivery));
    let status = ears.statuses.lock().unwrap().pop_front();
    status.map_or(StatusCode::NO_CONTENT, |status| StatusCode::from_u16(status).unwrap())
}
