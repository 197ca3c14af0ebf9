//! What people and programs get wrong: a clear error each, and the neighbours go on.

use patchbay_testing::{http, wait_for};
use serde_json::{Value, json};

use crate::house::{JSON, PATIENCE, Scene, import};

#[tokio::test]
async fn each_bad_post_to_a_hook_is_refused_with_its_reason_and_harms_nobody() {
    let scene = Scene::begin().await;
    let Scene { house, person, .. } = &scene;
    let connection = scene.connect().await;
    let (_, hook) = person.automate(import(connection)).await;
    let address = house.address("listen");

    let large = vec![b' '; 20 * 1024 * 1024];
    let cases: [(&str, &str, &[u8], u16, &str); 5] = [
        (&hook, "application/json", b"{\"email\": ", 400, "invalid_argument"),
        (&hook, "application/json", &large, 413, "too_large"),
        (&hook, "image/png", b"png", 415, "unsupported_media"),
        ("/hooks/nothing-like-a-token", "application/json", b"{}", 404, "not_found"),
        (&hook, "application/json", b"\xff\xfe", 400, "invalid_argument"),
    ];
    for (path, kind, body, status, code) in cases {
        let answer = http::call(address, "POST", path, &[("content-type", kind)], body).await.unwrap();
        assert_eq!((answer.status, answer.json()["code"].as_str()), (status, Some(code)), "{}", answer.body);
    }

    let odd = [
        "{\"email\": \"nul@shop.test\", \"first_name\": \"a\\u0000b\"}",
        "{\"email\": \"lone@shop.test\", \"first_name\": \"\\ud800\"}",
        "{\"email\": \"huge@shop.test\", \"first_name\": 123456789012345678901234567890, \"x\": 1e999}",
        "{\"email\": \"braces@shop.test\", \"first_name\": \"{{ 7 * 7 }}\"}",
        "{\"email\": \"plain@shop.test\", \"first_name\": \"ann\"}",
    ];
    for body in odd {
        let answer = http::call(address, "POST", &hook, &[JSON], body.as_bytes()).await.unwrap();
        assert_eq!(answer.status, 200, "{}", answer.body);
    }
    let runs = wait_for("all runs", PATIENCE, async || {
        let runs = person.runs("&status=succeeded").await;
        (runs.len() == odd.len()).then_some(runs)
    })
    .await;
    let name = |email: &str| {
        let run = runs.iter().find(|run| run["steps"][0]["input"]["email"] == email).unwrap();
        run["steps"][0]["input"]["data"]["_fname"].clone()
    };
    assert_eq!(name("nul@shop.test"), "a\0b");
    assert_eq!(name("lone@shop.test"), "\u{fffd}");
    assert_eq!(name("huge@shop.test"), "123456789012345678901234567890");
    assert_eq!(name("braces@shop.test"), "{{ 7 * 7 }}");
}

#[tokio::test]
async fn each_bad_automation_is_refused_where_it_is_wrong() {
    let scene = Scene::begin().await;
    let person = &scene.person;
    let connection = scene.connect().await;
    let with = |path: &str, value: Value| {
        let mut step = import(connection);
        *step.pointer_mut(path).unwrap() = value;
        step
    };
    let cases = [
        (with("/operation", json!("altcraft.imprt")), "steps[0].operation", "import_profile"),
        (with("/connection_id", json!(999)), "steps[0].connection_id", "999"),
        (with("/input/db_id", json!("seven")), "steps[0].input.db_id", "whole number"),
        (with("/input/email", json!("{{ trigger.email | }}")), "steps[0].input.email", "email"),
    ];
    for (step, field, hint) in cases {
        let document = json!({"name": "bad", "trigger": {"operation": "webhook.received"}, "steps": [step]});
        let answer = person.post("/v1/automations", &document).await;
        let problem = answer.json();
        assert_eq!((answer.status, problem["field"].as_str()), (400, Some(field)), "{problem}");
        assert!(answer.body.contains(hint), "{problem}");
    }
    let mut missing = import(connection);
    missing["input"].as_object_mut().unwrap().remove("db_id");
    let document = json!({"name": "incomplete", "trigger": {"operation": "webhook.received"}, "steps": [missing]});
    let draft = person.post("/v1/automations", &document).await.json();
    let path = format!("/v1/automations/{}/publish", draft["id"].as_str().unwrap());
    let refused = person.post(&path, &json!({})).await;
    assert_eq!(
        (refused.status, refused.json()["field"].as_str()),
        (409, Some("steps[0].input.db_id")),
        "{}",
        refused.body
    );
}

#[tokio::test]
async fn what_is_wrong_only_at_run_time_fails_the_run_and_names_the_field() {
    let scene = Scene::begin().await;
    let Scene { house, person, .. } = &scene;
    let connection = scene.connect().await;
    let mut step = import(connection);
    step["input"]["db_id"] = json!("{{ trigger.database }}");
    let (_, hook) = person.automate(step).await;
    for body in ["{\"email\": \"a@shop.test\", \"database\": \"seven\"}", "{\"email\": \"a@shop.test\"}"] {
        let answer = http::call(house.address("listen"), "POST", &hook, &[JSON], body.as_bytes()).await.unwrap();
        assert_eq!(answer.status, 200);
    }
    let failed = wait_for("both runs to fail", PATIENCE, async || {
        let runs = person.runs("&status=failed").await;
        (runs.len() == 2).then_some(runs)
    })
    .await;
    for run in failed {
        let error = &run["steps"][0]["error"];
        assert_eq!(error["class"], "validation", "{run}");
        assert!(error["message"].as_str().unwrap().contains("db_id"), "{error}");
    }
}
