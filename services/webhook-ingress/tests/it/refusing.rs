//! What is refused, and how it is said. Nothing of it reaches the broker.

use std::sync::Arc;

use axum::{
    body::Body,
    http::{Request, StatusCode},
};
use patchbay_runtime::DataDirectory;
use patchbay_service::hook_token::{self, HookKey};
use patchbay_types::SourceId;
use patchbay_webhook_ingress::Config;

use crate::{
    house::{House, hook, json},
    peers::hook_key,
};

#[tokio::test]
async fn tokens_that_we_did_not_make_are_not_found() {
    let house = House::new().await;
    let (source, token) = house.peers.publish("{}");
    let foreign = hook_token::encode(&HookKey { generation: 1, key: vec![6; 32] }, source);
    let unknown = hook_token::encode(&hook_key(), SourceId::generate());
    for wrong in ["x", foreign.as_str(), unknown.as_str(), &token[1..], "%ff"] {
        let answer = house.post(wrong, "{}").await;
        assert_eq!((answer.status, answer.code().as_str()), (StatusCode::NOT_FOUND, "not_found"), "{wrong}");
    }
    assert_eq!(house.waiting(), 0);
}

#[tokio::test]
async fn a_deleted_source_is_not_found() {
    let house = House::new().await;
    let (source, token) = house.peers.publish("{}");
    house.event(&token, "{}").await;
    house.peers.change(source, "{}", true);
    let (_, other) = house.peers.publish("{}");
    house.event(&other, "{}").await;
    assert_eq!(house.post(&token, "{}").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_storm_of_unknown_tokens_asks_the_peer_seldom() {
    let house = Arc::new(House::new().await);
    let (_, token) = house.peers.publish("{}");
    house.event(&token, "{}").await;
    let before = house.peers.asked();
    let unknown = hook_token::encode(&hook_key(), SourceId::generate());
    let mut storm = tokio::task::JoinSet::new();
    for _ in 0..200 {
        let (house, unknown) = (Arc::clone(&house), unknown.clone());
        storm.spawn(async move { house.post(&unknown, "{}").await.status });
    }
    assert!(storm.join_all().await.iter().all(|status| *status == StatusCode::NOT_FOUND));
    assert!(house.peers.asked() - before < 20, "{}", house.peers.asked() - before);
}

#[tokio::test]
async fn an_unreachable_peer_is_no_reason_to_say_not_found() {
    let house = House::new().await;
    house.peers.set_down(true);
    let (_, token) = house.peers.publish("{}");
    let answer = house.post(&token, "{}").await;
    assert_eq!((answer.status, answer.code().as_str()), (StatusCode::SERVICE_UNAVAILABLE, "unavailable"));
    assert_eq!(answer.headers["retry-after"], "1");
    assert_eq!(house.checks[0].holds(), Err("connection: down".to_owned()));

    house.peers.set_down(false);
    house.event(&token, "{}").await;
    assert!(house.checks[0].holds().is_ok());
    house.peers.set_down(true);
    house.event(&token, "[]").await;
    let (_, later) = house.peers.publish("{}");
    assert_eq!(house.post(&later, "{}").await.status, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn other_methods_are_told_what_a_hook_takes() {
    let house = House::new().await;
    let (_, token) = house.peers.publish("{}");
    let answer = house.send(Request::get(format!("/hooks/{token}")).body(Body::empty()).unwrap()).await;
    assert_eq!((answer.status, answer.code().as_str()), (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed"));
    assert_eq!(answer.headers["allow"], "POST");
}

#[tokio::test]
async fn bodies_that_are_too_large_are_refused() {
    let config = Config { max_body_bytes: 100, ..Config::default() };
    let house = House::with(|ground| Arc::clone(&ground.broker), config).await;
    let (_, token) = house.peers.publish("{}");
    let fitting = format!("\"{}\"", "x".repeat(98));
    house.event(&token, &fitting).await;
    let announced = json(&token).header("content-length", "101").body(Body::empty()).unwrap();
    let answers = [house.post(&token, &format!("{fitting} ")).await, house.send(announced).await];
    for answer in answers {
        assert_eq!((answer.status, answer.code().as_str()), (StatusCode::PAYLOAD_TOO_LARGE, "too_large"));
    }
    assert_eq!(house.waiting(), 0);
}

#[tokio::test]
async fn unknown_media_types_are_refused() {
    let house = House::new().await;
    let (_, token) = house.peers.publish("{}");
    let mut answers = Vec::new();
    for kind in ["text/plain", "multipart/mixed; boundary=x"] {
        answers.push(house.send(hook(&token).header("content-type", kind).body(Body::from("{}")).unwrap()).await);
    }
    answers.push(house.send(hook(&token).body(Body::from("no JSON")).unwrap()).await);
    for answer in answers {
        assert_eq!((answer.status, answer.code().as_str()), (StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media"));
    }
    assert_eq!(house.waiting(), 0);
}

#[tokio::test]
async fn bodies_that_do_not_parse_are_refused_with_the_place() {
    let house = House::new().await;
    let (_, token) = house.peers.publish("{}");
    let deep = "[".repeat(10_000) + &"]".repeat(10_000);
    for body in ["", "{", "{\"a\":\n  nul}", "{} {}", "[1,]", "[01]", "[1e]", deep.as_str()] {
        let answer = house.post(&token, body).await;
        assert_eq!((answer.status, answer.code().as_str()), (StatusCode::BAD_REQUEST, "invalid_argument"), "{body}");
        assert!(answer.body.contains("line 1") || answer.body.contains("line 2"), "{}", answer.body);
        // The id given in a header spares the digest, not the check.
        let named = json(&token).header("webhook-id", "evt").body(Body::from(body.to_owned())).unwrap();
        assert_eq!(house.send(named).await.status, StatusCode::BAD_REQUEST, "{body}");
    }
    let broken = json(&token).header("webhook-id", "evt").body(Body::from(b"\"\xff\"".to_vec())).unwrap();
    assert_eq!(house.send(broken).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(house.waiting(), 0);
}

#[tokio::test]
async fn event_ids_must_be_short_and_visible() {
    let house = House::new().await;
    let (_, token) = house.peers.publish("{}");
    for id in ["", "é", &"x".repeat(201)] {
        let answer = house.send(json(&token).header("x-event-id", id).body(Body::from("{}")).unwrap()).await;
        assert_eq!((answer.status, answer.code().as_str()), (StatusCode::BAD_REQUEST, "invalid_argument"), "{id}");
    }
}

#[tokio::test]
async fn a_rule_of_sameness_that_gives_nothing_is_refused_with_the_reason() {
    let house = House::new().await;
    for (parameters, reason) in [
        (r#"{"dedupe":"trigger.id"}"#, "missing or empty"),
        (r#"{"dedupe":"trigger.id ~ ("}"#, "not an expression"),
        (r#"{"dedupe":5}"#, "must be auto, off or an expression"),
        ("nonsense", "not JSON"),
    ] {
        let (_, token) = house.peers.publish(parameters);
        let answer = house.post(&token, "{}").await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{parameters}");
        assert!(answer.body.contains(reason), "{}", answer.body);
    }
    assert_eq!(house.waiting(), 0);
}

#[tokio::test]
async fn a_spent_reserve_lets_nothing_in() {
    let folder = tempfile::tempdir().unwrap();
    let directory = DataDirectory::open(&folder.path().join("data"), 4096).unwrap();
    let mut ground = patchbay_testing::ground(folder.path()).await;
    ground.reserve = Some(directory.reserve().clone());
    let house = House::on(ground, folder, Config::default()).await;
    let (_, token) = house.peers.publish("{}");
    house.event(&token, "{}").await;
    directory.reserve().spend();
    let answer = house.post(&token, "{}").await;
    assert_eq!((answer.status, answer.code().as_str()), (StatusCode::INSUFFICIENT_STORAGE, "storage_full"));
    assert!(directory.reserve().restore());
    house.event(&token, "{}").await;
}
