//! Peers that can't be reached.

use axum::http::StatusCode;
use patchbay_gateway::Peers;
use patchbay_proto::Route;
use serde_json::{Value, json};
use tonic::Status;

use crate::house::{House, request};

/// A way that leads nowhere, as one to another process says it.
fn nowhere(status: &Status) -> Route {
    let status = status.clone();
    Route::remote(move |_| {
        let answer = status.clone().into_http();
        async move { answer }
    })
}

/// A process without ways to its peers, over the database of a house.
async fn cut_off(house: &House, status: &Status) -> House {
    let [connection, catalog, automation, executor, events] = [(); 5].map(|()| nowhere(status));
    house.with_peers(Peers { connection, catalog, automation, executor, events }).await
}

#[tokio::test]
async fn a_peer_that_is_away_is_named_and_its_address_is_not() {
    let id = "01010101-0101-0101-0101-010101010101";
    let calls = [
        ("GET", "/v1/automations".to_owned(), Value::Null, "automation"),
        ("POST", "/v1/automations".to_owned(), json!({}), "automation"),
        ("GET", "/v1/connections".to_owned(), Value::Null, "connection"),
        ("GET", "/v1/connectors".to_owned(), Value::Null, "catalog"),
        ("GET", format!("/v1/runs/{id}"), Value::Null, "action-executor"),
        ("GET", "/v1/dead-letters".to_owned(), Value::Null, "action-executor"),
        ("GET", "/v1/events".to_owned(), Value::Null, "webhook-ingress"),
    ];
    let whole = House::new().await;
    for status in [
        Status::unavailable("it can't be reached at http://10.0.0.7:81: connection refused"),
        Status::unauthenticated("it refuses the service token"),
        Status::internal("h2 protocol error at 10.0.0.7"),
    ] {
        let house = cut_off(&whole, &status).await;
        for (method, path, body, peer) in &calls {
            let answer = house.call(method, path, body.clone()).await;
            assert_eq!(answer.problem(), (503, "unavailable".to_owned()), "{path}");
            assert_eq!(answer.json()["detail"], format!("the {peer} service can't be asked now; try again"));
        }
    }
}

#[tokio::test]
async fn a_creation_that_failed_on_the_way_is_not_kept_as_the_answer() {
    let status = Status::unavailable("it can't be reached");
    let healed = House::new().await;
    let house = cut_off(&healed, &status).await;
    let body = json!({"partner": "altcraft"}).to_string();
    let create = || {
        let mut create = request("POST", "/v1/connections", &healed.token, body.clone());
        create.headers_mut().insert("idempotency-key", "key".parse().unwrap());
        create
    };
    assert_eq!(house.send(create()).await.problem().0, 503);
    assert_eq!(healed.send(create()).await.status, StatusCode::CREATED);
    assert_eq!(healed.peers.asked().len(), 1);
}
