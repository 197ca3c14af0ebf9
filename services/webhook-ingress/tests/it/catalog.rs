//! A partner that tells by webhook, in the ways that matter here.

use std::sync::Arc;

use patchbay_connector::{Catalog, Connector, Manifest};

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
      - { name: city, label: City, type: string, required: true }
    event_id: "item.event"
    sample: {}
    modes:
      webhook:
        batch: "body.orders"
        select: "item.city == input.city"
        respond: { status: 202, body: "taken" }
        verify:
          kind: hmac
          algorithm: sha256
          secret: "{{ connection.secret }}"
          header: X-Shop-Proof
          encoding: hex
          prefix: "sha256="
          signed: [ { header: X-Shop-Time }, { text: "." }, body ]
          timestamp: { header: X-Shop-Time, tolerance: 5m }
  - key: form_sent
    id: 90100002
    kind: trigger
    title: Form sent
    sample: {}
    modes:
      webhook:
        verify: { kind: secret_url }
"#;

pub(crate) fn catalog() -> Arc<Catalog> {
    let connector = Connector::compile(Manifest::parse("shop.yaml", SHOP).unwrap()).unwrap();
    Arc::new(Catalog::new([connector]).unwrap())
}
