use serde_json::{Value, json};

use crate::crm_support::KEY;
use crate::support::Server;

#[tokio::test]
async fn creates_a_contact_and_keeps_members_that_it_does_not_know() {
    let server = Server::start().await;
    let body = json!({
        "email": "анна@пример.рф", "first_name": "Ann", "phone": "+1 555", "custom_fields": { "city": "Riga", "score": 1.5 },
        "source": { "utm": ["ads"] }, "id": "7", "created_at": "never",
    });
    let created = server.create_contact(&body).await;

    let at = created["created_at"].as_str().unwrap_or_default();
    assert!(at.len() == 27 && at.ends_with('Z'), "{at}");
    let expected = json!({
        "id": "1001", "email": "анна@пример.рф", "first_name": "Ann", "last_name": null, "phone": "+1 555",
        "custom_fields": { "city": "Riga", "score": 1.5 }, "source": { "utm": ["ads"] },
        "created_at": at, "updated_at": at,
    });
    assert_eq!(created, expected);
    assert_eq!(server.crm("GET /crm/contacts/1001", &Value::Null).await.json(), expected);
    assert_eq!(server.items("/_/crm/contacts").await, [expected]);
}

#[tokio::test]
async fn changes_what_it_is_given_and_leaves_the_rest() {
    let server = Server::start().await;
    let fields = json!({ "city": "Riga", "vip": true });
    let created = server
        .create_contact(
            &json!({ "email": "a@b", "first_name": "Ann", "phone": "1", "custom_fields": fields, "tag": 1 }),
        )
        .await;
    let change = json!({
        "first_name": "Eve", "phone": null, "custom_fields": { "city": null, "score": 3 }, "tag": 2,
        "updated_at": "2026-01-31T10:00:00.5+02:00",
    });
    let reply = server.crm("PATCH /crm/contacts/1001", &change).await;

    let expected = json!({
        "id": "1001", "email": "a@b", "first_name": "Eve", "last_name": null, "phone": null,
        "custom_fields": { "vip": true, "score": 3 }, "tag": 2,
        "created_at": created["created_at"], "updated_at": "2026-01-31T08:00:00.500000Z",
    });
    assert_eq!((reply.status, reply.json()), (200, expected.clone()));
    assert_eq!(server.crm("GET /crm/contacts/1001/", &Value::Null).await.json(), expected);
}

#[tokio::test]
async fn takes_the_time_of_a_change_that_does_not_tell_it() {
    let server = Server::start().await;
    server.create_contact(&json!({ "email": "a@b", "updated_at": "2020-01-01T00:00:00Z" })).await;
    let changed = server.crm("PATCH /crm/contacts/1001", &json!({})).await.json();
    assert!(changed["updated_at"].as_str() >= changed["created_at"].as_str(), "{changed}");
}

#[tokio::test]
async fn leaves_a_contact_as_it_was_when_it_refuses_a_change() {
    let server = Server::start().await;
    let created = server.create_contact(&json!({ "email": "a@b", "first_name": "Ann" })).await;
    for change in [json!({ "first_name": "Eve", "email": null }), json!({ "first_name": "Eve", "phone": 1 })] {
        assert_eq!(server.crm("PATCH /crm/contacts/1001", &change).await.status, 400, "{change}");
    }
    assert_eq!(server.items("/_/crm/contacts").await, [created]);
}

#[tokio::test]
async fn shows_the_account_and_its_custom_fields() {
    let server = Server::start().await;
    let account = server.crm("GET /crm/me", &Value::Null).await.json();
    assert_eq!(account, json!({ "account": { "id": "sandbox", "name": "Sandbox CRM" } }));
    let fields = server.crm("GET /crm/custom-fields", &Value::Null).await.json();
    assert_eq!(fields["items"][0], json!({ "name": "city", "label": "City", "type": "string" }));
}

#[tokio::test]
async fn shows_requests_under_both_words_with_their_idempotency_keys() {
    let server = Server::start().await;
    let headers = [("X-Api-Key", KEY), ("Idempotency-Key", "run-1/step-2")];
    server.send("POST /crm/contacts", &headers, br#"{"email":"a@b"}"#).await.unwrap_or_else(|| panic!("closed"));
    server.crm("GET /crmx", &Value::Null).await;

    let items = server.items("/_/requests?partner=sandbox-crm").await;
    let shown: Vec<Value> = items
        .iter()
        .map(|item| json!([item["partner"], item["path"], item["idempotency_key"], item["status"]]))
        .collect();
    assert_eq!(shown, [json!(["sandbox-crm", "/crm/contacts", "run-1/step-2", 201])]);
    assert_eq!(server.items("/_/requests?partner=crm").await, items);
    assert_eq!(items[0]["headers"]["x-api-key"], "***");
}

#[tokio::test]
async fn misbehaves_when_told_to() {
    let server = Server::start().await;
    server.fault(&json!({ "match": "POST /crm/contacts", "status": 503, "times": 1 })).await;
    server.fault(&json!({ "match": "POST /crm/contacts", "status": 504, "when": "after", "times": 1 })).await;
    let mut outcomes = Vec::new();
    for _ in 0..3 {
        let status = server.crm("POST /crm/contacts", &json!({ "email": "a@b" })).await.status;
        outcomes.push((status, server.items("/_/crm/contacts").await.len()));
    }
    assert_eq!(outcomes, [(503, 0), (504, 1), (201, 2)]);
}
