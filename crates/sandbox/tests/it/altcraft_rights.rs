#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

use serde_json::{Value, json};

use crate::support::Server;

const READ_ONLY: &str = "sandbox-altcraft-readonly";
const NO_DELETE: &str = "sandbox-altcraft-nodelete";

async fn error_for(server: &Server, token: &str, method: &str, mut body: Value) -> Value {
    body["token"] = json!(token);
    let request = format!("POST /api/v1.1/{method}");
    let reply = server.send(&request, &[], body.to_string().as_bytes()).await.unwrap();
    assert_eq!(reply.status, 200, "{}", reply.body);
    reply.json()["error"].clone()
}

#[tokio::test]
async fn lets_a_reading_token_list_and_nothing_else() {
    let server = Server::start().await;
    let id = server.import(json!({ "email": "a@b", "data": {} })).await;
    let allowed = [
        ("databases/list", json!({})),
        ("segments/list", json!({})),
        ("resources/list", json!({})),
        ("workflows/list", json!({})),
        ("campaigns/triggers/list", json!({})),
        ("profiles/list", json!({ "db_id": 7 })),
        ("profiles/get", json!({ "db_id": 7, "email": "a@b" })),
        ("subscriptions/list", json!({ "db_id": 7, "profile_id": id })),
    ];
    for (method, body) in allowed {
        assert_eq!(error_for(&server, READ_ONLY, method, body).await, 0, "{method}");
    }
    let refused = [
        "profiles/import",
        "profiles/import_batch",
        "profiles/update",
        "profiles/update_batch",
        "profiles/add",
        "profiles/add_batch",
        "profiles/delete",
        "profiles/segstatic/add",
        "profiles/segstatic/remove",
        "subscriptions/set",
        "goals/register",
        "workflows/start",
        "workflows/import_and_start",
        "workflows/import_and_start_batch",
        "workflows/import_and_start_batch_task",
        "workflows/activate",
        "workflows/deactivate",
        "campaigns/triggers/start",
        "campaigns/triggers/start_batch",
        "campaigns/triggers/start_batch_task",
        "campaigns/triggers/import_and_start",
        "campaigns/triggers/import_and_start_batch",
        "campaigns/triggers/import_and_start_batch_task",
    ];
    for method in refused {
        assert_eq!(error_for(&server, READ_ONLY, method, json!({})).await, 403, "{method}");
    }
}

#[tokio::test]
async fn lets_a_token_without_the_right_to_delete_do_all_but_that() {
    let server = Server::start().await;
    let person = json!({ "db_id": 7, "email": "a@b", "data": {} });
    assert_eq!(error_for(&server, NO_DELETE, "profiles/import", person.clone()).await, 0);
    let launch = json!({ "workflow_id": 12, "email": "a@b", "data": {} });
    assert_eq!(error_for(&server, NO_DELETE, "workflows/import_and_start", launch).await, 0);

    assert_eq!(error_for(&server, NO_DELETE, "profiles/delete", person).await, 403);
    assert_eq!(server.items("/_/altcraft/profiles").await.len(), 1);
}

#[tokio::test]
async fn asks_who_calls_before_what_is_wanted() {
    let server = Server::start().await;
    assert_eq!(error_for(&server, "other", "profiles/delete", json!({})).await, 401);
    assert_eq!(error_for(&server, READ_ONLY, "profiles/delete", json!({ "db_id": "seven" })).await, 403);
}
