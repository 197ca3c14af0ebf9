//! Requests in all their parts.

use patchbay_connector::{Connector, Manifest, Operation};
use patchbay_egress::Request;
use patchbay_flow::expression::{Value, from_json_value};
use serde_json::{Value as Json, json};
use std::{sync::Arc, time::Duration};

const MANIFEST: &str = r#"
schema: patchbay.connector/v1
partner: { key: shop, id: 1, title: Shop, version: 1.0.0 }
connection:
  fields:
    - { name: host, label: Host, type: string, required: true, validate: host }
    - { name: key, label: Key, type: secret, required: true }
  auth: { kind: api_key, header: X-Api-Key, key: "{{ connection.key }}" }
http:
  base_url: "https://{{ connection.host }}/v1/"
  timeout: 5s
  success: "status in [200, 201]"
  idempotency: { header: Idempotency-Key }
operations:
  - key: put
    id: 2
    kind: action
    title: Put
    timeout: 500ms
    fields:
      - { name: id, label: Id, type: string, required: true }
      - { name: tags, label: Tags, type: list of string }
      - { name: note, label: Note, type: string }
    request:
      method: PUT
      path: "/contacts/{{ input.id }}/tags"
      query: { tag: "{{ input.tags }}", note: "{{ input.note }}", fixed: "a b" }
      headers: { X-Note: "{{ input.note }}" }
"#;

fn operation() -> Arc<Operation> {
    let connector = Connector::compile(Manifest::parse("shop.yaml", MANIFEST).unwrap()).unwrap();
    Arc::clone(connector.operation("put").unwrap())
}

fn request(key: &str, input: Json) -> Result<Request, String> {
    let connection = from_json_value(&json!({"host": "shop.test", "key": key}));
    let operation = operation();
    let input: Value = operation.coerce(from_json_value(&input)).unwrap();
    operation.request(&connection, &input, "run-1/put/0/1").map_err(|fault| fault.to_string())
}

#[test]
fn puts_each_part_in_its_place() {
    let request = request("k-1", json!({"id": "a/b", "tags": ["x&y", "z"], "note": "hi"})).unwrap();
    assert_eq!(request.method, http::Method::PUT);
    assert_eq!(request.url, "https://shop.test/v1/contacts/a%2Fb/tags?fixed=a+b&note=hi&tag=x%26y&tag=z");
    assert_eq!(request.headers["x-api-key"], "k-1");
    assert_eq!(request.headers["x-note"], "hi");
    assert_eq!(request.headers["idempotency-key"], "run-1/put/0/1");
    assert!(!request.headers.contains_key("content-type"));
    assert!(request.body.is_empty());
    assert_eq!(request.timeout, Duration::from_millis(500));
}

#[test]
fn leaves_out_what_is_not_given() {
    let request = request("k-1", json!({"id": "1"})).unwrap();
    assert_eq!(request.url, "https://shop.test/v1/contacts/1/tags?fixed=a+b");
    assert!(!request.headers.contains_key("x-note"));
}

#[test]
fn data_can_not_reach_another_path_or_header() {
    for (id, encoded) in [("..", "%2E%2E"), ("../admin?x#y", "..%2Fadmin%3Fx%23y"), ("é", "%C3%A9")] {
        let request = request("k-1", json!({"id": id})).unwrap();
        assert_eq!(request.url, format!("https://shop.test/v1/contacts/{encoded}/tags?fixed=a+b"));
    }
    let split = request("k-1", json!({"id": "1", "note": "a\r\nX-Evil: 1"}));
    assert_eq!(split.unwrap_err(), "request.headers.x-note: has characters that no header can carry");
}

#[test]
fn bad_credentials_are_refused_without_being_shown() {
    for key in ["hush\n", ""] {
        let fault = request(key, json!({"id": "1"})).unwrap_err();
        assert!(fault.starts_with("connection: the credentials") && !fault.contains("hush"), "{fault}");
    }
}
