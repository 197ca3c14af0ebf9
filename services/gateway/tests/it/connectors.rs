//! `/v1/connectors`, and the lists of connections.

use axum::http::StatusCode;
use patchbay_proto::catalog::v1::{
    FieldsRequest, GetPartnerRequest, ListOperationsRequest, ListPartnersRequest, OptionsRequest, RefreshRequest,
};
use patchbay_types::{Fault, fault::Code};
use serde_json::{Value, json};

use crate::{
    house::{House, request},
    peers::Asked,
};

fn shown_field() -> Value {
    json!({
        "name": "db_id", "label": "Database", "help": "", "type": "integer", "required": true, "default": 7,
        "options": [{"value": "7", "label": "Main"}], "list": "databases", "waits_for": ["host"],
        "options_error": "down", "custom": false,
    })
}

fn shown_host() -> Value {
    json!({
        "name": "host", "label": "Host", "help": "", "type": "string", "required": false, "default": null,
        "options": [], "list": null, "waits_for": [], "options_error": null, "custom": false,
    })
}

fn shown_partner() -> Value {
    json!({
        "key": "altcraft", "id": 225, "title": "Altcraft", "titles": {"ru": "Альткрафт"}, "description": "Mail",
        "categories": ["marketing"], "region": [3], "deprecated": false, "version": "1.0.0", "testable": true,
        "lists": ["databases"], "connection_fields": [shown_host()],
    })
}

fn shown_operation() -> Value {
    json!({
        "name": "altcraft.import_profile", "key": "import_profile", "id": 22_500_001, "partner": "altcraft",
        "kind": "action", "title": "Import", "titles": {}, "description": "", "deprecated": false,
        "safe_to_repeat": true, "modes": [], "sample": {"profile_id": 1.50},
    })
}

#[tokio::test]
async fn lists_connectors_by_a_text() {
    let house = House::new().await;
    let answer = house.get("/v1/connectors?contains=alt%20craft").await;
    let page = json!({"items": [shown_partner()], "next_cursor": null});
    assert_eq!((answer.status, answer.json()), (StatusCode::OK, page));
    house.get("/v1/connectors").await;
    let asked = ["alt craft", ""].map(|contains| {
        let contains = contains.to_owned();
        Asked::ListPartners(ListPartnersRequest { contains })
    });
    assert_eq!(house.peers.asked(), asked);
}

#[tokio::test]
async fn shows_a_connector_with_its_operations() {
    let house = House::new().await;
    let answer = house.get("/v1/connectors/altcraft").await;
    let mut expected = shown_partner();
    expected["operations"] = json!([shown_operation()]);
    assert_eq!((answer.status, answer.json()), (StatusCode::OK, expected));
    assert!(answer.text.contains(r#""sample":{"profile_id": 1.50}"#), "{}", answer.text);
    let partner = "altcraft".to_owned();
    let asked = [
        Asked::GetPartner(GetPartnerRequest { partner: partner.clone() }),
        Asked::ListOperations(ListOperationsRequest { partner }),
    ];
    assert_eq!(house.peers.asked(), asked);
}

#[tokio::test]
async fn shows_an_operation() {
    let house = House::new().await;
    let answer = house.get("/v1/connectors/altcraft/operations/import_profile").await;
    assert_eq!((answer.status, answer.json()), (StatusCode::OK, shown_operation()));
    let request = FieldsRequest {
        workspace_id: house.workspace.get(),
        operation: "altcraft.import_profile".to_owned(),
        ..FieldsRequest::default()
    };
    assert_eq!(house.peers.asked(), [Asked::Fields(request)]);
}

#[tokio::test]
async fn shows_the_fields_for_an_input() {
    let house = House::new().await;
    let path = "/v1/connectors/altcraft/operations/import_profile/fields";
    let answer = house.call("POST", path, json!({"connection_id": 5, "input": {"db_id": 7}})).await;
    let section = json!({"name": "emails", "label": "Emails", "help": "", "required": true, "fields": [shown_host()]});
    let expected = json!({"operation": shown_operation(), "fields": [shown_field()], "row_sections": [section]});
    assert_eq!((answer.status, answer.json()), (StatusCode::OK, expected));
    house.call("POST", path, json!({})).await;
    let request = |connection_id, input: &'static str| {
        Asked::Fields(FieldsRequest {
            workspace_id: house.workspace.get(),
            operation: "altcraft.import_profile".to_owned(),
            connection_id,
            input: input.into(),
        })
    };
    assert_eq!(house.peers.asked(), [request(5, r#"{"db_id":7}"#), request(0, "{}")]);
}

#[tokio::test]
async fn gives_a_list_of_a_connection_by_its_inputs() {
    let house = House::new().await;
    let answer = house.get("/v1/connections/5/lists/scenarios?db_id=7&limit=3&name=a%26b&cursor=x").await;
    let expected = json!({
        "items": [{"value": "12", "label": "Welcome"}], "fetched_at": "1970-01-01T00:00:00.000001Z", "truncated": true,
    });
    assert_eq!((answer.status, answer.json()), (StatusCode::OK, expected));
    let request = OptionsRequest {
        workspace_id: house.workspace.get(),
        connection_id: 5,
        list: "scenarios".to_owned(),
        input: r#"{"db_id":"7","name":"a&b"}"#.into(),
    };
    assert_eq!(house.peers.asked(), [Asked::Options(request)]);
}

#[tokio::test]
async fn updates_the_lists_of_a_connection() {
    let house = House::new().await;
    let answer = house.call("POST", "/v1/connections/5/update", Value::Null).await;
    let expected = json!({"lists": [
        {"list": "databases", "options": 2, "error": null},
        {"list": "scenarios", "options": 0, "error": "down"},
    ]});
    assert_eq!((answer.status, answer.json()), (StatusCode::OK, expected));
    let request = RefreshRequest { workspace_id: house.workspace.get(), connection_id: 5 };
    assert_eq!(house.peers.asked(), [Asked::Refresh(request)]);
}

#[tokio::test]
async fn what_the_catalog_does_not_know_is_told_with_a_guess() {
    let house = House::new().await;
    let fault = Fault::new(Code::NotFound, "unknown partner `altcraf`; did you mean `altcraft`?");
    house.peers.fail(Some(fault));
    for (method, path, body) in [
        ("GET", "/v1/connectors/altcraf", Value::Null),
        ("GET", "/v1/connectors/altcraf/operations/x", Value::Null),
        ("POST", "/v1/connectors/altcraf/operations/x/fields", json!({})),
    ] {
        let answer = house.call(method, path, body).await;
        assert_eq!(answer.problem(), (404, "not_found".to_owned()), "{path}");
        assert_eq!(answer.json()["detail"], "unknown partner `altcraf`; did you mean `altcraft`?");
    }
}

#[tokio::test]
async fn strangers_and_odd_requests_are_refused() {
    let house = House::new().await;
    let fields = "/v1/connectors/altcraft/operations/import_profile/fields";
    for (method, path) in [
        ("GET", "/v1/connectors"),
        ("GET", "/v1/connectors/altcraft"),
        ("GET", "/v1/connectors/altcraft/operations/import_profile"),
        ("POST", fields),
        ("GET", "/v1/connections/5/lists/databases"),
        ("POST", "/v1/connections/5/update"),
    ] {
        let answer = house.send(request(method, path, "wrong", "{}")).await;
        assert_eq!(answer.problem(), (401, "unauthenticated".to_owned()), "{path}");
    }
    for path in ["/v1/connectors/%ff", "/v1/connections/x/lists/databases", "/v1/connections/5/lists/%ff"] {
        assert_eq!(house.get(path).await.problem(), (400, "invalid_argument".to_owned()), "{path}");
    }
    for body in [json!({"connection_id": 0}), json!({"input": [1]}), json!({"inputs": {}}), json!([])] {
        let answer = house.call("POST", fields, body.clone()).await;
        assert_eq!(answer.problem(), (400, "invalid_argument".to_owned()), "{body}");
    }
    assert_eq!(house.peers.asked(), []);
}
