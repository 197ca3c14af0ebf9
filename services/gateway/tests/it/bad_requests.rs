//! What is refused, and how it is said.

use axum::{
    body::Body,
    http::{Request, StatusCode},
};
use patchbay_types::fault::{Code, Fault};
use serde_json::{Value, json};

use crate::house::{House, request};

const ID: &str = "01010101-0101-0101-0101-010101010101";

#[tokio::test]
async fn unknown_paths_and_methods_are_problems() {
    let house = House::new().await;
    for path in ["/v1/nothing", "/v1/automations/", "/v2", &format!("/v1/automations/{ID}/explode")] {
        assert_eq!(house.get(path).await.problem(), (404, "not_found".to_owned()), "{path}");
    }
    for (method, path) in [("DELETE", "/v1/runs"), ("PUT", "/v1/connections/1"), ("GET", "/user/auth")] {
        let answer = house.call(method, path, Value::Null).await;
        assert_eq!(answer.problem(), (405, "method_not_allowed".to_owned()), "{method} {path}");
        assert!(answer.headers.contains_key("allow"));
    }
}

#[tokio::test]
async fn bad_ids_cursors_limits_and_filters_are_refused() {
    let house = House::new().await;
    let foreign = house.get("/v1/runs").await.json()["next_cursor"].as_str().unwrap().to_owned();
    house.peers.asked();
    let paths = [
        "/v1/automations/x".to_owned(),
        "/v1/automations/%ff".to_owned(),
        "/v1/connections/0".to_owned(),
        "/v1/connections/-1".to_owned(),
        "/v1/connections/99999999999999999999".to_owned(),
        "/v1/runs/5".to_owned(),
        "/v1/runs?limit=0".to_owned(),
        "/v1/runs?limit=many".to_owned(),
        "/v1/runs?cursor=x".to_owned(),
        "/v1/runs?status=odd".to_owned(),
        "/v1/runs?automation_id=5".to_owned(),
        "/v1/runs?connection_id=x".to_owned(),
        format!("/v1/automations?cursor={foreign}"),
        format!("/v1/connections?cursor={foreign}"),
        format!("/v1/dead-letters?cursor={foreign}"),
    ];
    for path in paths {
        let answer = house.get(&path).await;
        assert_eq!(answer.problem(), (400, "invalid_argument".to_owned()), "{path}");
        assert!(answer.json()["field"].is_string(), "{path}");
    }
    assert_eq!(house.peers.asked(), []);
}

#[tokio::test]
async fn bodies_that_cannot_be_used_are_refused_with_the_place() {
    let house = House::new().await;
    let bodies = [
        ("POST", "/v1/automations", "{\n \"name\": }"),
        ("POST", "/v1/automations", ""),
        ("POST", "/v1/automations", "[1]"),
        ("POST", "/v1/connections", r#"{"title":"x"}"#),
        ("POST", "/v1/connections", r#"{"partner":"altcraft","colour":"red"}"#),
        ("POST", "/v1/connections", r#"{"partner":"altcraft","fields":[]}"#),
        ("PATCH", "/v1/connections/1", r#"{"partner":"altcraft"}"#),
    ];
    for (method, path, body) in bodies {
        let answer = house.send(request(method, path, &house.token, body)).await;
        assert_eq!(answer.problem(), (400, "invalid_argument".to_owned()), "{body}");
        assert!(answer.text.contains(" line "), "{}", answer.text);
    }
    let budget = json!({"partner": "altcraft", "budget": {"concurrency": -1}});
    assert_eq!(house.call("POST", "/v1/connections", budget).await.problem().0, 400);
    assert_eq!(house.peers.asked(), []);
}

#[tokio::test]
async fn other_media_types_and_large_bodies_are_refused() {
    let house = House::new().await;
    let plain = Request::post("/v1/automations")
        .header("authorization", format!("Bearer {}", house.token))
        .header("content-type", "text/plain")
        .body(Body::from("{}"))
        .unwrap();
    assert_eq!(house.send(plain).await.problem(), (415, "unsupported_media".to_owned()));
    let large = json!({"name": "x".repeat(1024 * 1024)});
    assert_eq!(house.call("POST", "/v1/automations", large).await.problem(), (413, "too_large".to_owned()));
    assert_eq!(house.peers.asked(), []);
}

#[tokio::test]
async fn a_peer_s_fault_is_the_caller_s_answer() {
    let house = House::new().await;
    for code in Code::ALL {
        house.peers.fail(Some(Fault::new(code, "it went wrong").with_field("steps[0].key")));
        let answer = house.get(&format!("/v1/automations/{ID}")).await;
        assert_eq!(answer.problem(), (code.http(), code.name().to_owned()));
        let problem = answer.json();
        assert_eq!((&problem["detail"], &problem["field"]), (&json!("it went wrong"), &json!("steps[0].key")));
    }
    house.peers.fail(None);
    assert_eq!(house.get("/v1/workspace").await.status, StatusCode::OK);
}
