//! Altcraft, and a partner with triggers.

use std::sync::Arc;

use patchbay_connector::{Catalog, Connector, Manifest};

const ALTCRAFT: &str = include_str!("../../../../connectors/altcraft/connector.yaml");
const SHOP: &str = r#"
schema: patchbay.connector/v1
partner: { key: shop, id: 901, title: Shop, description: A shop, categories: [test], region: [3], version: 1.0.0 }
connection:
  fields:
    - { name: secret, label: Secret, type: secret, required: true }
  auth: { kind: none }
http:
  base_url: "https://shop.test"
  timeout: 10s
  success: "status == 200"
operations:
  - key: order_changed
    id: 90100001
    kind: trigger
    title: Order changed
    fields:
      - { name: city, label: City, type: string, required: true, options: [{ value: berlin }, { value: paris }] }
      - { name: limit, label: Limit, type: integer }
    event_id: "item.id"
    sample: {}
    modes:
      webhook:
        verify: { kind: header_token, header: X-Shop-Token, token: "{{ connection.secret }}" }
"#;

pub(crate) fn catalog() -> Arc<Catalog> {
    let connectors = [("altcraft.yaml", ALTCRAFT), ("shop.yaml", SHOP)]
        .map(|(name, text)| Connector::compile(Manifest::parse(name, text).unwrap()).unwrap());
    Arc::new(Catalog::new(connectors).unwrap())
}
