//! Getting in, and staying out.

use std::time::Duration;

use axum::http::StatusCode;
use patchbay_gateway::users;
use patchbay_types::fault::Code;
use serde_json::{Value, json};

use crate::house::{EMAIL, House, PASSWORD, request};

const DAY: Duration = Duration::from_hours(24);

#[tokio::test]
async fn a_password_gives_a_token_that_opens_the_workspace() {
    let house = House::new().await;
    for email in [EMAIL, "ANNA@example.com "] {
        let answer = house.log_in(email, PASSWORD).await;
        assert_eq!((answer.status, &answer.json()["success"]), (StatusCode::OK, &json!(true)));
        let data = answer.json()["data"].clone();
        let month = house.ground.clock.now().after(30 * DAY).as_micros() / 1_000_000;
        assert!((month - 60..=month).contains(&data["validUntil"].as_i64().unwrap()), "{data}");
        let token = data["authToken"].as_str().unwrap();
        let shown = house.send(request("GET", "/v1/workspace", token, "")).await;
        assert_eq!(shown.json(), json!({"id": house.workspace.get(), "name": EMAIL, "plan": "standard"}));
    }
}

#[tokio::test]
async fn nobody_learns_whether_email_or_password_was_wrong() {
    let house = House::new().await;
    let expected = json!({"success": false, "data": {
        "name": "Unauthorized", "message": "email or password is wrong", "code": 0, "status": 401,
    }});
    for (email, password) in [(EMAIL, "wrong"), ("nobody@example.com", PASSWORD), ("no email", PASSWORD), (EMAIL, "")] {
        let answer = house.log_in(email, password).await;
        assert_eq!((answer.status, answer.json()), (StatusCode::UNAUTHORIZED, expected.clone()), "{email}");
    }
}

#[tokio::test]
async fn guessing_is_slowed_down() {
    let house = House::new().await;
    for _ in 0..10 {
        assert_eq!(house.log_in(EMAIL, "guess").await.status, StatusCode::UNAUTHORIZED);
    }
    let answer = house.log_in(EMAIL, PASSWORD).await;
    assert_eq!((answer.status, &answer.json()["data"]["status"]), (StatusCode::TOO_MANY_REQUESTS, &json!(429)));
    assert_eq!(house.log_in("other@example.com", "guess").await.status, StatusCode::UNAUTHORIZED);
    house.ground.clock.advance(Duration::from_secs(60));
    assert_eq!(house.log_in(EMAIL, PASSWORD).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_login_that_is_no_login_is_refused_in_the_same_envelope() {
    let house = House::new().await;
    for (body, status) in [("{", 400), ("{}", 400), (r#"{"email":1,"password":"x"}"#, 400), ("[]", 400)] {
        let answer = house.send(request("POST", "/api/user/auth", "", body)).await;
        assert_eq!((answer.status.as_u16(), &answer.json()["success"]), (status, &json!(false)), "{body}");
    }
}

#[tokio::test]
async fn every_route_is_closed_without_a_valid_token() {
    let house = House::new().await;
    let stranger = "A".repeat(43);
    let id = "01010101-0101-0101-0101-010101010101";
    let routes = [
        ("GET", "/v1/automations".to_owned()),
        ("POST", "/v1/automations".to_owned()),
        ("GET", format!("/v1/automations/{id}")),
        ("PATCH", format!("/v1/automations/{id}")),
        ("PUT", format!("/v1/automations/{id}")),
        ("DELETE", format!("/v1/automations/{id}")),
        ("POST", format!("/v1/automations/{id}/publish")),
        ("POST", format!("/v1/automations/{id}/pause")),
        ("POST", format!("/v1/automations/{id}/start")),
        ("GET", "/v1/connections".to_owned()),
        ("POST", "/v1/connections".to_owned()),
        ("GET", "/v1/connections/1".to_owned()),
        ("PATCH", "/v1/connections/1".to_owned()),
        ("DELETE", "/v1/connections/1".to_owned()),
        ("GET", "/v1/runs".to_owned()),
        ("GET", format!("/v1/runs/{id}")),
        ("POST", format!("/v1/runs/{id}/replay")),
        ("POST", format!("/v1/runs/{id}/cancel")),
        ("GET", "/v1/dead-letters".to_owned()),
        ("GET", "/v1/dead-letters/9".to_owned()),
        ("DELETE", "/v1/dead-letters/9".to_owned()),
        ("POST", "/v1/dead-letters/9/replay".to_owned()),
        ("GET", "/v1/events".to_owned()),
        ("POST", "/v1/events".to_owned()),
        ("GET", "/v1/workspace".to_owned()),
    ];
    for (method, path) in routes {
        for token in ["", "garbage", stranger.as_str(), "ключ"] {
            for key in [None, Some("key")] {
                let mut request = request(method, &path, token, "{}");
                if let Some(key) = key {
                    request.headers_mut().insert("idempotency-key", key.parse().unwrap());
                }
                let answer = house.send(request).await;
                assert_eq!(answer.problem(), (401, "unauthenticated".to_owned()), "{method} {path} {token}");
                assert_eq!(answer.headers["www-authenticate"], "Bearer");
            }
        }
    }
    assert_eq!(house.peers.asked(), []);
}

#[tokio::test]
async fn a_token_expires() {
    let house = House::new().await;
    let login = house.log_in(EMAIL, PASSWORD).await.json();
    let token = login["data"]["authToken"].as_str().unwrap();
    assert_eq!(house.send(request("GET", "/v1/workspace", token, "")).await.status, StatusCode::OK);
    house.ground.clock.advance(30 * DAY);
    assert_eq!(house.send(request("GET", "/v1/workspace", token, "")).await.problem().0, 401);
    assert_eq!(house.get("/v1/workspace").await.status, StatusCode::OK);
    house.ground.clock.advance(340 * DAY);
    assert_eq!(house.get("/v1/workspace").await.problem().0, 401);
}

#[tokio::test]
async fn each_user_has_a_workspace_of_their_own() {
    let house = House::new().await;
    let (engine, clock) = (&house.ground.engine, &house.ground.clock);
    let other = users::create(engine, clock, "boris@example.com", PASSWORD).await.unwrap();
    assert_ne!(other.workspace, house.workspace);
    let token = users::create_token(engine, clock, "BORIS@example.com").await.unwrap();
    let shown = house.send(request("GET", "/v1/workspace", &token, "")).await.json();
    assert_eq!(shown["id"], Value::from(other.workspace.get()));
}

#[tokio::test]
async fn a_user_that_cannot_be_made_is_refused() {
    let house = House::new().await;
    let (engine, clock) = (&house.ground.engine, &house.ground.clock);
    let codes = [
        (users::create(engine, clock, "Anna@Example.com", PASSWORD).await, Code::Conflict),
        (users::create(engine, clock, "anna", PASSWORD).await, Code::InvalidArgument),
        (users::create(engine, clock, "b@example.com", "").await, Code::InvalidArgument),
    ];
    for (outcome, code) in codes {
        assert_eq!(outcome.unwrap_err().fault().code, code);
    }
    let unknown = users::create_token(engine, clock, "b@example.com").await.unwrap_err();
    assert_eq!(unknown.fault().code, Code::NotFound);
}

#[tokio::test]
async fn a_user_that_is_made_twice_at_once_is_made_once() {
    let house = House::new().await;
    let (engine, clock) = (&house.ground.engine, &house.ground.clock);
    let create = || users::create(engine, clock, "carla@example.com", PASSWORD);
    let (one, other) = tokio::join!(create(), create());
    let codes: Vec<_> =
        [one, other].into_iter().map(|made| made.map(drop).map_err(|error| error.fault().code)).collect();
    assert!(codes.contains(&Ok(())) && codes.contains(&Err(Code::Conflict)), "{codes:?}");
}

#[tokio::test]
async fn a_withdrawn_token_ends_in_every_process() {
    let house = House::new().await;
    let other = house.another().await;
    for house in [&house, &other] {
        assert_eq!(house.get("/v1/workspace").await.status, StatusCode::OK);
    }
    house.execute("DELETE FROM gateway_tokens WHERE created_at > $1", 0).await;
    house.ground.clock.advance(Duration::from_secs(1));
    for house in [&house, &other] {
        assert_eq!(house.get("/v1/workspace").await.problem().0, 401);
    }
}
