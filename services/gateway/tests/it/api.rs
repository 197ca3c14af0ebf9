//! What each route asks of its peer, and what it makes of the answer.

use axum::http::StatusCode;
use bytes::Bytes;
use patchbay_proto::{
    automation::v1::{AutomationRequest, CreateAutomationRequest, ListAutomationsRequest, UpdateAutomationRequest},
    connection::v1::{DeleteConnectionRequest, GetConnectionRequest, ListConnectionsRequest},
    executor::v1::{DeadLetterRequest, ListDeadLettersRequest, ListRunsRequest, RunRequest},
};
use serde_json::{Value, json};

use crate::{
    house::House,
    peers::{AUTOMATION, Asked, Given, RUN},
};

const AUTOMATION_ID: &str = "01010101-0101-0101-0101-010101010101";
const SOURCE_ID: &str = "02020202-0202-0202-0202-020202020202";
const RUN_ID: &str = "03030303-0303-0303-0303-030303030303";

fn document() -> Value {
    json!({"name": "Welcome", "trigger": {"operation": "webhook.received"}, "steps": []})
}

/// What `GET` answers for [`document`].
fn shown_automation() -> Value {
    json!({
        "id": AUTOMATION_ID, "status": "draft", "version": 4, "name": "Welcome", "steps": [],
        "trigger": {
            "operation": "webhook.received", "source_id": SOURCE_ID,
            "hook_url": "https://patchbay.example.com/hooks/t0ken",
        },
        "created_at": "1970-01-01T00:00:00.000000Z", "updated_at": "1970-01-01T00:00:00.000001Z",
    })
}

fn named(house: &House) -> AutomationRequest {
    AutomationRequest { workspace_id: house.workspace.get(), id: Bytes::from_static(&AUTOMATION) }
}

fn json_bytes(value: &Value) -> Bytes {
    serde_json::to_vec(value).unwrap().into()
}

#[tokio::test]
async fn creates_an_automation() {
    let house = House::new().await;
    let answer = house.call("POST", "/v1/automations", document()).await;
    assert_eq!((answer.status, answer.json()), (StatusCode::CREATED, shown_automation()));
    let definition = json_bytes(&document());
    let request = CreateAutomationRequest { workspace_id: house.workspace.get(), definition };
    assert_eq!(house.peers.asked(), [Asked::CreateAutomation(request)]);
}

#[tokio::test]
async fn takes_back_what_it_has_shown() {
    let house = House::new().await;
    let path = format!("/v1/automations/{AUTOMATION_ID}");
    let answer = house.call("PUT", &path, shown_automation()).await;
    assert_eq!((answer.status, answer.json()), (StatusCode::OK, shown_automation()));
    let mut expected = document();
    expected["trigger"]["source_id"] = SOURCE_ID.into();
    let AutomationRequest { workspace_id, id } = named(&house);
    let request = UpdateAutomationRequest { workspace_id, id, definition: json_bytes(&expected) };
    assert_eq!(house.peers.asked(), [Asked::UpdateAutomation(request)]);
}

#[tokio::test]
async fn patches_the_named_keys_of_a_draft() {
    let house = House::new().await;
    house.peers.set_draft(r#"{"name":"Old","group":"CRM","steps":[1],"trigger":{"operation":"webhook.received"}}"#);
    let changes = json!({"name": "Welcome", "steps": [], "group": null});
    let answer = house.call("PATCH", &format!("/v1/automations/{AUTOMATION_ID}"), changes).await;
    assert_eq!((answer.status, answer.json()), (StatusCode::OK, shown_automation()));
    let AutomationRequest { workspace_id, id } = named(&house);
    let request = UpdateAutomationRequest { workspace_id, id, definition: json_bytes(&document()) };
    assert_eq!(house.peers.asked(), [Asked::Automation("get", named(&house)), Asked::UpdateAutomation(request)]);
}

#[tokio::test]
async fn shows_publishes_pauses_starts_and_deletes_an_automation() {
    let house = House::new().await;
    house.peers.set_draft(r#"{"name":"Welcome","steps":[],"trigger":{"operation":"webhook.received"}}"#);
    for (method, suffix, asked) in
        [("GET", "", "get"), ("POST", "/publish", "publish"), ("POST", "/pause", "pause"), ("POST", "/start", "start")]
    {
        let answer = house.call(method, &format!("/v1/automations/{AUTOMATION_ID}{suffix}"), Value::Null).await;
        assert_eq!((answer.status, answer.json()), (StatusCode::OK, shown_automation()), "{suffix}");
        assert_eq!(house.peers.asked(), [Asked::Automation(asked, named(&house))]);
    }
    let answer = house.call("DELETE", &format!("/v1/automations/{AUTOMATION_ID}"), Value::Null).await;
    assert_eq!((answer.status, answer.text.as_str()), (StatusCode::NO_CONTENT, ""));
    assert_eq!(house.peers.asked(), [Asked::Automation("delete", named(&house))]);
}

#[tokio::test]
async fn lists_automations_in_pages() {
    let house = House::new().await;
    house.peers.set_draft(r#"{"name":"Welcome","steps":[],"trigger":{"operation":"webhook.received"}}"#);
    let page = house.get("/v1/automations?limit=1").await.json();
    assert_eq!(page["items"], json!([shown_automation()]));
    house.get(&format!("/v1/automations?cursor={}", page["next_cursor"].as_str().unwrap())).await;
    let workspace_id = house.workspace.get();
    let first = ListAutomationsRequest { workspace_id, limit: 1, before_id: Bytes::new() };
    let second = ListAutomationsRequest { workspace_id, limit: 50, before_id: Bytes::from_static(&AUTOMATION) };
    assert_eq!(house.peers.asked(), [Asked::ListAutomations(first), Asked::ListAutomations(second)]);
}

fn shown_connection(title: &str, concurrency: Option<i64>) -> Value {
    json!({
        "id": 5, "partner": "altcraft", "title": title, "status": "active", "fields": {"host": "h", "token": "***"},
        "budget": {"concurrency": concurrency},
        "created_at": "1970-01-01T00:00:00.000000Z", "updated_at": "1970-01-01T00:00:00.000001Z",
    })
}

#[tokio::test]
async fn creates_a_connection() {
    let house = House::new().await;
    let fields = json!({"host": "h", "token": "s3cr3t"});
    for (budget, concurrency) in
        [(json!({}), None), (json!({"concurrency": 0}), Some(0)), (json!({"concurrency": 3}), Some(3))]
    {
        let body = json!({"partner": "altcraft", "title": "CRM", "fields": fields, "budget": budget});
        let answer = house.call("POST", "/v1/connections", body).await;
        assert_eq!((answer.status, answer.json()), (StatusCode::CREATED, shown_connection("CRM", concurrency)));
        let given = Given {
            workspace_id: house.workspace.get(),
            id: None,
            partner: Some("altcraft".to_owned()),
            title: Some("CRM".to_owned()),
            fields: json_bytes(&fields),
            concurrency,
        };
        assert_eq!(house.peers.asked(), [Asked::CreateConnection(given)]);
    }
}

#[tokio::test]
async fn shows_changes_and_deletes_a_connection() {
    let house = House::new().await;
    let workspace_id = house.workspace.get();
    assert_eq!(house.get("/v1/connections/5").await.json(), shown_connection("CRM", None));
    assert_eq!(house.peers.asked(), [Asked::GetConnection(GetConnectionRequest { workspace_id, id: 5 })]);

    let edit = json!({"title": "renamed", "budget": {"concurrency": 2}});
    assert_eq!(house.call("PATCH", "/v1/connections/5", edit).await.json(), shown_connection("renamed", None));
    let fields = json!({"fields": {"token": "new"}});
    house.call("PATCH", "/v1/connections/5", fields).await;
    let named = Given { workspace_id, id: Some(5), ..Given::default() };
    let edit = Given { title: Some("renamed".to_owned()), concurrency: Some(2), ..named.clone() };
    let fields = Given { fields: Bytes::from_static(br#"{"token":"new"}"#), ..named };
    assert_eq!(house.peers.asked(), [Asked::UpdateConnection(edit), Asked::UpdateConnection(fields)]);

    assert_eq!(house.call("DELETE", "/v1/connections/5", Value::Null).await.status, StatusCode::NO_CONTENT);
    assert_eq!(house.peers.asked(), [Asked::DeleteConnection(DeleteConnectionRequest { workspace_id, id: 5 })]);
}

#[tokio::test]
async fn lists_connections_in_pages() {
    let house = House::new().await;
    let page = house.get("/v1/connections?limit=99999").await.json();
    assert_eq!(page["items"], json!([shown_connection("CRM", Some(0))]));
    house.get(&format!("/v1/connections?limit=7&cursor={}", page["next_cursor"].as_str().unwrap())).await;
    let workspace_id = house.workspace.get();
    let first = ListConnectionsRequest { workspace_id, limit: 1000, after_id: 0 };
    let second = ListConnectionsRequest { workspace_id, limit: 7, after_id: 5 };
    assert_eq!(house.peers.asked(), [Asked::ListConnections(first), Asked::ListConnections(second)]);
}

fn shown_run() -> Value {
    json!({
        "id": RUN_ID, "automation_id": AUTOMATION_ID, "version": 4, "event_id": "evt", "status": "waiting",
        "started_at": "1970-01-01T00:00:00.000000Z", "finished_at": null, "attempt": 1,
        "trigger": {"email": "a@b.c"},
        "waiting": {"for": "retry", "until": "1970-01-01T00:00:00.000001Z", "connection_id": null, "reason": "busy"},
        "steps": [
            {"key": "launch", "operation": "altcraft.import", "status": "failed", "attempts": 2,
             "input": {"n": 1.00, "big": 12_345_678_901_234_567_890_123.0}, "output": null,
             "error": {"class": "partner", "message": "no", "partner_status": 502}},
            {"key": "next", "operation": "", "status": "", "attempts": 0, "input": null, "output": null, "error": null},
        ],
    })
}

#[tokio::test]
async fn shows_replays_and_cancels_a_run() {
    let house = House::new().await;
    let request = RunRequest { workspace_id: house.workspace.get(), id: Bytes::from_static(&RUN) };
    for (method, suffix, asked) in [("GET", "", "get"), ("POST", "/replay", "replay"), ("POST", "/cancel", "cancel")] {
        let answer = house.call(method, &format!("/v1/runs/{RUN_ID}{suffix}"), Value::Null).await;
        assert_eq!((answer.status, answer.json()), (StatusCode::OK, shown_run()), "{suffix}");
        assert!(answer.text.contains(r#""input":{"n": 1.00, "big": 12345678901234567890123}"#), "{}", answer.text);
        assert_eq!(house.peers.asked(), [Asked::Run(asked, request.clone())]);
    }
}

#[tokio::test]
async fn lists_runs_by_their_filters() {
    let house = House::new().await;
    let page = house.get("/v1/runs").await.json();
    assert_eq!(page["items"], json!([shown_run()]));
    let cursor = page["next_cursor"].as_str().unwrap();
    let filters = format!("automation_id={AUTOMATION_ID}&status=failed&connection_id=5&event_id=a%20b&limit=3");
    house.get(&format!("/v1/runs?{filters}&cursor={cursor}")).await;
    let all = ListRunsRequest { workspace_id: house.workspace.get(), limit: 50, ..ListRunsRequest::default() };
    let some = ListRunsRequest {
        workspace_id: house.workspace.get(),
        limit: 3,
        before_id: Bytes::from_static(&RUN),
        automation_id: Bytes::from_static(&AUTOMATION),
        status: "failed".to_owned(),
        connection_id: 5,
        event_id: "a b".to_owned(),
    };
    assert_eq!(house.peers.asked(), [Asked::ListRuns(all), Asked::ListRuns(some)]);
}

#[tokio::test]
async fn lists_dead_letters() {
    let house = House::new().await;
    let entry = json!({
        "id": 9, "kind": "run", "reason": "exhausted", "error": "no", "run_id": RUN_ID, "event_id": "evt",
        "at": "1970-01-01T00:00:00.000000Z",
    });
    assert_eq!(house.get("/v1/dead-letters").await.json(), json!({"items": [entry], "next_cursor": null}));
    let request = ListDeadLettersRequest { workspace_id: house.workspace.get(), limit: 50, before_id: 0 };
    assert_eq!(house.peers.asked(), [Asked::ListDeadLetters(request)]);
}

#[tokio::test]
async fn shows_replays_and_drops_a_dead_letter() {
    let house = House::new().await;
    let named = |verb| Asked::DeadLetter(verb, DeadLetterRequest { workspace_id: house.workspace.get(), id: 9 });
    let letter = house.get("/v1/dead-letters").await.json()["items"][0].clone();
    house.peers.asked();

    let mut detail = letter.clone();
    detail["payload"] = json!({"a": 1});
    detail["topic"] = "trigger.fired".into();
    detail["original"] = "cmF3".into();
    assert_eq!(house.get("/v1/dead-letters/9").await.json(), detail);
    let answer = house.call("POST", "/v1/dead-letters/9/replay", Value::Null).await;
    assert_eq!((answer.status, answer.json()), (StatusCode::OK, letter));
    let answer = house.call("DELETE", "/v1/dead-letters/9", Value::Null).await;
    assert_eq!((answer.status, answer.text.as_str()), (StatusCode::NO_CONTENT, ""));
    assert_eq!(house.peers.asked(), [named("get"), named("replay"), named("drop")]);
    assert_eq!(house.get("/v1/dead-letters/nine").await.problem(), (400, "invalid_argument".to_owned()));
}
