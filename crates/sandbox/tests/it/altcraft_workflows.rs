use serde_json::{Value, json};

use crate::support::Server;

fn launch(workflow: &Value) -> Value {
    json!({ "db_id": 7, "workflow_id": workflow, "email": "ann@shop.test", "data": { "_fname": "Ann" } })
}

#[tokio::test]
async fn imports_and_enters_the_scenario_once_a_call() {
    let server = Server::start().await;
    let first = server.call("workflows/import_and_start", launch(&json!(12))).await;
    let second = server.call("workflows/import_and_start/", launch(&json!("12"))).await;

    let id = first["profile_id"].clone();
    assert_eq!(first, json!({ "error": 0, "error_text": "Successful operation", "profile_id": id }));
    assert_eq!(second, first);
    let entries = server.items("/_/altcraft/workflows/12/entries").await;
    assert_eq!(entries.len(), 2);
    for entry in entries {
        let at = entry["entered_at"].as_str().unwrap();
        assert_eq!(entry, json!({ "profile_id": id, "email": "ann@shop.test", "entered_at": at }));
    }
    assert_eq!(server.items("/_/altcraft/profiles").await.len(), 1);
}

#[tokio::test]
async fn takes_the_database_from_the_scenario_when_none_is_given() {
    let server = Server::start().await;
    let body = json!({ "workflow_id": 14, "matching": "phone", "phone": "1", "data": {} });
    assert_eq!(server.call("workflows/import_and_start", body).await["error"], 0);

    assert_eq!(server.items("/_/altcraft/profiles?db_id=8").await.len(), 1);
    assert_eq!(server.items("/_/altcraft/workflows/14/entries").await[0]["email"], Value::Null);
}

#[tokio::test]
async fn imports_nothing_when_the_scenario_can_not_start() {
    let server = Server::start().await;
    let with_id_only = json!({ "db_id": 7, "id": 12, "email": "a@b", "data": {} });
    let cases = [
        (launch(&json!(99)), 404),
        (launch(&json!(13)), 400),
        (launch(&json!(14)), 400),
        (launch(&json!("twelve")), 400),
        (with_id_only, 400),
        (json!({ "db_id": 9, "workflow_id": 12, "email": "a@b", "data": {} }), 404),
        (json!({ "db_id": 7, "workflow_id": 12, "email": "none", "data": {} }), 400),
    ];
    for (body, expected) in cases {
        let answer = server.call("workflows/import_and_start", body.clone()).await;
        assert_eq!(answer["error"], expected, "{body}");
        assert!(answer["error_text"].as_str().is_some_and(|text| !text.is_empty()));
    }
    assert_eq!(server.items("/_/altcraft/profiles").await, Vec::<Value>::new());
    assert_eq!(server.items("/_/altcraft/workflows/12/entries").await, Vec::<Value>::new());
}
