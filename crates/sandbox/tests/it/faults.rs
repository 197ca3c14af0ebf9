use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Server, TOKEN};

const IMPORT: &str = "POST /api/v1.1/profiles/import";

fn import() -> Vec<u8> {
    json!({ "token": TOKEN, "db_id": 7, "email": "a@b", "data": {} }).to_string().into_bytes()
}

async fn profiles(server: &Server) -> usize {
    server.items("/_/altcraft/profiles").await.len()
}

#[tokio::test]
async fn answers_with_the_status_and_body_as_often_as_told() {
    let server = Server::start().await;
    let fault =
        json!({ "match": "POST /api/v1.1/profiles/import/", "status": 503, "body": "<h1>busy</h1>", "times": 2 });
    server.fault(&fault).await;

    let mut statuses = Vec::new();
    let mut left = Vec::new();
    for path in [IMPORT, "POST /api/v1.1/profiles/import/", IMPORT] {
        let reply = server.send(path, &[], &import()).await.unwrap();
        statuses.push((reply.status, reply.body.contains("busy")));
        left.push(server.items("/_/faults").await.first().map(|fault| fault["times"].clone()));
    }

    assert_eq!(statuses, [(503, true), (503, true), (200, false)]);
    assert_eq!(left, [Some(json!(1)), None, None]);
    assert_eq!(profiles(&server).await, 1);
}

#[tokio::test]
async fn lists_a_fault_as_it_was_given_and_keeps_it_until_it_is_cleared() {
    let server = Server::start().await;
    let fault = json!({
        "match": "POST /hook", "status": 429, "body": { "slow": "down" }, "headers": { "Retry-After": "7" },
    });
    server.fault(&fault).await;
    for _ in 0..3 {
        let reply = server.send("POST /hook", &[], b"").await.unwrap();
        assert_eq!((reply.status, reply.json()), (429, json!({ "slow": "down" })));
        assert!(reply.head.contains("retry-after: 7") && reply.head.contains("application/json"), "{}", reply.head);
    }

    let expected = json!({
        "id": 1, "match": "POST /hook", "status": 429, "body": { "slow": "down" }, "headers": { "Retry-After": "7" },
        "delay_ms": 0, "times": null, "close": false, "when": "before", "applied": 3,
    });
    assert_eq!(server.items("/_/faults").await, [expected]);
    assert_eq!(server.send("DELETE /_/faults", &[], b"").await.unwrap().status, 200);
    assert_eq!(server.items("/_/faults").await, Vec::<Value>::new());
    assert_eq!(server.send("POST /hook", &[], b"").await.unwrap().status, 404);
}

#[tokio::test]
async fn hits_only_its_method_and_path() {
    let server = Server::start().await;
    server.fault(&json!({ "match": "GET /api/v1.1/profiles/import", "status": 503 })).await;
    server.fault(&json!({ "match": "POST /api/v1.1/profiles", "status": 503 })).await;
    assert_eq!(server.send(IMPORT, &[], &import()).await.unwrap().status, 200);
}

#[tokio::test]
async fn shows_a_delayed_request_while_it_waits() {
    let server = Server::start().await;
    server.fault(&json!({ "match": IMPORT, "delay_ms": 600_000 })).await;
    let body = import();

    tokio::select! {
        _ = server.send(IMPORT, &[], &body) => panic!("answered without the delay"),
        () = server.received(1) => {}
    }

    assert_eq!(server.items("/_/requests").await[0]["status"], Value::Null);
    assert_eq!(profiles(&server).await, 0);
}

#[tokio::test]
async fn answers_truly_after_a_delay_alone() {
    let server = Server::start().await;
    server.fault(&json!({ "match": IMPORT, "delay_ms": 150 })).await;
    let started = tokio::time::Instant::now();
    let reply = server.send(IMPORT, &[], &import()).await.unwrap();

    assert_eq!((reply.status, &reply.json()["error"]), (200, &json!(0)));
    assert!(started.elapsed() >= Duration::from_millis(150));
    assert_eq!(profiles(&server).await, 1);
}

#[tokio::test]
async fn closes_the_connection_without_a_byte() {
    let server = Server::start().await;
    server.fault(&json!({ "match": IMPORT, "close": true, "times": 1 })).await;

    let lost = server.send(IMPORT, &[], &import()).await;
    assert_eq!((lost, profiles(&server).await), (None, 0));
    assert_eq!(server.items("/_/requests").await[0]["status"], Value::Null);
    assert_eq!(server.send(IMPORT, &[], &import()).await.unwrap().status, 200);
}

#[tokio::test]
async fn loses_or_replaces_the_answer_after_the_work_was_done() {
    let server = Server::start().await;
    server.fault(&json!({ "match": IMPORT, "close": true, "when": "after", "times": 1 })).await;
    let lost = server.send(IMPORT, &[], &import()).await;
    assert_eq!((lost, profiles(&server).await), (None, 1));

    let start = "POST /api/v1.1/workflows/import_and_start";
    server.fault(&json!({ "match": start, "status": 504, "when": "after" })).await;
    let body = json!({ "token": TOKEN, "workflow_id": 12, "email": "c@d", "data": {} }).to_string();
    let replaced = server.send(start, &[], body.as_bytes()).await.unwrap();
    assert_eq!((replaced.status, replaced.body.as_str()), (504, ""));
    assert_eq!(server.items("/_/altcraft/workflows/12/entries").await.len(), 1);
}

#[tokio::test]
async fn says_what_is_wrong_with_a_fault() {
    let server = Server::start().await;
    for (fault, hint) in [
        (r#"{"match":"/hook","status":503}"#, "method and a path"),
        (r#"{"match":"POST /hook"}"#, "does nothing"),
        (r#"{"match":"POST /hook","status":999}"#, "between 200 and 599"),
        (r#"{"match":"POST /hook","status":"x"}"#, "u16"),
        ("", "can't be read"),
    ] {
        let reply = server.send("POST /_/faults", &[], fault.as_bytes()).await.unwrap();
        assert_eq!(reply.status, 400, "{fault}");
        assert!(reply.json()["error"].as_str().unwrap().contains(hint), "{}", reply.body);
    }
    assert_eq!(server.items("/_/faults").await, Vec::<Value>::new());
}
