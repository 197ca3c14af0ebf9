use serde_json::{Value, json};

use crate::crm_support::KEY;
use crate::support::Server;

const CONTACTS: &str = "POST /crm/contacts";
const WEBHOOKS: &str = "POST /crm/webhooks";

async fn refusal(server: &Server, request: &str, key: &str, body: &[u8]) -> Value {
    let reply = server.send(request, &[("X-Api-Key", key)], body).await.unwrap_or_else(|| panic!("closed"));
    let error = reply.json()["error"].clone();
    assert!(error["message"].as_str().is_some_and(|message| !message.is_empty()), "{}", reply.body);
    json!([reply.status, error["code"], error["field"]])
}

#[tokio::test]
async fn says_which_field_is_wrong() {
    let server = Server::start().await;
    for (request, body, field) in [
        (CONTACTS, json!({}), "email"),
        (CONTACTS, json!({ "email": null }), "email"),
        (CONTACTS, json!({ "email": "" }), "email"),
        (CONTACTS, json!({ "email": "ann" }), "email"),
        (CONTACTS, json!({ "email": "a@b@c" }), "email"),
        (CONTACTS, json!({ "email": ["a@b"] }), "email"),
        (CONTACTS, json!({ "email": "a@b", "first_name": 1 }), "first_name"),
        (CONTACTS, json!({ "email": "a@b", "last_name": {} }), "last_name"),
        (CONTACTS, json!({ "email": "a@b", "phone": 1 }), "phone"),
        (CONTACTS, json!({ "email": "a@b", "custom_fields": [] }), "custom_fields"),
        (CONTACTS, json!({ "email": "a@b", "updated_at": "noon" }), "updated_at"),
        (CONTACTS, json!({ "email": "a@b", "updated_at": 1 }), "updated_at"),
        (CONTACTS, json!({ "email": "a@b", "updated_at": "2026-02-30T00:00:00Z" }), "updated_at"),
        (WEBHOOKS, json!({}), "url"),
        (WEBHOOKS, json!({ "url": 1 }), "url"),
        (WEBHOOKS, json!({ "url": "/hook" }), "url"),
        (WEBHOOKS, json!({ "url": "ftp://host/" }), "url"),
        (WEBHOOKS, json!({ "url": "http://user:pass@host/" }), "url"),
        (WEBHOOKS, json!({ "url": "http://host/a\nb" }), "url"),
        (WEBHOOKS, json!({ "url": format!("http://host/{}", "x".repeat(2000)) }), "url"),
        (WEBHOOKS, json!({ "url": "http://host/", "events": [] }), "events"),
        (WEBHOOKS, json!({ "url": "http://host/", "events": ["contact.lost"] }), "events"),
        (WEBHOOKS, json!({ "url": "http://host/", "events": "contact.created" }), "events"),
        (WEBHOOKS, json!({ "url": "http://host/", "secret": "" }), "secret"),
        (WEBHOOKS, json!({ "url": "http://host/", "secret": 1 }), "secret"),
        ("GET /crm/contacts?page=0", json!(null), "page"),
        ("GET /crm/contacts?page=x", json!(null), "page"),
        ("GET /crm/contacts?page=99999999999999999999", json!(null), "page"),
        ("GET /crm/contacts?per_page=0", json!(null), "per_page"),
        ("GET /crm/contacts?per_page=101", json!(null), "per_page"),
        ("GET /crm/contacts?per_page=-1", json!(null), "per_page"),
        ("GET /crm/contacts?updated_since=yesterday", json!(null), "updated_since"),
        ("GET /crm/contacts?updated_since=2026-01-31", json!(null), "updated_since"),
    ] {
        let refused = refusal(&server, request, KEY, body.to_string().as_bytes()).await;
        assert_eq!(refused, json!([400, "invalid", field]), "{request} {body}");
    }
    assert_eq!(server.items("/_/crm/contacts").await, Vec::<Value>::new());
    assert_eq!(server.crm("GET /crm/webhooks", &Value::Null).await.json(), json!({ "items": [] }));
}

#[tokio::test]
async fn refuses_bodies_that_are_no_objects_or_too_large() {
    let server = Server::start().await;
    for body in ["", "{", "[]", "1", "\"x\"", "{\"email\":\"a@b\"} x", "\u{feff}{}"] {
        let refused = refusal(&server, CONTACTS, KEY, body.as_bytes()).await;
        assert_eq!(refused, json!([400, "invalid_body", null]), "{body}");
    }
    assert_eq!(refusal(&server, CONTACTS, KEY, b"{\"email\":\"\xff@b\"}").await, json!([400, "invalid_body", null]));
    let deep = "[".repeat(100_000);
    assert_eq!(refusal(&server, CONTACTS, KEY, deep.as_bytes()).await, json!([400, "invalid_body", null]));
    let large = json!({ "email": "a@b", "note": "x".repeat(1024 * 1024) }).to_string();
    assert_eq!(refusal(&server, CONTACTS, KEY, large.as_bytes()).await, json!([413, "too_large", null]));
}

#[tokio::test]
async fn refuses_a_change_that_makes_a_contact_too_large() {
    let server = Server::start().await;
    let part = "x".repeat(600_000);
    server.create_contact(&json!({ "email": "a@b", "one": part })).await;
    let change = json!({ "two": part }).to_string();
    let refused = refusal(&server, "PATCH /crm/contacts/1001", KEY, change.as_bytes()).await;
    assert_eq!(refused, json!([413, "too_large", null]));
}

#[tokio::test]
async fn refuses_who_does_not_know_the_key() {
    let server = Server::start().await;
    let body = br#"{"email":"a@b"}"#;
    for request in [CONTACTS, "GET /crm/me", "GET /crm/nothing", "GET /crm"] {
        assert_eq!(refusal(&server, request, "wrong", body).await, json!([401, "unauthorized", null]), "{request}");
    }
    let keyless = server.send("GET /crm/me", &[], b"").await.unwrap_or_else(|| panic!("closed"));
    assert_eq!((keyless.status, &keyless.json()["error"]["code"]), (401, &json!("unauthorized")));
    assert_eq!(server.items("/_/crm/contacts").await, Vec::<Value>::new());
}

#[tokio::test]
async fn refuses_what_is_not_there() {
    let server = Server::start().await;
    server.create_contact(&json!({ "email": "a@b" })).await;
    for request in [
        "GET /crm",
        "GET /crm/nothing",
        "GET /crm/contacts/1000",
        "GET /crm/contacts/1002",
        "GET /crm/contacts/01001",
        "GET /crm/contacts/+1001",
        "GET /crm/contacts/x",
        "GET /crm/contacts/99999999999999999999999",
        "GET /crm/contacts/1001/more",
        "PATCH /crm/contacts/1002",
        "DELETE /crm/webhooks/wh_1",
    ] {
        assert_eq!(refusal(&server, request, KEY, b"{}").await, json!([404, "not_found", null]), "{request}");
    }
    for request in ["PUT /crm/contacts", "DELETE /crm/contacts/1001", "POST /crm/me", "GET /crm/webhooks/wh_1"] {
        assert_eq!(refusal(&server, request, KEY, b"{}").await, json!([405, "method_not_allowed", null]), "{request}");
    }
}
