use serde_json::{Value, json};

use crate::support::Server;

#[tokio::test]
async fn creates_a_profile_that_takes_the_match_value() {
    let server = Server::start().await;
    let answer = server
        .call("profiles/import/", json!({ "db_id": 7, "email": "анна@пример.рф", "data": { "_fname": "Ann" } }))
        .await;

    let id = answer["profile_id"].as_str().unwrap();
    assert_eq!(answer, json!({ "error": 0, "error_text": "Successful operation", "profile_id": id }));
    assert!(id.len() == 24 && id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')), "{id}");
    let profile = json!({ "id": id, "db_id": 7, "email": "анна@пример.рф", "_fname": "Ann" });
    let read = server.call("profiles/get", json!({ "db_id": 7, "email": "анна@пример.рф" })).await;
    assert_eq!(read, json!({ "error": 0, "error_text": "Successful operation", "data": profile }));
    assert_eq!(server.items("/_/altcraft/profiles?db_id=7").await, [profile]);
}

#[tokio::test]
async fn merges_data_into_the_profile_that_matches() {
    let server = Server::start().await;
    let email = "ann@shop.test";
    let first = server.import(json!({ "email": email, "data": { "_fname": "Ann", "orders": 1, "tags": ["a"] } })).await;
    let update = json!({
        "_lname": "Lee",
        "orders": { "action": "incr", "value": 2 },
        "tags": { "action": "add", "value": ["b"] },
        "_fname": { "action": "unset" },
    });
    let second = server.import(json!({ "email": email, "data": update })).await;

    assert_eq!(first, second);
    let expected = json!({
        "id": first, "db_id": 7, "email": email, "_lname": "Lee", "orders": 3, "tags": ["a", "b"],
    });
    assert_eq!(server.items("/_/altcraft/profiles").await, [expected]);
}

#[tokio::test]
async fn leaves_a_profile_as_it_was_when_it_refuses() {
    let server = Server::start().await;
    let id = server.import(json!({ "email": "a@b", "data": { "_fname": "Ann" } })).await;
    let refused = json!({ "email": "a@b", "data": { "_fname": "Eve", "email": "none" } });

    assert_eq!(server.import_error(refused).await, 400);
    let expected = json!({ "id": id, "db_id": 7, "email": "a@b", "_fname": "Ann" });
    assert_eq!(server.items("/_/altcraft/profiles").await, [expected]);
}

#[tokio::test]
async fn keeps_databases_apart() {
    let server = Server::start().await;
    server.import(json!({ "email": "a@b", "data": {} })).await;

    let other = server.call("profiles/get", json!({ "db_id": 8, "email": "a@b" })).await;
    assert_eq!(other["error"], 404);
    assert_eq!(server.items("/_/altcraft/profiles?db_id=8").await, Vec::<Value>::new());
}

#[tokio::test]
async fn refuses_requests_that_lack_or_misname_something() {
    let server = Server::start().await;
    let cases = [
        (json!({ "email": "a@b", "data": {} }), 400),
        (json!({ "db_id": "seven", "email": "a@b", "data": {} }), 400),
        (json!({ "db_id": 9, "email": "a@b", "data": {} }), 404),
        (json!({ "db_id": 7, "email": "a@b" }), 400),
        (json!({ "db_id": 7, "email": "a@b", "data": [] }), 400),
        (json!({ "db_id": 7, "data": { "email": "a@b" } }), 400),
        (json!({ "db_id": 7, "email": "ab", "data": {} }), 400),
        (json!({ "db_id": 7, "email": "a@b@c", "data": {} }), 400),
        (json!({ "db_id": 7, "matching": "shoe_size", "data": {} }), 400),
        (json!({ "db_id": 7, "email": "a@b", "data": { "subscriptions": [{ "channel": "fax" }] } }), 400),
    ];
    for (body, expected) in cases {
        assert_eq!(server.call("profiles/import", body.clone()).await["error"], expected, "{body}");
    }
    assert_eq!(server.items("/_/altcraft/profiles").await, Vec::<Value>::new());
}

#[tokio::test]
async fn skips_invalid_subscriptions_when_asked_to() {
    let server = Server::start().await;
    let subscriptions = json!([{ "channel": "fax" }, { "resource_id": 2, "email": "a@b" }]);
    let data = json!({ "subscriptions": subscriptions });
    let id = server.import(json!({ "email": "a@b", "skip_invalid_subscriptions": true, "data": data })).await;

    let subscription = json!({ "resource_id": 2, "channel": "email", "email": "a@b", "status": "subscribed" });
    let expected = json!({ "id": id, "db_id": 7, "email": "a@b", "subscriptions": [subscription] });
    assert_eq!(server.items("/_/altcraft/profiles").await, [expected]);
}
