//! The service over files in a folder, and its clients.

use std::{path::Path, sync::Arc, time::Duration};

use patchbay_connection::{Config, Error, role};
use patchbay_connector::{Catalog, Connector, Manifest};
use patchbay_egress::{Egress, Options};
use patchbay_proto::{
    Route,
    connection::{
        internal::v1::connection_internal_service_client::ConnectionInternalServiceClient,
        v1::{
            Connection, CreateConnectionRequest, GetConnectionRequest, ListConnectionsRequest, UpdateConnectionRequest,
            connection_service_client::ConnectionServiceClient,
        },
    },
};
use patchbay_service::{Ground, status::to_fault};
use patchbay_store::Sql;
use patchbay_types::Fault;
use patchbay_vault::{KeyRing, MasterKey};
use serde_json::Value;
use tempfile::TempDir;
use tonic::Status;

const MANIFEST: &str = r#"
schema: patchbay.connector/v1
partner: { key: mail, id: 7, title: Mail, version: 1.0.0 }
connection:
  fields:
    - { name: host, label: Host, type: string, default: mail.example.com, required: true, validate: host }
    - { name: token, label: Token, type: secret, required: true }
    - { name: second, label: Second token, type: secret }
    - { name: size, label: Size, type: integer }
  auth: { kind: bearer, token: "{{ connection.token }}" }
  test: { request: { method: GET, path: /me }, expect: "status == 200" }
http:
  base_url: "https://{{ connection.host }}"
  timeout: 5s
  success: "status == 200"
  errors:
    - { when: "body.error == 'revoked'", action: reauthorize, message: "{{ body.text }}" }
    - { when: "body.error == 'no right'", action: fail, class: auth, message: "{{ body.text }}" }
operations:
  - key: send
    id: 70001
    kind: action
    title: Send
    fields: []
    request: { method: POST, path: /send, json: {} }
    sample: {}
"#;

const UNTESTABLE: &str = r#"
schema: patchbay.connector/v1
partner: { key: plain, id: 8, title: Plain, version: 1.0.0 }
connection: { fields: [], auth: { kind: none } }
http: { base_url: "https://plain.example.com", timeout: 5s, success: "status == 200" }
operations:
  - { key: send, id: 80001, kind: action, title: Send, fields: [], request: { method: POST, path: /send, json: {} }, sample: {} }
"#;

pub(crate) const TOKEN: &str = "correct-horse-battery";

/// A slow partner is one that takes longer.
const CONFIG: Config = Config { test_timeout: Duration::from_secs(2) };

pub(crate) struct House {
    pub(crate) folder: TempDir,
    pub(crate) ground: Ground,
    pub(crate) public: ConnectionServiceClient<Route>,
    pub(crate) internal: ConnectionInternalServiceClient<Route>,
    ring: KeyRing,
}

pub(crate) fn ring(keys: &[&MasterKey]) -> KeyRing {
    KeyRing::new(keys.iter().map(|key| (*key).clone()).collect()).unwrap()
}

pub(crate) fn catalog() -> Arc<Catalog> {
    let connectors = [("mail.yaml", MANIFEST), ("plain.yaml", UNTESTABLE)].map(|(name, text)| {
        let manifest = Manifest::parse(name, text).unwrap();
        Connector::compile(manifest).unwrap()
    });
    Arc::new(Catalog::new(connectors).unwrap())
}

/// Reaches partners on this machine, by `127.0.0.1` only.
fn egress() -> Egress {
    let allow_private = vec!["127.0.0.1".parse().unwrap()];
    Egress::new(Options { allow_private, ..Options::default() }).unwrap()
}

/// Starts over the files in `folder` with these keys, and closes again.
pub(crate) async fn try_start(folder: &Path, ring: KeyRing) -> Result<(), Error> {
    let ground = patchbay_testing::ground(folder).await;
    let installed = role::install(&ground, ring, catalog(), egress()).await;
    close(&ground).await;
    installed.map(drop)
}

pub(crate) async fn close(ground: &Ground) {
    ground.engine.close().await;
    ground.broker.close().await;
}

impl House {
    pub(crate) async fn start() -> Self {
        let key = MasterKey::generate("first").unwrap();
        Self::start_in(tempfile::tempdir().unwrap(), ring(&[&key])).await
    }

    pub(crate) async fn start_in(folder: TempDir, ring: KeyRing) -> Self {
        let ground = patchbay_testing::ground(folder.path()).await;
        let installed = role::install_with(&ground, ring.clone(), catalog(), egress(), CONFIG).await.unwrap();
        let route = Route::local(installed.services.unwrap());
        let public = ConnectionServiceClient::new(route.clone());
        Self { folder, ground, public, internal: ConnectionInternalServiceClient::new(route), ring }
    }

    /// A process over a database that others may use too.
    pub(crate) async fn start_on(ground: Ground, ring: KeyRing) -> Result<Self, Error> {
        let installed = role::install_with(&ground, ring.clone(), catalog(), egress(), CONFIG).await?;
        let route = Route::local(installed.services.unwrap());
        let public = ConnectionServiceClient::new(route.clone());
        let folder = tempfile::tempdir().unwrap();
        Ok(Self { folder, ground, public, internal: ConnectionInternalServiceClient::new(route), ring })
    }

    /// Another process over the same database, with keys of its own.
    pub(crate) async fn another(&self, ring: KeyRing) -> Result<Self, Error> {
        Self::start_on(self.ground.clone(), ring).await
    }

    /// The same files and keys in another process, as far as that can be told.
    pub(crate) async fn restart(self) -> Self {
        let Self { folder, ground, ring, .. } = self;
        close(&ground).await;
        drop(ground);
        Self::start_in(folder, ring).await
    }

    pub(crate) async fn create(&mut self, workspace_id: i64, fields: &Value) -> Result<Connection, Fault> {
        let request = CreateConnectionRequest {
            workspace_id,
            partner: "mail".to_owned(),
            title: String::new(),
            fields: fields.to_string().into(),
            concurrency: None,
        };
        answered(self.public.create(request).await)
    }

    pub(crate) async fn get(&mut self, workspace_id: i64, id: i64) -> Result<Connection, Fault> {
        answered(self.public.get(GetConnectionRequest { workspace_id, id }).await)
    }

    pub(crate) async fn list(&mut self, workspace_id: i64) -> Vec<Connection> {
        let request = ListConnectionsRequest { workspace_id, limit: 0, after_id: 0 };
        answered(self.public.list(request).await).unwrap().connections
    }

    pub(crate) async fn update(&mut self, workspace_id: i64, id: i64, fields: &Value) -> Result<Connection, Fault> {
        let request = UpdateConnectionRequest {
            workspace_id,
            id,
            title: None,
            fields: fields.to_string().into(),
            concurrency: None,
        };
        answered(self.public.update(request).await)
    }

    pub(crate) async fn execute(&self, statement: &'static str) {
        self.execute_either(Sql::both(statement)).await;
    }

    pub(crate) async fn execute_either(&self, statement: Sql) {
        let statement = statement.on(&self.ground.engine);
        let mut transaction = self.ground.engine.begin().await.unwrap();
        patchbay_store::write!(transaction, connection =>
            sqlx::query(statement).execute(connection).await.map(drop))
        .unwrap();
        transaction.commit().await.unwrap();
    }
}

pub(crate) fn answered<T>(answer: Result<tonic::Response<T>, Status>) -> Result<T, Fault> {
    answer.map(tonic::Response::into_inner).map_err(|status| to_fault(&status))
}

pub(crate) fn json(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap()
}
