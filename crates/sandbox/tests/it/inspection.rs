use serde_json::{Value, json};

use crate::support::{Server, TOKEN};

const LIST: &str = "POST /api/v1.1/databases/list";

async fn ids(server: &Server, path: &str) -> Vec<u64> {
    server.items(path).await.iter().map(|item| item["id"].as_u64().unwrap_or_default()).collect()
}

#[tokio::test]
async fn shows_a_request_without_its_credentials() {
    let server = Server::start().await;
    let headers = [
        ("Authorization", "Bearer sandbox-altcraft-token"),
        ("X-Api-Key", "sandbox-crm-key"),
        ("Cookie", "session=secret"),
        ("Idempotency-Key", "run-1/step-2"),
        ("X-Trace", "a"),
        ("X-Trace", "b"),
    ];
    let request = format!("{LIST}/?limit=1&token={TOKEN}");
    server.send(&request, &headers, br#"{"limit":1.0,"from_id":1}"#).await.unwrap();

    let items = server.items("/_/requests").await;
    let at = items[0]["at"].as_str().unwrap();
    assert!(at.len() == 27 && at.ends_with('Z'), "{at}");
    let expected = json!({
        "id": 1, "at": at, "partner": "altcraft", "method": "POST", "path": "/api/v1.1/databases/list/",
        "query": "limit=1&token=***",
        "headers": {
            "authorization": "***", "x-api-key": "***", "cookie": "***", "idempotency-key": "run-1/step-2",
            "x-trace": "a, b", "host": "sandbox", "connection": "close", "content-length": "25",
        },
        "body": { "limit": 1.0, "from_id": 1 }, "status": 200, "idempotency_key": "run-1/step-2",
    });
    assert_eq!(items, [expected]);
}

#[tokio::test]
async fn shows_bodies_that_are_no_json_as_text() {
    let server = Server::start().await;
    server.send("PUT /hook", &[], b"a=1&b=2").await.unwrap();
    server.send("GET /hook", &[], b"").await.unwrap();

    let shown: Vec<Value> = server
        .items("/_/requests")
        .await
        .iter()
        .map(|item| json!([item["partner"], item["method"], item["body"], item["status"], item["idempotency_key"]]))
        .collect();
    let expected = [json!(["unknown", "PUT", "a=1&b=2", 404, null]), json!(["unknown", "GET", null, 404, null])];
    assert_eq!(shown, expected);
}

#[tokio::test]
async fn filters_by_partner_path_and_since() {
    let server = Server::start().await;
    for request in [LIST, "POST /hook", "POST /api/v1.1/databases/list/"] {
        server.send(request, &[], b"{}").await.unwrap();
    }
    let second = server.items("/_/requests").await[1]["at"].as_str().unwrap().to_owned();

    assert_eq!(ids(&server, "/_/requests").await, [1, 2, 3]);
    assert_eq!(ids(&server, "/_/requests?partner=altcraft&path=&since=").await, [1, 3]);
    assert_eq!(ids(&server, "/_/requests?partner=crm").await, Vec::<u64>::new());
    assert_eq!(ids(&server, "/_/requests?path=/api/v1.1/databases/list").await, [1, 3]);
    assert_eq!(ids(&server, "/_/requests?since=1").await, [2, 3]);
    assert_eq!(ids(&server, "/_/requests?partner=altcraft&since=1").await, [3]);
    assert!(ids(&server, &format!("/_/requests?since={second}")).await.ends_with(&[2, 3]));
    assert_eq!(server.send("GET /_/requests?since=noon", &[], b"").await.unwrap().status, 400);
}

#[tokio::test]
async fn refuses_questions_about_what_is_not_there() {
    let server = Server::start().await;
    let mut statuses = Vec::new();
    for path in ["/_/altcraft/workflows/99/entries", "/_/altcraft/workflows/x/entries", "/_/nothing"] {
        statuses.push(server.send(&format!("GET {path}"), &[], b"").await.unwrap().status);
    }
    for path in ["/_/altcraft/triggers/99/launches", "/_/altcraft/segments/x/members", "/_/altcraft/nothing"] {
        statuses.push(server.send(&format!("GET {path}"), &[], b"").await.unwrap().status);
    }
    statuses.push(server.send("GET /_/altcraft/profiles?db_id=x", &[], b"").await.unwrap().status);
    assert_eq!(statuses, [404, 404, 404, 404, 404, 404, 400]);
}

#[tokio::test]
async fn does_not_record_its_own_paths() {
    let server = Server::start().await;
    assert_eq!(server.get("/_/healthz").await, json!({ "status": "ok" }));
    assert_eq!(server.items("/_/requests").await, Vec::<Value>::new());
}

#[tokio::test]
async fn forgets_everything_on_reset_but_gives_no_id_twice() {
    let server = Server::start().await;
    let body = json!({ "db_id": 7, "workflow_id": 12, "email": "a@b", "data": {} });
    let before = server.call("workflows/import_and_start", body.clone()).await;
    server.fault(&json!({ "match": "GET /hook", "status": 503 })).await;

    assert_eq!(server.send("POST /_/reset", &[], b"").await.unwrap().status, 200);
    for path in ["requests", "faults", "altcraft/profiles", "altcraft/workflows/12/entries"] {
        assert_eq!(server.items(&format!("/_/{path}")).await, Vec::<Value>::new(), "{path}");
    }
    let after = server.call("workflows/import_and_start", body).await;
    assert_ne!(before["profile_id"], after["profile_id"]);
    assert_eq!(ids(&server, "/_/requests").await, [2]);
}
