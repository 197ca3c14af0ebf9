//! Values brought into declared types.

use patchbay_connector::{Connector, Manifest, Operation};
use patchbay_flow::expression::{from_json_value, to_json_value};
use serde_json::{Value as Json, json};
use std::sync::Arc;

fn operation(kind: &str) -> Arc<Operation> {
    let text = format!(
        r#"
schema: patchbay.connector/v1
partner: {{ key: shop, id: 1, title: Shop, version: 1.0.0 }}
connection: {{ fields: [], auth: {{ kind: none }} }}
http: {{ base_url: "https://shop.test", timeout: 5s, success: "status == 200" }}
operations:
  - key: put
    id: 2
    kind: action
    title: Put
    fields: [{{ name: value, label: Value, type: {kind} }}]
    request: {{ method: POST, path: /put }}
"#
    );
    let connector = Connector::compile(Manifest::parse("shop.yaml", &text).unwrap()).unwrap();
    Arc::clone(connector.operation("put").unwrap())
}

fn coerce(kind: &str, value: Json) -> Result<Json, String> {
    let coerced =
        operation(kind).coerce(from_json_value(&json!({"value": value}))).map_err(|fault| fault.to_string())?;
    Ok(to_json_value(&coerced).unwrap()["value"].clone())
}

#[test]
fn takes_json_and_text() {
    for (kind, value, expected) in [
        ("string", json!("7"), json!("7")),
        ("string", json!(7), json!("7")),
        ("string", json!(2.5), json!("2.5")),
        ("string", json!(true), json!("true")),
        ("string", json!(""), json!("")),
        ("integer", json!("7"), json!(7)),
        ("integer", json!(" -7 "), json!(-7)),
        ("integer", json!(7.0), json!(7)),
        ("integer", json!("18446744073709551615"), json!(u64::MAX)),
        ("integer", json!(""), Json::Null),
        ("decimal", json!("2.5"), json!(2.5)),
        ("decimal", json!("3"), json!(3)),
        ("decimal", json!(3), json!(3)),
        ("boolean", json!("True"), json!(true)),
        ("boolean", json!("0"), json!(false)),
        ("boolean", json!(1), json!(true)),
        ("boolean", json!("no"), json!(false)),
        ("object", json!({"a": 1}), json!({"a": 1})),
        ("object", json!("{\"a\": 1}"), json!({"a": 1})),
        ("object", json!(" "), Json::Null),
        ("any", json!(17), json!(17)),
        ("any", json!("17"), json!("17")),
        ("list of integer", json!(["1", 2]), json!([1, 2])),
        ("list of integer", json!("[1, \"2\"]"), json!([1, 2])),
        ("list of integer", json!("5"), json!([5])),
        ("list of object", json!({"a": 1}), json!([{"a": 1}])),
        ("list of string", json!("a, b"), json!(["a, b"])),
        ("integer", Json::Null, Json::Null),
    ] {
        assert_eq!(coerce(kind, value.clone()), Ok(expected), "{kind} {value}");
    }
}

#[test]
fn refuses_what_does_not_fit_and_names_the_field() {
    for (kind, value, expected) in [
        ("string", json!([1]), "value: expected a text, found a list"),
        ("string", json!({}), "value: expected a text, found an object"),
        ("integer", json!("7.5"), "value: expected a whole number, found `7.5`"),
        ("integer", json!(7.5), "value: expected a whole number, found 7.5"),
        ("integer", json!(true), "value: expected a whole number, found true"),
        ("integer", json!("99999999999999999999"), "value: expected a whole number, found `99999999999999999999`"),
        ("decimal", json!("inf"), "value: expected a number, found `inf`"),
        ("boolean", json!("maybe"), "value: expected true or false, found `maybe`"),
        ("boolean", json!(2), "value: expected true or false, found 2"),
        ("object", json!("[1]"), "value: expected an object, found `[1]`"),
        ("object", json!([1]), "value: expected an object, found a list"),
        ("list of integer", json!([1, "x"]), "value: item 1: expected a whole number, found `x`"),
    ] {
        assert_eq!(coerce(kind, value.clone()), Err(expected.to_owned()), "{kind} {value}");
    }
}

#[test]
fn refuses_what_is_no_input() {
    let operation = operation("string");
    for input in [json!([1]), json!("x"), json!({"valu": 1})] {
        assert!(operation.coerce(from_json_value(&input)).is_err(), "{input}");
    }
    assert_eq!(to_json_value(&operation.coerce(from_json_value(&Json::Null)).unwrap()).unwrap(), json!({}));
}
