//! A POST that is sent again.

use std::{sync::Arc, time::Duration};

use axum::http::StatusCode;
use patchbay_gateway::users;
use patchbay_types::fault::{Code, Fault};
use serde_json::json;
use tokio::task::JoinSet;

use crate::house::{Answer, House, PASSWORD, PATIENCE, request};

async fn post(house: &House, token: &str, key: &str, title: &str) -> Answer {
    let body = json!({"partner": "altcraft", "title": title}).to_string();
    let mut request = request("POST", "/v1/connections", token, body);
    request.headers_mut().insert("idempotency-key", key.parse().unwrap());
    house.send(request).await
}

async fn create(house: &House, key: &str, title: &str) -> Answer {
    post(house, &house.token, key, title).await
}

#[tokio::test]
async fn the_same_request_gets_the_first_answer() {
    let house = House::new().await;
    let first = create(&house, "key", "A").await;
    assert_eq!(first.status, StatusCode::CREATED);
    let second = create(&house, "key", "A").await;
    assert_eq!((second.status, &second.text), (first.status, &first.text));
    assert_eq!(second.headers["content-type"], first.headers["content-type"]);
    assert_eq!(house.peers.asked().len(), 1);
    create(&house, "other", "A").await;
    assert_eq!(house.peers.asked().len(), 1);
}

#[tokio::test]
async fn a_key_is_bound_to_its_body() {
    let house = House::new().await;
    create(&house, "key", "A").await;
    assert_eq!(create(&house, "key", "B").await.problem(), (409, "conflict".to_owned()));
    assert_eq!(house.peers.asked().len(), 1);
}

#[tokio::test]
async fn keys_of_other_workspaces_and_routes_are_other_keys() {
    let house = House::new().await;
    create(&house, "key", "A").await;
    let (engine, clock) = (&house.ground.engine, &house.ground.clock);
    users::create(engine, clock, "boris@example.com", PASSWORD).await.unwrap();
    let token = users::create_token(engine, clock, "boris@example.com").await.unwrap();
    assert_eq!(post(&house, &token, "key", "B").await.status, StatusCode::CREATED);
    let mut elsewhere = request("POST", "/v1/automations", &house.token, "{}");
    elsewhere.headers_mut().insert("idempotency-key", "key".parse().unwrap());
    assert_eq!(house.send(elsewhere).await.status, StatusCode::CREATED);
    assert_eq!(house.peers.asked().len(), 3);
}

#[tokio::test]
async fn refusals_are_kept_and_outages_are_not() {
    let house = House::new().await;
    house.peers.fail(Some(Fault::invalid("no such partner")));
    let refused = create(&house, "refused", "A").await;
    house.peers.fail(Some(Fault::new(Code::Unavailable, "down")));
    assert_eq!(create(&house, "outage", "A").await.problem().0, 503);
    house.peers.fail(None);
    let again = create(&house, "refused", "A").await;
    assert_eq!((again.problem(), again.text), (refused.problem(), refused.text));
    assert_eq!(create(&house, "outage", "A").await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn a_duplicate_meanwhile_is_told_to_try_again() {
    let house = Arc::new(House::new().await);
    house.peers.hold();
    let mut first = JoinSet::new();
    let asking = Arc::clone(&house);
    first.spawn(async move { create(&asking, "key", "A").await });
    tokio::time::timeout(PATIENCE, house.peers.held()).await.unwrap();
    let duplicate = create(&house, "key", "A").await;
    assert_eq!(duplicate.problem(), (409, "conflict".to_owned()));
    assert_eq!(duplicate.headers["retry-after"], "1");
    house.peers.let_go();
    let answers = first.join_all().await;
    assert_eq!(answers[0].status, StatusCode::CREATED);
    assert_eq!(create(&house, "key", "A").await.text, answers[0].text);
}

#[tokio::test]
async fn a_request_is_finished_when_its_caller_goes_away() {
    let house = Arc::new(House::new().await);
    house.peers.hold();
    let mut first = JoinSet::new();
    let asking = Arc::clone(&house);
    first.spawn(async move { create(&asking, "key", "A").await });
    tokio::time::timeout(PATIENCE, house.peers.held()).await.unwrap();
    first.shutdown().await;
    house.peers.let_go();
    let answered = async {
        while create(&house, "key", "A").await.status != StatusCode::CREATED {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, answered).await.unwrap();
    assert_eq!(house.peers.asked().len(), 1);
}

#[tokio::test]
async fn answers_are_kept_for_a_day() {
    let house = House::new().await;
    create(&house, "key", "A").await;
    house.age_answers(Duration::from_hours(23)).await;
    create(&house, "key", "A").await;
    assert_eq!(house.peers.asked().len(), 1);
    house.age_answers(Duration::from_hours(1)).await;
    assert_eq!(create(&house, "key", "B").await.status, StatusCode::CREATED);
    assert_eq!(house.peers.asked().len(), 1);
}

#[tokio::test]
async fn keys_must_be_short_and_visible() {
    let house = House::new().await;
    for key in ["", &"x".repeat(201)] {
        assert_eq!(create(&house, key, "A").await.problem(), (400, "invalid_argument".to_owned()));
    }
}

#[tokio::test]
async fn two_processes_perform_a_request_once() {
    let house = Arc::new(House::new().await);
    let other = Arc::new(house.another().await);
    let mut sending = JoinSet::new();
    for house in [&house, &other, &house, &other] {
        let house = Arc::clone(house);
        sending.spawn(async move { create(&house, "key", "A").await.status });
    }
    let statuses = sending.join_all().await;
    assert!(statuses.contains(&StatusCode::CREATED));
    assert!(statuses.iter().all(|status| [StatusCode::CREATED, StatusCode::CONFLICT].contains(status)), "{statuses:?}");
    assert_eq!(house.peers.asked().len(), 1);
    assert_eq!(create(&other, "key", "A").await.text, create(&house, "key", "A").await.text);
}

#[tokio::test]
async fn a_request_that_ended_with_its_process_is_taken_over_once() {
    let house = Arc::new(House::new().await);
    let other = Arc::new(house.another().await);
    create(&house, "key", "A").await;
    house.execute("UPDATE gateway_answers SET status = NULL, answer = NULL WHERE begun_at > $1", 0).await;
    assert_eq!(create(&other, "key", "A").await.status, StatusCode::CONFLICT);
    house.age_answers(Duration::from_mins(3)).await;
    assert_eq!(house.peers.asked().len(), 1);
    let mut sending = JoinSet::new();
    for house in [&house, &other, &house, &other] {
        let house = Arc::clone(house);
        sending.spawn(async move { create(&house, "key", "A").await.status });
    }
    assert!(sending.join_all().await.contains(&StatusCode::CREATED));
    assert_eq!(house.peers.asked().len(), 1);
}
