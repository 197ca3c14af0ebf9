use serde_json::{Value, json};

use crate::support::Server;

async fn entered(server: &Server, workflow: i64) -> Vec<Value> {
    let entries = server.items(&format!("/_/altcraft/workflows/{workflow}/entries")).await;
    entries.iter().map(|entry| entry["profile_id"].clone()).collect()
}

#[tokio::test]
async fn engages_a_profile_that_is_there() {
    let server = Server::start().await;
    let id = server.import(json!({ "email": "a@b", "data": {} })).await;
    let body = json!({
        "id": 12, "email": "a@b", "content": { "promo": "SPRING" }, "custom_data": { "src": "x" }, "attach": [],
    });
    let answer = server.call("workflows/start", body).await;
    assert_eq!(answer, json!({ "error": 0, "error_text": "Successful operation" }));
    assert_eq!(entered(&server, 12).await, [json!(id)]);
}

#[tokio::test]
async fn refuses_to_start_what_does_not_fit() {
    let server = Server::start().await;
    let id = server.import(json!({ "email": "a@b", "data": {} })).await;
    let cases = [
        (json!({ "workflow_id": 12, "email": "a@b" }), 400),
        (json!({ "id": 99, "email": "a@b" }), 404),
        (json!({ "id": 13, "email": "a@b" }), 400),
        (json!({ "id": 14, "matching": "profile_id", "profile_id": id }), 404),
        (json!({ "id": 14, "db_id": 7, "email": "a@b" }), 400),
        (json!({ "id": 12, "email": "c@d" }), 404),
        (json!({ "id": 12, "matching": "email_sub", "email": "a@b" }), 400),
        (json!({ "id": 12, "email": "a@b", "content": "SPRING" }), 400),
        (json!({ "id": 12, "email": "a@b", "custom_data": [] }), 400),
        (json!({ "id": 12, "email": "a@b", "attach": ["file"] }), 400),
        (json!({ "id": 12, "custom_request": "{}" }), 400),
    ];
    for (body, expected) in cases {
        assert_eq!(server.call("workflows/start", body.clone()).await["error"], expected, "{body}");
    }
    let inactive = server.call("workflows/start", json!({ "id": 13, "email": "a@b" })).await;
    assert!(inactive["error_text"].as_str().unwrap().contains("13"), "{inactive}");
    assert_eq!((entered(&server, 12).await, entered(&server, 14).await), (vec![], vec![]));
}

#[tokio::test]
async fn asks_for_the_subscription_unless_it_is_not_strict() {
    let server = Server::start().await;
    let data = json!({ "subscriptions": [{ "resource_id": 2, "email": "sub@b" }] });
    server.import(json!({ "email": "a@b", "data": data })).await;
    let start = |filter: Value| json!({ "id": 12, "email": "a@b", "subscription_filter": filter });
    let cases = [
        (json!({ "email": "sub@b" }), 0),
        (json!({ "email": "other@b" }), 400),
        (json!({ "email": "other@b", "not_strict": true }), 0),
        (json!({ "email": "sub@b", "resource_id": 5 }), 400),
        (json!("sub@b"), 400),
    ];
    for (filter, expected) in cases {
        assert_eq!(server.call("workflows/start", start(filter.clone())).await["error"], expected, "{filter}");
    }
}

#[tokio::test]
async fn imports_and_starts_wrapped_items() {
    let server = Server::start().await;
    let items = json!([
        { "data": { "email": "a@b", "phones": "+7900" } },
        { "email": "c@d", "data": {} },
        { "email": "flat@b", "_fname": "Ann" },
        { "data": { "email": "none" } },
    ]);
    let body = json!({ "db_id": 7, "workflow_id": 12, "skip_triggers": true, "data": items });
    let answer = server.call("workflows/import_and_start_batch", body).await;

    let results = answer["result"].as_array().unwrap();
    assert_eq!(results.iter().map(|result| result["error"].clone()).collect::<Vec<_>>(), [0, 0, 400, 400]);
    let expected = [results[0]["profile_id"].clone(), results[1]["profile_id"].clone()];
    assert_eq!(entered(&server, 12).await, expected);
    assert_eq!(server.items("/_/altcraft/profiles").await[0]["phones"], json!(["+7900"]));
}

#[tokio::test]
async fn takes_a_task_and_keeps_its_outcomes_to_itself() {
    let server = Server::start().await;
    let items = json!([{ "data": { "email": "a@b" } }, { "data": { "email": "none" } }]);
    let body = json!({ "workflow_id": 12, "data": items });
    let first = server.call("workflows/import_and_start_batch_task", body.clone()).await;
    let second = server.call("workflows/import_and_start_batch_task", body).await;

    let task = first["task_id"].clone();
    assert_eq!(first, json!({ "error": 0, "error_text": "Successful operation", "task_id": task }));
    assert_ne!(task, second["task_id"]);
    assert_eq!(entered(&server, 12).await.len(), 2);
}

#[tokio::test]
async fn refuses_batches_that_can_not_start() {
    let server = Server::start().await;
    let cases = [
        (json!({ "id": 12, "data": [] }), 400),
        (json!({ "workflow_id": 13, "data": [] }), 400),
        (json!({ "workflow_id": 99, "data": [] }), 404),
        (json!({ "workflow_id": 14, "db_id": 7, "data": [] }), 400),
        (json!({ "workflow_id": 12 }), 400),
        (json!({ "workflow_id": 12, "data": { "email": "a@b" } }), 400),
        (json!({ "workflow_id": 12, "data": vec![json!({}); 10_001] }), 400),
    ];
    for (body, expected) in cases {
        for method in ["workflows/import_and_start_batch", "workflows/import_and_start_batch_task"] {
            assert_eq!(server.call(method, body.clone()).await["error"], expected, "{:.80}", body.to_string());
        }
    }
}

#[tokio::test]
async fn activates_and_deactivates_scenarios_until_reset() {
    let server = Server::start().await;
    server.import(json!({ "email": "a@b", "data": {} })).await;
    let start = |id: i64| json!({ "id": id, "email": "a@b" });

    assert_eq!(server.call("workflows/activate", json!({ "id": 13 })).await["error"], 0);
    assert_eq!(server.call("workflows/deactivate", json!({ "id": 12 })).await["error"], 0);
    assert_eq!(server.call("workflows/start", start(13)).await["error"], 0);
    assert_eq!(server.call("workflows/start", start(12)).await["error"], 400);
    assert_eq!(server.call("workflows/activate", json!({ "id": 99 })).await["error"], 404);
    assert_eq!(server.call("workflows/deactivate", json!({ "workflow_id": 12 })).await["error"], 400);

    server.send("POST /_/reset", &[], b"").await.unwrap();
    let rows = server.call("workflows/list", json!({})).await["data"].clone();
    assert_eq!((&rows[0]["is_active"], &rows[1]["is_active"]), (&json!(true), &json!(false)));
}
