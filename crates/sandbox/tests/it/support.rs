//! A running sandbox, and a client that shows what really came over the connection.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "what fails here fails the test")]

use std::net::SocketAddr;
use std::time::Duration;

use patchbay_sandbox::Sandbox;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinSet;

pub(crate) const TOKEN: &str = "sandbox-altcraft-token";
const DEADLINE: Duration = Duration::from_secs(20);

/// A sandbox on a port of its own; it ends with the test.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    stop: oneshot::Sender<()>,
    tasks: JoinSet<()>,
}

/// What came back.
#[derive(Debug, PartialEq)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }
}

impl Server {
    pub(crate) async fn start() -> Self {
        Self::serve(Sandbox::with_contacts_from(1000)).await
    }

    pub(crate) async fn serve(sandbox: Sandbox) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let shutdown = async { stopped.await.unwrap() };
        let mut tasks = JoinSet::new();
        tasks.spawn(async move { sandbox.serve(listener, shutdown).await.unwrap() });
        Self { address, stop, tasks }
    }

    /// Shuts it down and waits for its end.
    pub(crate) async fn stop(mut self) {
        self.stop.send(()).unwrap();
        tokio::time::timeout(DEADLINE, self.tasks.join_next()).await.expect("no end in time").unwrap().unwrap();
    }

    /// Waits until partners have received this many requests, answered or not.
    pub(crate) async fn received(&self, count: usize) {
        let enough = async {
            while self.items("/_/requests").await.len() < count {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(DEADLINE, enough).await.expect("too few requests in time");
    }

    /// Sends one request on a connection of its own. `None`: it was closed without a byte.
    pub(crate) async fn send(&self, request: &str, headers: &[(&str, &str)], body: &[u8]) -> Option<Reply> {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let mut head = format!("{request} HTTP/1.1\r\nHost: sandbox\r\nConnection: close\r\n");
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-length")) {
            head.push_str(&format!("Content-Length: {}\r\n", body.len()));
        }
        stream.write_all(format!("{head}\r\n").as_bytes()).await.unwrap();
        stream.write_all(body).await.unwrap();

        let mut bytes = Vec::new();
        tokio::time::timeout(DEADLINE, stream.read_to_end(&mut bytes)).await.expect("no end in time").unwrap();
        let text = String::from_utf8(bytes).unwrap();
        if text.is_empty() {
            return None;
        }
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Some(Reply { status, head: head.to_lowercase(), body: body.to_owned() })
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        let reply = self.send(&format!("GET {path}"), &[], b"").await.unwrap();
        assert_eq!(reply.status, 200, "{}", reply.body);
        reply.json()
    }

    pub(crate) async fn items(&self, path: &str) -> Vec<Value> {
        self.get(path).await["items"].as_array().unwrap().clone()
    }

    /// Calls an Altcraft method with the token in the body.
    pub(crate) async fn call(&self, method: &str, mut body: Value) -> Value {
        body["token"] = json!(TOKEN);
        let request = format!("POST /api/v1.1/{method}");
        let reply = self.send(&request, &[], body.to_string().as_bytes()).await.unwrap();
        assert_eq!(reply.status, 200, "{}", reply.body);
        reply.json()
    }

    /// Imports into database 7 and gives the profile's id.
    pub(crate) async fn import(&self, mut body: Value) -> String {
        body["db_id"] = json!(7);
        let answer = self.call("profiles/import", body).await;
        assert_eq!(answer["error"], 0, "{answer}");
        answer["profile_id"].as_str().unwrap().to_owned()
    }

    /// The code with which an import into database 7 is refused.
    pub(crate) async fn import_error(&self, mut body: Value) -> i64 {
        body["db_id"] = json!(7);
        self.call("profiles/import", body).await["error"].as_i64().unwrap()
    }

    /// Puts a fault in force.
    pub(crate) async fn fault(&self, fault: &Value) {
        let reply = self.send("POST /_/faults", &[], fault.to_string().as_bytes()).await.unwrap();
        assert_eq!(reply.status, 200, "{}", reply.body);
    }
}
