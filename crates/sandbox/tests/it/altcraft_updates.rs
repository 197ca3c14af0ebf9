use serde_json::{Value, json};

use crate::support::Server;

async fn rows(server: &Server) -> Vec<Value> {
    server.items("/_/altcraft/profiles").await
}

#[tokio::test]
async fn updates_only_what_is_there() {
    let server = Server::start().await;
    let unknown = json!({ "db_id": 7, "email": "a@b", "data": { "x": 1 } });
    assert_eq!(server.call("profiles/update", unknown.clone()).await["error"], 404);
    assert_eq!(rows(&server).await, Vec::<Value>::new());

    let id = server.import(json!({ "email": "a@b", "data": {} })).await;
    let answer = server.call("profiles/update", unknown).await;
    assert_eq!(answer, json!({ "error": 0, "error_text": "Successful operation", "profile_id": id }));
    assert_eq!(rows(&server).await, [json!({ "id": id, "db_id": 7, "email": "a@b", "x": 1 })]);
}

#[tokio::test]
async fn adds_without_a_search_until_a_phone_is_ambiguous() {
    let server = Server::start().await;
    let person = json!({ "db_id": 7, "data": { "phones": ["+79001112233"] } });
    let first = server.call("profiles/add", person.clone()).await;
    let second = server.call("profiles/add", person).await;

    assert_eq!(first, json!({ "error": 0, "error_text": "", "profile_id": first["profile_id"] }));
    assert_ne!(first["profile_id"], second["profile_id"]);
    let by_phone = json!({ "matching": "phone", "phone": "79001112233", "data": {} });
    assert_eq!(server.import_error(by_phone).await, 409);
    assert_eq!(rows(&server).await.len(), 2);
}

#[tokio::test]
async fn keeps_the_own_email_of_a_profile_unique() {
    let server = Server::start().await;
    let add = |email: &str| json!({ "db_id": 7, "data": { "email": email } });
    assert_eq!(server.call("profiles/add", add("a@b")).await["error"], 0);
    let other = server.import(json!({ "email": "c@d", "data": {} })).await;

    assert_eq!(server.call("profiles/add", add("A@B")).await["error"], 409);
    let stolen = json!({ "matching": "profile_id", "profile_id": other, "data": { "email": "a@b" } });
    assert_eq!(server.import_error(stolen).await, 409);
    assert_eq!(server.call("profiles/add", json!({ "db_id": 8, "data": { "email": "a@b" } })).await["error"], 0);
    assert_eq!(server.items("/_/altcraft/profiles?db_id=7").await.len(), 2);
}

#[tokio::test]
async fn gives_a_taken_email_only_to_the_subscription() {
    let server = Server::start().await;
    let owner = server.import(json!({ "email": "a@b", "data": {} })).await;
    let body = json!({ "matching": "email_sub", "email": "a@b", "data": {} });
    let subscriber = server.import(body.clone()).await;

    assert_ne!(owner, subscriber);
    assert_eq!(server.import(body).await, subscriber);
    assert_eq!(server.import_error(json!({ "email": "a@b", "data": {} })).await, 409);
    assert_eq!(rows(&server).await[1]["email"], Value::Null);
}

#[tokio::test]
async fn applies_functional_updates() {
    let server = Server::start().await;
    let before = json!({
        "orders": 5, "tags": ["a", "b"], "_city": "Perm", "address": { "city": "Perm" },
        "purchases": [{ "sku": "A", "count": 1 }, { "note": "gift" }],
    });
    server.import(json!({ "email": "a@b", "data": before })).await;
    let update = json!({
        "_fname": { "action": "set", "value": "Ann" },
        "_city": { "action": "unset" },
        "orders": { "action": "incr", "value": -2 },
        "tags": { "action": "delete", "value": ["a"] },
        "address": { "action": "upsert", "submatch": "street.name", "value": "Lenina" },
        "purchases": { "action": "upsert", "submatch": "sku", "value": { "sku": "B" } },
    });
    let id = server.import(json!({ "email": "a@b", "data": update })).await;

    let expected = json!({
        "id": id, "db_id": 7, "email": "a@b", "_fname": "Ann", "orders": 3, "tags": ["b"],
        "address": { "city": "Perm", "street": { "name": "Lenina" } },
        "purchases": [{ "sku": "B", "count": 1 }, { "note": "gift" }],
    });
    assert_eq!(rows(&server).await, [expected]);
}

#[tokio::test]
async fn refuses_functional_updates_that_do_not_fit() {
    let server = Server::start().await;
    server.import(json!({ "email": "a@b", "data": { "_fname": "Ann" } })).await;
    let updates = [
        json!({ "email": { "action": "unset" } }),
        json!({ "_fname": { "action": "incr", "value": 1 } }),
        json!({ "orders": { "action": "incr" } }),
        json!({ "address": { "action": "upsert", "value": "Lenina" } }),
        json!({ "_fname": { "action": "upsert", "submatch": "a", "value": 1 } }),
        json!({ "orders": { "action": "square", "value": 1 } }),
    ];
    for update in updates {
        assert_eq!(server.import_error(json!({ "email": "a@b", "data": update })).await, 400, "{update}");
    }
}

#[tokio::test]
async fn looks_into_subscriptions_of_the_given_resource_only() {
    let server = Server::start().await;
    let data = json!({ "subscriptions": [{ "resource_id": 2, "channel": "sms", "phone": "1" }] });
    let id = server.import(json!({ "email": "a@b", "data": data })).await;
    let question = |resource: i64| json!({ "db_id": 7, "matching": "phone", "phone": "1", "resource_id": resource });

    assert_eq!(server.call("profiles/get", question(2)).await["data"]["id"], id);
    assert_eq!(server.call("profiles/get", question(5)).await["error"], 404);
    assert_eq!(server.call("profiles/get", question(99)).await["error"], 404);
}

#[tokio::test]
async fn moves_between_segments_with_the_import_or_not_at_all() {
    let server = Server::start().await;
    let id = server.import(json!({ "email": "a@b", "add_to_segments": [3, "4"], "data": {} })).await;
    server.import(json!({ "email": "a@b", "remove_from_segments": [4], "data": {} })).await;
    assert_eq!(server.items("/_/altcraft/segments/3/members").await, [json!({ "profile_id": id, "email": "a@b" })]);
    assert_eq!(server.items("/_/altcraft/segments/4/members").await, Vec::<Value>::new());

    let unknown = json!({ "email": "c@d", "add_to_segments": [3, 99], "data": {} });
    let list = json!({ "email": "c@d", "add_to_segments": 3, "data": {} });
    assert_eq!((server.import_error(unknown).await, server.import_error(list).await), (404, 400));
    let elsewhere = json!({ "db_id": 8, "email": "c@d", "add_to_segments": [3], "data": {} });
    assert_eq!(server.call("profiles/import", elsewhere).await["error"], 400);
    assert_eq!(rows(&server).await.len(), 1);
}
