use serde_json::{Value, json};

use crate::support::Server;

async fn registered(server: &Server) -> Vec<Value> {
    server.items("/_/altcraft/goals").await
}

#[tokio::test]
async fn registers_a_goal() {
    let server = Server::start().await;
    let id = server.import(json!({ "email": "a@b", "data": {} })).await;
    let body = json!({
        "db_id": 7, "pixel_id": 2, "matching": "email", "email": "a@b", "goal": "Покупка 5 ₽", "value": -1490.5,
        "date": "2025-03-04T10:11:12+03:00", "pixel_data": { "order": "A-9", "skus": ["K1", "K2"] },
        "skip_triggers": false, "enrich_profile": true, "is_test": true, "vendor": "crm", "client_ip": "203.0.113.9",
    });
    let answer = server.call("goals/register", body).await;

    assert_eq!(answer, json!({ "error": 0, "error_text": "Successful operation" }));
    let goals = registered(&server).await;
    let expected = json!({
        "profile_id": id, "email": "a@b", "db_id": 7, "pixel_id": 2, "goal": "Покупка 5 ₽", "value": -1490.5,
        "date": "2025-03-04T10:11:12+03:00", "pixel_data": { "order": "A-9", "skus": ["K1", "K2"] }, "is_test": true,
        "registered_at": goals[0]["registered_at"],
    });
    assert_eq!(goals, [expected]);
}

#[tokio::test]
async fn registers_several_goals_or_none() {
    let server = Server::start().await;
    server.import(json!({ "email": "a@b", "data": {} })).await;
    let body = |goals: Value| json!({ "db_id": 7, "pixel_id": 2, "email": "a@b", "goals": goals });
    let good = body(json!([{ "goal": "purchase", "value": 10 }, { "goal": "visit" }]));
    assert_eq!(server.call("goals/register", good).await["error"], 0);
    let wrong = body(json!([{ "goal": "purchase", "value": 10 }, { "goal": "<b>" }]));
    assert_eq!(server.call("goals/register", wrong).await["error"], 400);

    let goals: Vec<Value> = registered(&server).await.iter().map(|goal| json!([goal["goal"], goal["value"]])).collect();
    assert_eq!(goals, [json!(["purchase", 10]), json!(["visit", 0])]);
}

#[tokio::test]
async fn refuses_goals_that_do_not_fit() {
    let server = Server::start().await;
    server.import(json!({ "email": "a@b", "data": {} })).await;
    let good = json!({ "db_id": 7, "pixel_id": 2, "email": "a@b", "goal": "visit" });
    let changes = [
        ("db_id", json!(null), 400),
        ("db_id", json!(9), 404),
        ("pixel_id", json!(null), 400),
        ("pixel_id", json!(3), 404),
        ("email", json!("c@d"), 404),
        ("matching", json!("email_sub"), 400),
        ("goal", json!(null), 400),
        ("goal", json!(""), 400),
        ("goal", json!("x".repeat(129)), 400),
        ("goal", json!("a\"b"), 400),
        ("goals", json!([]), 400),
        ("goals", json!("visit"), 400),
        ("value", json!("many"), 400),
        ("date", json!("yesterday"), 400),
        ("pixel_data", json!({ "order": { "id": 9 } }), 400),
        ("pixel_data", json!({ "orders": [{ "id": 9 }] }), 400),
        ("pixel_data", json!({ "order": "x".repeat(1024) }), 400),
        ("pixel_data", json!("order"), 400),
        ("is_test", json!("no"), 400),
    ];
    for (name, value, expected) in changes {
        let mut body = good.clone();
        body[name] = value.clone();
        assert_eq!(server.call("goals/register", body).await["error"], expected, "{name}: {value}");
    }
    assert_eq!(registered(&server).await, Vec::<Value>::new());
    let longest = json!({ "db_id": 7, "pixel_id": "2", "email": "a@b", "goal": "я".repeat(128) });
    assert_eq!(server.call("goals/register", longest).await["error"], 0);
}
