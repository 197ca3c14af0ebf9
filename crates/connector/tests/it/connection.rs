//! The fields of a connection.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::HeaderMap;
use patchbay_connector::{Action, Outcome, builtin};
use patchbay_egress::Response;
use patchbay_flow::expression::from_json_value;
use serde_json::{Value as Json, json};

fn fields(json: Json) -> BTreeMap<String, Json> {
    serde_json::from_value(json).unwrap()
}

#[test]
fn takes_what_the_manifest_describes() {
    let catalog = builtin().unwrap();
    let altcraft = catalog.connector("altcraft").unwrap();
    for given in [
        json!({"token": "t"}),
        json!({"token": "t", "host": "http://127.0.0.1:8090"}),
        json!({"token": "{{ 7*7 }}", "host": null}),
    ] {
        assert_eq!(altcraft.validate_connection(&fields(given.clone())), Ok(()), "{given}");
    }
}

#[test]
fn says_everything_that_is_wrong() {
    let catalog = builtin().unwrap();
    let altcraft = catalog.connector("altcraft").unwrap();
    let faults = |given: Json| {
        let faults = altcraft.validate_connection(&fields(given)).unwrap_err();
        faults.into_iter().map(|fault| fault.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(faults(json!({})), ["token: required"]);
    assert_eq!(faults(json!({"token": ""})), ["token: required"]);
    assert_eq!(faults(json!({"token": ["hush"]})), ["token: expected a text"]);
    assert_eq!(
        faults(json!({"tokn": "t", "host": "host/path"})),
        [
            "tokn: unknown field, did you mean `token`?",
            "host: expected a host like `ru.altkraft.com` or `http://10.0.0.5:8080`, without a path, found `host/path`",
            "token: required",
        ]
    );
}

#[test]
fn fills_in_defaults() {
    let catalog = builtin().unwrap();
    let altcraft = catalog.connector("altcraft").unwrap();
    let complete = altcraft.with_defaults(&fields(json!({"token": "t"})));
    assert_eq!(complete, fields(json!({"token": "t", "host": "ru.altkraft.com"})));
    let complete = altcraft.with_defaults(&fields(json!({"token": "t", "host": "h.test"})));
    assert_eq!(complete, fields(json!({"token": "t", "host": "h.test"})));
}

#[test]
fn hints_at_what_was_meant() {
    let catalog = builtin().unwrap();
    assert_eq!(
        catalog.unknown_operation("altcraft.import_profle"),
        "unknown operation `altcraft.import_profle`; did you mean `altcraft.import_profile`?"
    );
    assert!(catalog.unknown_operation("x").contains("there are `altcraft.import_profile`"));
    assert_eq!(catalog.unknown_partner("altcaft"), "unknown partner `altcaft`; did you mean `altcraft`?");
    assert!(catalog.operation("altcraft.import").is_none() && catalog.operation("altcraft").is_none());
}

#[test]
fn is_proved_by_a_call() {
    let catalog = builtin().unwrap();
    let test = catalog.connector("altcraft").unwrap().test().unwrap();
    let connection = from_json_value(&json!({"host": "http://127.0.0.1:1", "token": "t"}));
    let nothing = from_json_value(&json!({}));
    let request = test.request(&connection, &nothing, "").unwrap();
    assert_eq!(request.url, "http://127.0.0.1:1/api/v1.1/databases/list");
    assert_eq!(request.body, r#"{"limit":1}"#);
    let answer = |body: &'static str| {
        let response = Response { status: 200, headers: HeaderMap::new(), body: Bytes::from_static(body.as_bytes()) };
        test.interpret(&connection, &nothing, Ok(&response))
    };
    assert!(matches!(answer(r#"{"error":0,"data":[]}"#), Outcome::Succeeded { .. }));
    let Outcome::Failed(failure) = answer(r#"{"error":401,"error_text":"API token required"}"#) else {
        panic!("not a failure")
    };
    assert_eq!((failure.action, failure.message.as_str()), (Action::Reauthorize, "API token required"));
}
