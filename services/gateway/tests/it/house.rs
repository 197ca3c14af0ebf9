//! The gateway on a real database, with fake peers.

use std::time::Duration;

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{HeaderMap, Request, StatusCode},
};
use patchbay_gateway::{Config, Peers, role, users};
use patchbay_runtime::Clock;
use patchbay_service::Ground;
use patchbay_types::WorkspaceId;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::peers::Fakes;

pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
pub(crate) const EMAIL: &str = "anna@example.com";
pub(crate) const PASSWORD: &str = "correct horse";

#[derive(Debug)]
pub(crate) struct House {
    pub(crate) ground: Ground,
    pub(crate) peers: Fakes,
    /// The workspace of the first user, and a token to it.
    pub(crate) workspace: WorkspaceId,
    pub(crate) token: String,
    router: Router,
    _folder: tempfile::TempDir,
}

#[derive(Debug, PartialEq)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap()
    }

    /// Status and stable code of a problem.
    pub(crate) fn problem(&self) -> (u16, String) {
        assert_eq!(self.headers["content-type"], "application/problem+json", "{self:?}");
        let problem = self.json();
        assert_eq!(problem["status"], self.status.as_u16());
        (self.status.as_u16(), problem["code"].as_str().unwrap().to_owned())
    }
}

impl House {
    /// A house with one user and a token.
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut ground = patchbay_testing::ground(folder.path()).await;
        ground.clock = Clock::adjustable();
        let peers = Fakes::new();
        let router = router(&ground, peers.routes()).await;
        let created = users::create(&ground.engine, &ground.clock, EMAIL, PASSWORD).await.unwrap();
        let token = users::create_token(&ground.engine, &ground.clock, EMAIL).await.unwrap();
        Self { ground, peers, workspace: created.workspace, token, router, _folder: folder }
    }

    /// Another process over the same database, with the same peers.
    pub(crate) async fn another(&self) -> Self {
        self.with_peers(self.peers.routes()).await
    }

    /// Another process over the same database, with other ways to its peers.
    pub(crate) async fn with_peers(&self, routes: Peers) -> Self {
        let (ground, peers) = (self.ground.clone(), self.peers.clone());
        let router = router(&ground, routes).await;
        let folder = tempfile::tempdir().unwrap();
        Self { ground, peers, workspace: self.workspace, token: self.token.clone(), router, _folder: folder }
    }

    pub(crate) async fn execute(&self, statement: &'static str, number: i64) {
        let mut transaction = self.ground.engine.begin().await.unwrap();
        patchbay_store::write!(transaction, connection =>
            sqlx::query(statement).bind(number).execute(connection).await.map(drop))
        .unwrap();
        transaction.commit().await.unwrap();
    }

    /// Lets time go by for the answers that are kept, whichever clock they are kept by.
    pub(crate) async fn age_answers(&self, by: Duration) {
        let micros = i64::try_from(by.as_micros()).unwrap();
        self.execute("UPDATE gateway_answers SET begun_at = begun_at - $1", micros).await;
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = tokio::time::timeout(PATIENCE, self.router.clone().oneshot(request)).await.unwrap().unwrap();
        let (head, body) = response.into_parts();
        let bytes = to_bytes(body, usize::MAX).await.unwrap();
        Answer { status: head.status, headers: head.headers, text: String::from_utf8(bytes.to_vec()).unwrap() }
    }

    /// A request with the token, and a JSON body unless that is null.
    pub(crate) async fn call(&self, method: &str, path: &str, body: Value) -> Answer {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.send(request(method, path, &self.token, body)).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.call("GET", path, Value::Null).await
    }

    pub(crate) async fn log_in(&self, email: &str, password: &str) -> Answer {
        let body = json!({"email": email, "password": password}).to_string();
        self.send(request("POST", "/user/auth", "", body)).await
    }
}

async fn router(ground: &Ground, peers: Peers) -> Router {
    let config = Config { public_url: Some("https://patchbay.example.com/".to_owned()), ..Config::default() };
    role::install(ground, config, peers).await.unwrap().http.unwrap()
}

pub(crate) fn request(method: &str, path: &str, token: &str, body: impl Into<String>) -> Request<Body> {
    Request::builder()
        .method(method)
        .uri(path)
        .header("authorization", format!("Bearer {token}"))
        .header("content-type", "application/json")
        .body(Body::from(body.into()))
        .unwrap()
}
