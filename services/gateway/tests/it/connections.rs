//! Tests of connections, and switching them off and on.

use axum::http::StatusCode;
use patchbay_proto::connection::v1::ConnectionRequest;
use patchbay_types::{Fault, fault::Code};
use serde_json::{Value, json};

use crate::{
    house::{House, request},
    peers::Asked,
};

fn named(house: &House) -> ConnectionRequest {
    ConnectionRequest { workspace_id: house.workspace.get(), id: 5 }
}

#[tokio::test]
async fn a_test_is_an_answer_whatever_the_partner_says() {
    let house = House::new().await;
    let answer = house.call("POST", "/v1/connections/5/test", Value::Null).await;
    let shown = json!({
        "result": "rejected", "message": "give it again", "partner_status": 401, "partner_answer": "no",
        "duration_ms": 12, "tested_at": "1970-01-01T00:00:00.000001Z",
    });
    assert_eq!((answer.status, answer.json()), (StatusCode::OK, shown));
    assert_eq!(house.peers.asked(), [Asked::Connection("test", named(&house))]);
}

#[tokio::test]
async fn a_connection_is_switched_off_and_on() {
    for action in ["disconnect", "reactivate"] {
        let house = House::new().await;
        let answer = house.call("POST", &format!("/v1/connections/5/{action}"), Value::Null).await;
        assert_eq!((answer.status, answer.json()["id"].as_i64()), (StatusCode::OK, Some(5)));
        assert_eq!(answer.json()["fields"], json!({"host": "h", "token": "***"}));
        assert_eq!(house.peers.asked(), [Asked::Connection(action, named(&house))]);
    }
}

#[tokio::test]
async fn a_fault_of_the_peer_is_a_problem() {
    let house = House::new().await;
    house.peers.fail(Some(Fault::new(Code::FailedPrecondition, "the connector has no test")));
    for action in ["test", "disconnect", "reactivate"] {
        let answer = house.call("POST", &format!("/v1/connections/5/{action}"), Value::Null).await;
        let (_, code) = answer.problem();
        assert_eq!(code, "failed_precondition");
    }
}

#[tokio::test]
async fn what_names_no_connection_or_has_no_token_asks_nobody() {
    let house = House::new().await;
    for path in ["/v1/connections/x/test", "/v1/connections/-1/disconnect", "/v1/connections/1.5/reactivate"] {
        let (status, _) = house.call("POST", path, Value::Null).await.problem();
        assert!(matches!(status, 400 | 404), "{path}: {status}");
    }
    for action in ["test", "disconnect", "reactivate"] {
        let path = format!("/v1/connections/5/{action}");
        assert_eq!(house.call("GET", &path, Value::Null).await.status, StatusCode::METHOD_NOT_ALLOWED);
        let answer = house.send(request("POST", &path, "no-token", String::new())).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(house.peers.asked(), []);
}
