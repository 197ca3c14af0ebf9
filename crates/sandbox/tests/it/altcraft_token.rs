use serde_json::json;

use crate::support::{Server, TOKEN};

const LIST: &str = "POST /api/v1.1/databases/list";

#[tokio::test]
async fn takes_the_token_in_each_of_three_places() {
    let server = Server::start().await;
    let body = json!({ "token": TOKEN }).to_string();
    let bearer = format!("Bearer {TOKEN}");
    let url = format!("{LIST}?token={TOKEN}");

    let replies = [
        server.send(LIST, &[], body.as_bytes()).await.unwrap(),
        server.send(LIST, &[("Authorization", &bearer)], b"{}").await.unwrap(),
        server.send(&url, &[], b"").await.unwrap(),
    ];

    let errors = replies.map(|reply| (reply.status, reply.json()["error"].clone()));
    assert_eq!(errors, [(200, json!(0)), (200, json!(0)), (200, json!(0))]);
}

#[tokio::test]
async fn refuses_a_missing_or_unknown_token_with_status_200() {
    let server = Server::start().await;
    let basic = format!("Basic {TOKEN}");
    let url = format!("{LIST}?token=other");

    let replies = [
        server.send(LIST, &[], b"{}").await.unwrap(),
        server.send(LIST, &[], br#"{"token":"other"}"#).await.unwrap(),
        server.send(LIST, &[], br#"{"token":7}"#).await.unwrap(),
        server.send(LIST, &[("Authorization", "Bearer other")], b"{}").await.unwrap(),
        server.send(LIST, &[("Authorization", &basic)], b"{}").await.unwrap(),
        server.send(&url, &[], b"{}").await.unwrap(),
    ];

    for reply in replies {
        assert_eq!((reply.status, &reply.json()["error"]), (200, &json!(401)), "{}", reply.body);
        assert!(reply.json()["error_text"].is_string());
    }
}

#[tokio::test]
async fn refuses_what_is_no_json_object() {
    let server = Server::start().await;
    let bearer = format!("Bearer {TOKEN}");
    for body in ["{", "[]", "7", "<xml/>", r#"{"a":"\ud800"}"#] {
        let reply = server.send(LIST, &[("Authorization", &bearer)], body.as_bytes()).await.unwrap();
        assert_eq!((reply.status, &reply.json()["error"]), (200, &json!(400)), "{body}");
    }
}

#[tokio::test]
async fn answers_only_its_methods_and_only_to_post() {
    let server = Server::start().await;
    let unknown = server.send("POST /api/v1.1/profiles/teleport", &[], b"{}").await.unwrap();
    let get = server.send("GET /api/v1.1/databases/list", &[], b"").await.unwrap();
    let elsewhere = server.send("POST /elsewhere", &[], b"{}").await.unwrap();

    assert_eq!((unknown.status, &unknown.json()["error"]), (404, &json!(404)));
    assert_eq!((get.status, &get.json()["error"]), (405, &json!(405)));
    assert_eq!(elsewhere.status, 404);
}

#[tokio::test]
async fn refuses_a_body_of_more_than_ten_megabytes() {
    let server = Server::start().await;
    let declared = (10 * 1024 * 1024 + 1).to_string();
    let reply = server.send(LIST, &[("Content-Length", &declared)], b"").await.unwrap();
    assert_eq!((reply.status, &reply.json()["error"]), (413, &json!(413)));
}
