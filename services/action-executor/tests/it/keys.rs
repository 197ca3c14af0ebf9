//! The key by which a partner knows that a call is the same step again.

use std::sync::Arc;

use patchbay_connector::{Catalog, Connector, Manifest};
use patchbay_types::RunId;
use serde_json::json;

use crate::{
    house::{House, Setup},
    partner::{Answer, Partner},
};

/// Altcraft's envelope, with a header that Altcraft has not.
const MANIFEST: &str = r#"
schema: patchbay.connector/v1
partner: { key: altcraft, id: 1, title: Shop, version: 1.0.0 }
connection:
  fields:
    - { name: host, label: Host, type: string, required: true, validate: host }
    - { name: token, label: Token, type: secret, required: true }
  auth: { kind: bearer, token: "{{ connection.token }}" }
http:
  base_url: "https://{{ connection.host }}"
  timeout: 5s
  success: "status == 200"
  idempotency: { header: Idempotency-Key }
operations:
  - key: put
    id: 2
    kind: action
    title: Put
    fields:
      - { name: email, label: Email, type: string, required: true }
    request: { method: POST, path: /put, json: { email: "{{ input.email }}" } }
"#;

#[tokio::test]
async fn a_key_changes_only_after_a_known_failure() {
    let connector = Connector::compile(Manifest::parse("shop.yaml", MANIFEST).unwrap()).unwrap();
    let mut setup = Setup { catalog: Arc::new(Catalog::new([connector]).unwrap()), ..Setup::default() };
    setup.config.retry_delays = vec![std::time::Duration::from_millis(1); 9];
    let (house, partner) = (House::with(setup).await, Partner::new().await);
    let steps = json!([{
        "key": "first", "operation": "altcraft.put", "connection_id": house.peers.connect(&partner),
        "input": {"email": "{{ trigger.email }}"},
    }]);
    let (_, source) = house.peers.publish(steps);
    // Known, known, unknown; what is known of the next does not tell whether the one before was done.
    partner.script([Answer::unavailable(), Answer::unavailable(), Answer::HangsUp, Answer::unavailable()]);
    house.fire(source, "e", json!({"email": "ann@a.test"})).await;
    let run = house.when_is("e", "succeeded").await;
    let id = RunId::from_slice(&run.id).unwrap();
    let keys: Vec<_> = partner.calls().into_iter().map(|call| call.key).collect();
    assert_eq!(keys, [0, 1, 2, 2, 2].map(|generation| format!("{id}.first.0.{generation}")));
}
