//! What becomes an event, and which.

use std::time::Duration;

use axum::{body::Body, http::StatusCode};
use patchbay_proto::event::v1::TriggerFired;
use serde_json::{Value, json};

use crate::{
    house::{House, PATIENCE, hook, json},
    peers::WORKSPACE,
};

fn meta(event: &TriggerFired) -> Value {
    serde_json::from_slice(&event.meta).unwrap()
}

#[tokio::test]
async fn an_event_carries_the_body_as_it_was_given() {
    let house = House::new().await;
    let (source, token) = house.peers.publish("{}");
    let body = "{ \"b\" : 1.50,\n \"a\":[\"\\u00e9\"]}";
    let before = house.ground.clock.now();
    let event = house.event(&token, body).await;
    assert_eq!((event.workspace_id, event.source_id.as_ref()), (WORKSPACE, source.as_bytes().as_slice()));
    assert_eq!(event.payload, body);
    assert_eq!(event.dedupe_window, i64::try_from(Duration::from_mins(10).as_micros()).unwrap());
    assert!((before.as_micros()..=house.ground.clock.now().as_micros()).contains(&event.accepted_at));
}

#[tokio::test]
async fn equal_content_is_the_same_event_whatever_its_spelling() {
    let house = House::new().await;
    let (_, token) = house.peers.publish("{}");
    let first = house.event(&token, r#"{"a":1,"b":{"c":"é","d":[]}}"#).await.event_id;
    for body in [r#"{"a":1,"b":{"c":"é","d":[]}}"#, "\u{feff}{ \"b\": {\"d\":[ ],\n\"c\":\"\\u00e9\"}, \"a\":1}"] {
        assert_eq!(house.event(&token, body).await.event_id, first, "{body}");
    }
    let (_, other) = house.peers.publish("{}");
    assert_ne!(house.event(&token, r#"{"a":2}"#).await.event_id, first);
    assert_ne!(house.event(&other, r#"{"a":1,"b":{"c":"é","d":[]}}"#).await.event_id, first);
}

#[tokio::test]
async fn a_header_names_the_event() {
    let house = House::new().await;
    let (_, token) = house.peers.publish(r#"{"dedupe":"auto"}"#);
    for name in ["Webhook-Id", "X-Event-Id", "Idempotency-Key"] {
        let answer = house.send(json(&token).header(name, "evt_1").body(Body::from("{}")).unwrap()).await;
        assert_eq!(answer.status, StatusCode::OK);
        let event = house.fired().await;
        assert_eq!((event.event_id.as_str(), event.dedupe_window), ("evt_1", 0));
    }
}

#[tokio::test]
async fn a_source_may_take_every_request_for_an_event_of_its_own() {
    let house = House::new().await;
    let (_, token) = house.peers.publish(r#"{"dedupe":"off"}"#);
    assert_ne!(house.event(&token, "{}").await.event_id, house.event(&token, "{}").await.event_id);
}

#[tokio::test]
async fn a_source_may_say_by_an_expression_what_the_same_event_is() {
    let house = House::new().await;
    let (source, token) = house.peers.publish(r#"{"dedupe":"trigger.order.id ~ '/' ~ trigger_meta.query.shop"}"#);
    let request = hook(&format!("{token}?shop=berlin")).header("content-type", "application/json");
    let answer = house.send(request.body(Body::from(r#"{"order":{"id":17}}"#)).unwrap()).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(house.fired().await.event_id, "17/berlin");

    house.peers.change(source, r#"{"dedupe":"trigger.id"}"#, false);
    let follows = async {
        while house.event(&token, r#"{"id":"x","order":{"id":1}}"#).await.event_id != "x" {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, follows).await.unwrap();
}

#[tokio::test]
async fn a_form_is_a_flat_object() {
    let house = House::new().await;
    let (_, token) = house.peers.publish("{}");
    let request = hook(&token).header("content-type", "application/x-www-form-urlencoded; charset=utf-8");
    let answer = house.send(request.body(Body::from("email=a%40b.c&tag=x&tag=y+z&tag=")).unwrap()).await;
    assert_eq!(answer.status, StatusCode::OK);
    let form = house.fired().await;
    let payload: Value = serde_json::from_slice(&form.payload).unwrap();
    assert_eq!(payload, json!({"email": "a@b.c", "tag": ["x", "y z", ""]}));
    let same = house.event(&token, r#"{"tag":["x","y z",""],"email":"a@b.c"}"#).await;
    assert_eq!(same.event_id, form.event_id);
}

#[tokio::test]
async fn a_body_without_content_type_may_be_json() {
    let house = House::new().await;
    let (_, token) = house.peers.publish("{}");
    assert_eq!(house.send(hook(&token).body(Body::from("[1]")).unwrap()).await.status, StatusCode::OK);
    assert_eq!(house.fired().await.payload, "[1]");
}

#[tokio::test]
async fn odd_but_valid_texts_are_made_harmless() {
    let house = House::new().await;
    let (_, token) = house.peers.publish("{}");
    let bodies = [
        (r#"["\u0000"]"#, r#"["\u0000"]"#),
        (r#"["\ud800"]"#, r#"["\ufffd"]"#),
        ("[1e999,123456789012345678901234567890]", r#"["1e999","123456789012345678901234567890"]"#),
        ("\"text\"", "\"text\""),
        ("null", "null"),
    ];
    for (body, payload) in bodies {
        assert_eq!(house.event(&token, body).await.payload, payload);
    }
}

#[tokio::test]
async fn a_large_body_is_taken() {
    let house = House::new().await;
    let (_, token) = house.peers.publish("{}");
    let body = format!("[\"{}\"]", "x".repeat(3 * 1024 * 1024));
    assert_eq!(house.event(&token, &body).await.payload, body);
}

#[tokio::test]
async fn no_credential_is_kept() {
    let house = House::new().await;
    let (_, token) = house.peers.publish("{}");
    let request = json(&token)
        .header("Authorization", "Bearer s3cr3t")
        .header("Cookie", "s3cr3t")
        .header("Proxy-Authorization", "s3cr3t")
        .header("X-Hub-Signature-256", "s3cr3t")
        .header("Stripe-Signature", "s3cr3t")
        .header("User-Agent", "shop/1");
    house.send(request.body(Body::from("{}")).unwrap()).await;
    let event = house.fired().await;
    let headers = json!({"content-type": "application/json", "user-agent": "shop/1"});
    assert_eq!(meta(&event)["headers"], headers);
    assert!(!String::from_utf8_lossy(&event.meta).contains("s3cr3t"));
    assert!(!String::from_utf8_lossy(&event.meta).contains(&token));
}

#[tokio::test]
async fn a_source_is_known_at_once_when_it_is_published() {
    let house = House::new().await;
    let (_, first) = house.peers.publish("{}");
    house.event(&first, "{}").await;
    for _ in 0..3 {
        let (_, token) = house.peers.publish("{}");
        house.event(&token, "{}").await;
    }
}

#[tokio::test]
async fn sources_are_learned_anew_when_the_revision_goes_back() {
    let house = House::new().await;
    let (_, lost) = house.peers.publish("{}");
    house.event(&lost, "{}").await;
    house.peers.publish("{}");
    let (_, token) = house.peers.publish("{}");
    house.event(&token, "{}").await;
    house.peers.forget();
    let (_, token) = house.peers.publish("{}");
    house.event(&token, "{}").await;
    assert_eq!(house.post(&lost, "{}").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn what_was_accepted_is_counted() {
    let house = House::new().await;
    let (_, token) = house.peers.publish("{}");
    house.event(&token, r#"{"a":1}"#).await;
    house.post(&token, "{").await;
    let text = house.ground.metrics.render();
    for line in [
        "patchbay_ingress_events_accepted_total 1",
        "patchbay_ingress_bytes_accepted_total 7",
        "patchbay_ingress_events_refused_total{code=\"invalid_argument\"} 1",
    ] {
        assert!(text.contains(line), "{text}");
    }
}
