#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

use serde_json::{Value, json};

use crate::support::Server;

/// The codes of the results.
fn errors(answer: &Value) -> Vec<i64> {
    assert_eq!((&answer["error"], &answer["error_text"]), (&json!(0), &json!("Successful operation")), "{answer}");
    answer["result"].as_array().unwrap().iter().map(|result| result["error"].as_i64().unwrap()).collect()
}

#[tokio::test]
async fn imports_flat_items_each_with_its_result() {
    let server = Server::start().await;
    let items = json!([
        { "email": "a@b", "_fname": "Ann" },
        { "email": "none" },
        { "_fname": "Nobody" },
        { "data": { "email": "wrapped@b" } },
        { "email": "a@b", "orders": { "action": "incr", "value": 1 } },
        "c@d",
    ]);
    let answer = server.call("profiles/import_batch", json!({ "db_id": 7, "data": items })).await;

    assert_eq!(errors(&answer), [0, 400, 400, 400, 0, 400]);
    let id = answer["result"][0]["profile_id"].clone();
    assert_eq!(answer["result"][4], json!({ "error": 0, "error_text": "Successful operation", "profile_id": id }));
    assert!(answer["result"][1]["error_text"].is_string());
    let expected = json!({ "id": id, "db_id": 7, "email": "a@b", "_fname": "Ann", "orders": 1 });
    assert_eq!(server.items("/_/altcraft/profiles").await, [expected]);
}

#[tokio::test]
async fn matches_items_by_what_stands_among_their_fields() {
    let server = Server::start().await;
    let by_phone = json!({ "db_id": 7, "matching": "phone", "data": [{ "phones": ["1"] }, { "phone": "1" }] });
    assert_eq!(errors(&server.call("profiles/import_batch", by_phone).await), [0, 0]);
    let by_field = json!({
        "db_id": 7, "matching": "custom", "field_name": "CRM_ID",
        "data": [{ "CRM_ID": "A" }, { "CRM_ID": "A", "x": 1 }, { "field_value": "B" }],
    });
    assert_eq!(errors(&server.call("profiles/import_batch", by_field).await), [0, 0, 0]);

    let rows = server.items("/_/altcraft/profiles").await;
    let fields: Vec<Value> = rows.iter().map(|row| json!([row["phones"], row["CRM_ID"], row["x"]])).collect();
    assert_eq!(fields, [json!([["1"], null, null]), json!([null, "A", 1]), json!([null, "B", null])]);
}

#[tokio::test]
async fn updates_and_adds_many() {
    let server = Server::start().await;
    let add = json!({ "db_id": 7, "data": [{ "email": "a@b" }, { "email": "a@b" }, { "phones": ["1"] }] });
    assert_eq!(errors(&server.call("profiles/add_batch", add).await), [0, 409, 0]);

    let update = json!({ "db_id": 7, "data": [{ "email": "a@b", "x": 1 }, { "email": "c@d", "x": 1 }] });
    assert_eq!(errors(&server.call("profiles/update_batch", update).await), [0, 404]);
    let rows = server.items("/_/altcraft/profiles").await;
    assert_eq!((rows.len(), &rows[0]["x"]), (2, &json!(1)));
}

#[tokio::test]
async fn refuses_a_batch_that_is_wrong_as_a_whole() {
    let server = Server::start().await;
    let items: Vec<Value> = (0..10_001).map(|number| json!({ "email": format!("{number}@b") })).collect();
    let cases = [
        (json!({ "data": [] }), 400),
        (json!({ "db_id": 9, "data": [] }), 404),
        (json!({ "db_id": 7 }), 400),
        (json!({ "db_id": 7, "data": {} }), 400),
        (json!({ "db_id": 7, "matching": "shoe_size", "data": [] }), 400),
        (json!({ "db_id": 7, "matching": "custom", "data": [] }), 400),
        (json!({ "db_id": 7, "data": items }), 400),
    ];
    for (body, expected) in cases {
        let answer = server.call("profiles/import_batch", body.clone()).await;
        assert_eq!(answer["error"], expected, "{:.80}", body.to_string());
    }
    assert_eq!(server.items("/_/altcraft/profiles").await, Vec::<Value>::new());
}

#[tokio::test]
async fn takes_ten_thousand_items() {
    let server = Server::start().await;
    let items: Vec<Value> = (0..10_000).map(|number| json!({ "email": format!("{number}@b") })).collect();
    let answer = server.call("profiles/import_batch", json!({ "db_id": 7, "data": items })).await;
    assert_eq!(errors(&answer), vec![0; 10_000]);
    assert_eq!(server.items("/_/altcraft/profiles").await.len(), 10_000);
}
