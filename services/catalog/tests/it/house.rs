//! The service over files in a folder, its partner, and its client.

use std::{sync::Arc, time::Duration};

use patchbay_catalog::{Config, role};
use patchbay_connector::{Catalog, Connector, Manifest};
use patchbay_egress::{Egress, Options};
use patchbay_proto::{
    Route,
    catalog::v1::{
        Choice, Field, FieldsRequest, FieldsResponse, OptionsRequest, OptionsResponse, RefreshRequest, RefreshedList,
        catalog_service_client::CatalogServiceClient,
    },
};
use patchbay_runtime::Clock;
use patchbay_service::{Ground, status::to_fault};
use patchbay_types::Fault;
use serde_json::{Value, json};
use tempfile::TempDir;
use tonic::{Response, Status};

use crate::{partner::Partner, peers::Peers};

pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
pub(crate) const TOKEN: &str = "good-token";
pub(crate) const OURS: i64 = 1;
pub(crate) const THEIRS: i64 = 2;
/// Our connection to the shop.
pub(crate) const SHOP: i64 = 5;
/// The shop's connection of the other workspace.
pub(crate) const FOREIGN: i64 = 6;
/// Our connection to another app.
pub(crate) const CLUB: i64 = 7;

const SHOP_MANIFEST: &str = r#"
schema: patchbay.connector/v1
partner: { key: shop, id: 7, title: Corner shop, titles: { ru: Магазин }, categories: [sales], region: [3], version: 1.2.0 }
connection:
  fields:
    - { name: host, label: Host, type: string, default: shop.example.com, required: true, validate: host }
    - { name: token, label: Token, type: secret, required: true }
  auth: { kind: bearer, token: "{{ connection.token }}" }
  test: { request: { method: GET, path: /me }, expect: "status == 200" }
http:
  base_url: "https://{{ connection.host }}"
  timeout: 5s
  success: "status == 200"
  errors:
    - { when: "status == 401", action: reauthorize, message: "{{ body.message }}" }
lists:
  stores:
    request: { method: GET, path: /stores }
    items: body.items
    key: id
    label: name
    page: { kind: number, param: page, start: 1, size_param: per_page, size: 2, stop: short, max: 3 }
  shelves:
    depends_on: [store_id]
    request: { method: GET, path: /shelves, query: { store: "{{ input.store_id }}" } }
    items: body.items
    key: id
    label: name
  colours: { options: [{ value: red, label: Red }, { value: blue, label: "" }] }
  own_fields:
    depends_on: [store_id]
    request: { method: GET, path: /fields }
    items: body.items
    key: code
    label: title
    type: type
    required: needed
operations:
  - key: add_ware
    id: 70001
    kind: action
    title: Add a ware
    safe_to_repeat: true
    fields:
      - { name: store_id, label: Store, type: integer, required: true, list: stores }
      - { name: shelf, label: Shelf, type: string, list: shelves }
      - { name: colour, label: Colour, type: string, list: colours }
      - { name: by, label: Notify by, type: string, default: email, options: [{ value: email, label: Email }, { value: phone, label: Phone }] }
      - { name: email, label: Email, type: string, show_when: "input.by == 'email'", required: true }
      - { name: phone, label: Phone, type: phone, show_when: "input.by == 'phone'", required_when: "input.store_id == 7" }
      - { name: gift, label: Gift, type: boolean, default: false }
      - { name: data, label: More, type: object }
      - { custom_fields: own_fields, prefix: cf__, into: data }
    row_sections:
      - name: lines
        label: Lines
        fields:
          - { name: place, label: Place, type: string, required: true, list: shelves }
          - { name: count, label: Count, type: integer }
    request: { method: POST, path: /wares, json: { data: "{{ input.data }}" } }
    sample: { id: 9 }
  - key: ware_sold
    id: 70002
    kind: trigger
    title: Ware sold
    fields:
      - { name: store_id, label: Store, type: integer, list: stores }
    event_id: item.id
    sample: { id: 9 }
    modes: { webhook: { verify: { kind: none } } }
"#;

const CLUB_MANIFEST: &str = r#"
schema: patchbay.connector/v1
partner: { key: club, id: 8, title: Club, version: 1.0.0 }
connection:
  fields: []
  auth: { kind: none }
http:
  base_url: "https://club.example.com"
  timeout: 5s
  success: "status == 200"
operations:
  - key: join
    id: 80001
    kind: action
    title: Join
    fields: []
    request: { method: POST, path: /join, json: {} }
"#;

#[derive(Debug)]
pub(crate) struct House {
    pub(crate) ground: Ground,
    pub(crate) peers: Peers,
    pub(crate) partner: Partner,
    pub(crate) catalog: CatalogServiceClient<Route>,
    _folder: TempDir,
}

fn connectors() -> Catalog {
    let compiled = [("shop.yaml", SHOP_MANIFEST), ("club.yaml", CLUB_MANIFEST)]
        .map(|(file, text)| Connector::compile(Manifest::parse(file, text).unwrap()).unwrap());
    Catalog::new(compiled).unwrap()
}

impl House {
    pub(crate) async fn new() -> Self {
        Self::with(Config::default()).await
    }

    pub(crate) async fn with(config: Config) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut ground = patchbay_testing::ground(folder.path()).await;
        ground.clock = Clock::adjustable();
        let partner = Partner::new().await;
        let peers = Peers::default();
        let host = format!("http://{}", partner.address);
        peers.add(OURS, SHOP, "shop", &host, TOKEN);
        peers.add(THEIRS, FOREIGN, "shop", &host, TOKEN);
        peers.add(OURS, CLUB, "club", &host, TOKEN);
        let options = Options { allow_private: vec![partner.address.parse().unwrap()], ..Options::default() };
        let egress = Egress::new(options).unwrap();
        let installed = role::install(&ground, config, Arc::new(connectors()), egress, peers.route()).await.unwrap();
        let catalog = CatalogServiceClient::new(Route::local(installed.services.unwrap()));
        Self { ground, peers, partner, catalog, _folder: folder }
    }

    /// The fields of `shop.add_ware` for an input.
    pub(crate) async fn form(&self, connection_id: i64, input: &Value) -> Result<FieldsResponse, Fault> {
        let request = FieldsRequest {
            workspace_id: OURS,
            operation: "shop.add_ware".to_owned(),
            connection_id,
            input: input.to_string().into(),
        };
        answered(self.catalog.clone().fields(request).await)
    }

    /// One field of that form.
    pub(crate) async fn field(&self, input: &Value, name: &str) -> Field {
        let form = self.form(SHOP, input).await.unwrap();
        form.fields.into_iter().find(|field| field.name == name).unwrap()
    }

    pub(crate) async fn options(
        &self,
        workspace_id: i64,
        connection_id: i64,
        list: &str,
        input: &Value,
    ) -> Result<OptionsResponse, Fault> {
        let (list, input) = (list.to_owned(), input.to_string().into());
        let request = OptionsRequest { workspace_id, connection_id, list, input };
        answered(self.catalog.clone().options(request).await)
    }

    /// The stores of our shop.
    pub(crate) async fn stores(&self) -> Result<OptionsResponse, Fault> {
        self.options(OURS, SHOP, "stores", &json!({})).await
    }

    pub(crate) async fn refresh(&self, workspace_id: i64, connection_id: i64) -> Result<Vec<RefreshedList>, Fault> {
        let request = RefreshRequest { workspace_id, connection_id };
        answered(self.catalog.clone().refresh(request).await).map(|response| response.lists)
    }

    /// Connection and list of all that is kept.
    pub(crate) async fn kept(&self) -> Vec<(i64, String)> {
        const KEPT: &str = "SELECT connection_id, list FROM catalog_lists ORDER BY connection_id, list";
        patchbay_store::read!(&self.ground.engine, pool => sqlx::query_as(KEPT).fetch_all(pool).await).unwrap()
    }
}

pub(crate) fn answered<T>(answer: Result<Response<T>, Status>) -> Result<T, Fault> {
    answer.map(Response::into_inner).map_err(|status| to_fault(&status))
}

pub(crate) fn choices(pairs: &[(&str, &str)]) -> Vec<Choice> {
    let choice = |(value, label): &(&str, &str)| Choice { value: (*value).to_owned(), label: (*label).to_owned() };
    pairs.iter().map(choice).collect()
}
