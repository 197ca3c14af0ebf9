//! Triggers of partners: who may fire them, and what is fired.

use std::time::Duration;

use axum::{body::Body, http::StatusCode};
use hmac::{Hmac, Mac};
use patchbay_proto::event::v1::TriggerFired;
use patchbay_runtime::Clock;
use patchbay_webhook_ingress::Config;
use serde_json::{Value, json};
use sha2::Sha256;

use crate::{
    house::{Answer, House, PATIENCE, hook},
    peers::{OTHER_WORKSPACE, WORKSPACE},
};

const CONNECTION: i64 = 4;
const ORDERS: &str = "shop.order_changed";
const BERLIN: &str = r#"{"city":"berlin"}"#;

fn proof(secret: &str, time: &str, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(format!("{time}.{body}").as_bytes());
    let hex: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256={hex}")
}

fn time(house: &House, before: Duration) -> String {
    (house.ground.clock.now().as_micros() / 1_000_000 - i64::try_from(before.as_secs()).unwrap()).to_string()
}

/// A house with a connection, and a source of the signed trigger with its token.
async fn house() -> (House, String) {
    let house = House::new().await;
    house.peers.connect(CONNECTION, WORKSPACE, "s3cr3t");
    let (_, token) = house.peers.publish_of(ORDERS, CONNECTION, BERLIN);
    (house, token)
}

async fn signed(house: &House, token: &str, secret: &str, body: &str) -> Answer {
    let time = time(house, Duration::ZERO);
    let request = hook(token).header("content-type", "application/json").header("x-shop-time", &time);
    let request = request.header("x-shop-proof", proof(secret, &time, body));
    house.send(request.body(Body::from(body.to_owned())).unwrap()).await
}

/// Sends what is signed until it is answered so.
async fn until(house: &House, token: &str, secret: &str, status: StatusCode) -> Answer {
    let wait = async {
        loop {
            let answer = signed(house, token, secret, &orders(&[json!({"city": "berlin"})])).await;
            if answer.status == status {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.unwrap()
}

fn orders(orders: &[Value]) -> String {
    json!({ "orders": orders }).to_string()
}

fn payload(event: &TriggerFired) -> Value {
    serde_json::from_slice(&event.payload).unwrap()
}

#[track_caller]
fn assert_unauthenticated(answer: &Answer, told: &str) {
    assert_eq!((answer.status, answer.code().as_str()), (StatusCode::UNAUTHORIZED, "unauthenticated"));
    assert!(answer.body.contains(told), "{}", answer.body);
    assert!(!answer.body.contains("s3cr3t"), "{}", answer.body);
}

#[tokio::test]
async fn a_signed_request_fires_its_items() {
    let (house, token) = house().await;
    let items = [
        json!({"event": "e-1", "city": "berlin", "sum": 10}),
        json!({"event": "e-2", "city": "paris"}),
        json!({"event": 3, "city": "berlin", "note": "{{ 7*7 }} \u{1f600}"}),
    ];
    let answer = signed(&house, &token, "s3cr3t", &orders(&items)).await;
    assert_eq!((answer.status, answer.body.as_str()), (StatusCode::ACCEPTED, "taken"));
    let (first, second) = (house.fired().await, house.fired().await);
    assert_eq!((first.event_id.as_str(), second.event_id.as_str()), ("e-1", "3"));
    assert_eq!((first.dedupe_window, second.dedupe_window), (0, 0));
    assert_eq!((payload(&first), payload(&second)), (items[0].clone(), items[2].clone()));
    assert_eq!((first.workspace_id, house.waiting()), (WORKSPACE, 0));
    let text = house.ground.metrics.render();
    assert!(text.contains("patchbay_ingress_events_accepted_total 2"), "{text}");
}

#[tokio::test]
async fn equal_items_of_a_request_are_events_of_their_own_and_the_same_when_sent_again() {
    let (house, token) = house().await;
    let (one, other) = (json!({"city": "berlin", "a": 1}), json!({"city": "berlin", "a": 2}));
    let body = orders(&[one.clone(), other, one]);
    let mut sent = Vec::new();
    for _ in 0..2 {
        assert_eq!(signed(&house, &token, "s3cr3t", &body).await.status, StatusCode::ACCEPTED);
        let events = [house.fired().await, house.fired().await, house.fired().await];
        assert!(events.iter().all(|event| event.dedupe_window == 600_000_000));
        sent.push(events.map(|event| event.event_id));
    }
    assert_eq!(sent[0], sent[1]);
    assert_eq!(std::collections::BTreeSet::from(sent[0].clone()).len(), 3);
}

#[tokio::test]
async fn what_the_trigger_does_not_want_is_taken_and_counted() {
    let (house, token) = house().await;
    for body in [orders(&[json!({"city": "paris"})]), orders(&[]), "{}".to_owned()] {
        let answer = signed(&house, &token, "s3cr3t", &body).await;
        assert_eq!((answer.status, answer.body.as_str()), (StatusCode::ACCEPTED, "taken"));
    }
    assert_eq!(house.waiting(), 0);
    let text = house.ground.metrics.render();
    assert!(text.contains("patchbay_ingress_requests_unwanted_total 3"), "{text}");
}

#[tokio::test]
async fn what_is_not_signed_as_it_must_be_is_refused() {
    let (house, token) = house().await;
    house.peers.connect(CONNECTION + 1, WORKSPACE, "another");
    let body = orders(&[json!({"city": "berlin"})]);
    assert_unauthenticated(&signed(&house, &token, "another", &body).await, "x-shop-proof");

    let now = time(&house, Duration::ZERO);
    let old = time(&house, Duration::from_secs(301));
    let (good, late) = (proof("s3cr3t", &now, &body), proof("s3cr3t", &old, &body));
    let cases: [(&[(&str, &str)], &str); 6] = [
        (&[("x-shop-time", &now)], "x-shop-proof"),
        (&[("x-shop-proof", &good)], "x-shop-time"),
        (&[("x-shop-time", "soon"), ("x-shop-proof", &proof("s3cr3t", "soon", &body))], "x-shop-time"),
        (&[("x-shop-time", &old), ("x-shop-proof", &late)], "ago"),
        (&[("x-shop-time", &old), ("x-shop-proof", &good)], "x-shop-proof"),
        (&[("x-shop-time", &now), ("x-shop-proof", &good[7..])], "x-shop-proof"),
    ];
    for (headers, told) in cases {
        let request = headers.iter().fold(hook(&token), |request, (name, value)| request.header(*name, *value));
        assert_unauthenticated(&house.send(request.body(Body::from(body.clone())).unwrap()).await, told);
    }
    let changed = hook(&token).header("x-shop-time", &now).header("x-shop-proof", &good);
    let changed = changed.body(Body::from(body.replace("berlin", "Berlin"))).unwrap();
    assert_unauthenticated(&house.send(changed).await, "x-shop-proof");
    assert_eq!(house.waiting(), 0);
    let text = house.ground.metrics.render();
    assert!(text.contains("patchbay_ingress_events_refused_total{code=\"unauthenticated\"} 8"), "{text}");
}

#[tokio::test]
async fn the_proof_is_not_kept() {
    let (house, token) = house().await;
    signed(&house, &token, "s3cr3t", &orders(&[json!({"city": "berlin"})])).await;
    let meta = String::from_utf8(house.fired().await.meta.to_vec()).unwrap();
    assert!(meta.contains("x-shop-time") && !meta.contains("x-shop-proof") && !meta.contains("sha256="), "{meta}");
}

#[tokio::test]
async fn a_credential_is_asked_for_once() {
    let (house, token) = house().await;
    let body = orders(&[json!({"city": "berlin"})]);
    for _ in 0..20 {
        assert_eq!(signed(&house, &token, "s3cr3t", &body).await.status, StatusCode::ACCEPTED);
    }
    assert_eq!(house.peers.issued(), 1);
    let began_at = house.ground.clock.since_boot();
    for _ in 0..20 {
        assert_eq!(signed(&house, &token, "wrong", &body).await.status, StatusCode::UNAUTHORIZED);
    }
    let seconds = (house.ground.clock.since_boot() - began_at).as_secs();
    assert!(house.peers.issued() <= 2 + seconds, "{} in {seconds} s", house.peers.issued());
}

#[tokio::test]
async fn a_credential_is_held_for_minutes_only() {
    let folder = tempfile::tempdir().unwrap();
    let mut ground = patchbay_testing::ground(folder.path()).await;
    ground.clock = Clock::adjustable();
    let clock = ground.clock.clone();
    let house = House::on(ground, folder, Config::default()).await;
    house.peers.connect(CONNECTION, WORKSPACE, "s3cr3t");
    let (_, token) = house.peers.publish_of(ORDERS, CONNECTION, BERLIN);
    let body = orders(&[json!({"city": "berlin"})]);
    for (seconds, secret, status, issued) in [
        (0, "s3cr3t", StatusCode::ACCEPTED, 1),
        (290, "s3cr3t", StatusCode::ACCEPTED, 1),
        (20, "s3cr3t", StatusCode::ACCEPTED, 2),
        (10, "wrong", StatusCode::UNAUTHORIZED, 3),
    ] {
        clock.advance(Duration::from_secs(seconds));
        assert_eq!(signed(&house, &token, secret, &body).await.status, status);
        assert_eq!(house.peers.issued(), issued);
    }
}

#[tokio::test]
async fn a_changed_secret_is_picked_up() {
    let (house, token) = house().await;
    until(&house, &token, "s3cr3t", StatusCode::ACCEPTED).await;
    house.peers.connect(CONNECTION, WORKSPACE, "n3w");
    until(&house, &token, "n3w", StatusCode::ACCEPTED).await;
    assert_unauthenticated(&until(&house, &token, "s3cr3t", StatusCode::UNAUTHORIZED).await, "x-shop-proof");
}

#[tokio::test]
async fn senders_are_asked_to_come_back_while_a_connection_cannot_be_used() {
    let (house, token) = house().await;
    until(&house, &token, "s3cr3t", StatusCode::ACCEPTED).await;
    house.peers.set_status(CONNECTION, "disconnected");
    let answer = until(&house, &token, "s3cr3t", StatusCode::SERVICE_UNAVAILABLE).await;
    assert_eq!((answer.code().as_str(), &answer.headers["retry-after"]), ("unavailable", &"1".parse().unwrap()));
    house.peers.set_status(CONNECTION, "active");
    until(&house, &token, "s3cr3t", StatusCode::ACCEPTED).await;
    house.peers.set_status(CONNECTION, "deleted");
    until(&house, &token, "s3cr3t", StatusCode::NOT_FOUND).await;
}

#[tokio::test]
async fn a_held_credential_serves_while_its_owner_is_away() {
    let (house, token) = house().await;
    until(&house, &token, "s3cr3t", StatusCode::ACCEPTED).await;
    house.peers.set_down(true);
    // Perhaps the secret has changed: until the owner is asked, nobody can say that the sender is wrong.
    until(&house, &token, "wrong", StatusCode::SERVICE_UNAVAILABLE).await;
    let body = orders(&[json!({"city": "berlin"})]);
    assert_eq!(signed(&house, &token, "s3cr3t", &body).await.status, StatusCode::ACCEPTED);
}

#[tokio::test]
async fn a_connection_of_another_workspace_verifies_nobody() {
    let (house, _) = house().await;
    house.peers.connect(CONNECTION + 1, OTHER_WORKSPACE, "theirs");
    for (operation, parameters) in [(ORDERS, BERLIN), ("shop.form_sent", "{}")] {
        let (_, token) = house.peers.publish_of(operation, CONNECTION + 1, parameters);
        assert_eq!(signed(&house, &token, "theirs", "{}").await.status, StatusCode::NOT_FOUND, "{operation}");
    }
    assert_eq!((house.waiting(), house.peers.issued()), (0, 0));
}

#[tokio::test]
async fn an_address_that_is_secret_may_be_all_the_proof() {
    let (house, _) = house().await;
    let (_, token) = house.peers.publish_of("shop.form_sent", CONNECTION, "{}");
    let request = hook(&token).header("content-type", "application/x-www-form-urlencoded");
    let answer = house.send(request.body(Body::from("form[name]=Ann&form[tags][]=a")).unwrap()).await;
    assert_eq!((answer.status, answer.body.as_str()), (StatusCode::OK, "OK"));
    assert_eq!(payload(&house.fired().await), json!({"form": {"name": "Ann", "tags": ["a"]}}));
    assert_eq!(house.peers.issued(), 0);
}

#[tokio::test]
async fn a_batch_has_so_many_items_and_no_more() {
    let (house, token) = house().await;
    let items = |count| vec![json!({"city": "paris"}); count];
    let answer = signed(&house, &token, "s3cr3t", &orders(&items(10_000))).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.body);
    let answer = signed(&house, &token, "s3cr3t", &orders(&items(10_001))).await;
    assert_eq!((answer.status, answer.code().as_str()), (StatusCode::PAYLOAD_TOO_LARGE, "too_large"));
    assert!(answer.body.contains("10000 items"), "{}", answer.body);
}

#[tokio::test]
async fn the_events_of_a_request_are_bounded_with_their_headers() {
    let (house, token) = house().await;
    let body = orders(&vec![json!({"city": "berlin"}); 10_000]);
    let time = time(&house, Duration::ZERO);
    let request = hook(&token).header("x-shop-time", &time).header("x-shop-proof", proof("s3cr3t", &time, &body));
    let request = request.header("x-padding", "x".repeat(8_000)).body(Body::from(body)).unwrap();
    let answer = house.send(request).await;
    assert_eq!((answer.status, answer.code().as_str()), (StatusCode::PAYLOAD_TOO_LARGE, "too_large"));
    assert_eq!(house.waiting(), 0);
}

#[tokio::test]
async fn a_signed_body_that_does_not_parse_is_refused() {
    let (house, token) = house().await;
    let answer = signed(&house, &token, "s3cr3t", "{\"orders\":[").await;
    assert_eq!((answer.status, answer.code().as_str()), (StatusCode::BAD_REQUEST, "invalid_argument"));
}

#[tokio::test]
async fn a_source_that_cannot_be_used_loses_nothing() {
    let (house, _) = house().await;
    for (operation, connection, parameters) in [
        ("shop.nothing", CONNECTION, "{}"),
        ("elsewhere.thing", CONNECTION, "{}"),
        (ORDERS, 0, BERLIN),
        (ORDERS, CONNECTION, "{}"),
        (ORDERS, CONNECTION, "nonsense"),
    ] {
        let (_, token) = house.peers.publish_of(operation, connection, parameters);
        let answer = signed(&house, &token, "s3cr3t", "{}").await;
        assert_eq!((answer.status, answer.code().as_str()), (StatusCode::SERVICE_UNAVAILABLE, "unavailable"));
        assert_eq!(answer.headers["retry-after"], "1");
    }
}
