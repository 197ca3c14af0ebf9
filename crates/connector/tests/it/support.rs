//! A connector that uses every part of the format, and small ones around one part.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use patchbay_connector::{Connector, Manifest, Operation, Trigger};
use patchbay_egress::Response;
use patchbay_flow::expression::{Value, from_json_value, to_json_value};
use serde_json::Value as Json;

/// Every part of the format.
pub(crate) const SHOP: &str = include_str!("shop.yaml");

pub(crate) fn compile(text: &str) -> Result<Connector, Vec<String>> {
    Manifest::parse("shop.yaml", text)
        .and_then(Connector::compile)
        .map_err(|errors| errors.iter().map(ToString::to_string).collect())
}

pub(crate) fn shop() -> Connector {
    compile(SHOP).unwrap()
}

/// An action `put` with these `fields:` and what else an operation has, in flow style.
pub(crate) fn action(fields: &str, rest: &str) -> Arc<Operation> {
    let text = manifest_of(&format!(
        "{{ key: put, id: 2, kind: action, title: Put, fields: {fields}, request: {{ method: POST, path: /put }} {rest} }}"
    ));
    Arc::clone(compile(&text).unwrap().operation("put").unwrap())
}

/// A trigger `told` with this `verify:` and what else `webhook:` has, in flow style.
pub(crate) fn trigger(verify: &str, webhook: &str) -> Arc<Trigger> {
    let text = manifest_of(&format!(
        "{{ key: told, id: 2, kind: trigger, title: Told, modes: {{ webhook: {{ verify: {verify} {webhook} }} }} }}"
    ));
    Arc::clone(compile(&text).unwrap().trigger("told").unwrap())
}

pub(crate) fn manifest_of(operation: &str) -> String {
    format!(
        r#"
schema: patchbay.connector/v1
partner: {{ key: shop, id: 1, title: Shop, version: 1.0.0 }}
connection:
  fields:
    - {{ name: name, label: Name, type: string, default: ann }}
    - {{ name: secret, label: Secret, type: secret }}
  auth: {{ kind: none }}
http: {{ base_url: "https://shop.test", timeout: 5s, success: "status == 200" }}
operations:
  - {operation}
"#
    )
}

pub(crate) fn value(json: Json) -> Value {
    from_json_value(&json)
}

pub(crate) fn json(value: &Value) -> Json {
    to_json_value(value).unwrap()
}

pub(crate) fn coerce(operation: &Operation, input: Json) -> Result<Json, String> {
    operation.coerce(value(input)).map(|input| json(&input)).map_err(|fault| fault.to_string())
}

pub(crate) fn validate(operation: &Operation, input: Json) -> Vec<String> {
    let faults = operation.validate_input(&input).err().unwrap_or_default();
    faults.iter().map(ToString::to_string).collect()
}

pub(crate) fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    let pairs =
        pairs.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap()));
    pairs.collect()
}

pub(crate) fn answer(status: u16, body: &Json) -> Response {
    Response { status, headers: HeaderMap::new(), body: Bytes::from(body.to_string()) }
}
