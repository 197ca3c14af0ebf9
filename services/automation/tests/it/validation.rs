//! What is wrong is never taken; what is missing keeps a draft from being published.

use patchbay_types::fault::Code;
use serde_json::{Value, json};

use crate::house::{House, OURS, refusal, welcome, welcome_with, welcome_without};

const INPUT: &str = "/steps/0/input";

fn wrong_definitions() -> Vec<(&'static str, Value)> {
    let with = |path: &'static str, pointer: &str, value: Value| (path, welcome_with(pointer, value));
    let mut twice = welcome();
    twice["steps"] = json!([twice["steps"][0], twice["steps"][0]]);
    let step = welcome()["steps"][0].clone();
    let many: Vec<Value> = (0..51)
        .map(|number| {
            let mut step = step.clone();
            step["key"] = json!(format!("step_{number}"));
            step
        })
        .collect();
    vec![
        ("name", welcome_without("/name")),
        ("trigger.operation", welcome_without("/trigger")),
        ("steps[0].key", welcome_without("/steps/0/key")),
        ("steps[0].operation", welcome_without("/steps/0/operation")),
        with("name", "/name", json!("  ")),
        with("name", "/name", json!(7)),
        with("group", "/group", json!("a\nb")),
        with("colour", "/colour", json!("red")),
        with("trigger.colour", "/trigger/colour", json!("red")),
        with("steps[0].colour", "/steps/0/colour", json!("red")),
        with("trigger.operation", "/trigger/operation", json!("sandbox-crm.contact_created")),
        with("trigger.operation", "/trigger/operation", json!("altcraft.import_profile")),
        with("trigger.connection_id", "/trigger/connection_id", json!(2)),
        with("trigger.mode", "/trigger/mode", json!("poll")),
        with("trigger.mode", "/trigger/mode", json!({ "period": {} })),
        with("trigger.schedule", "/trigger/schedule", json!({ "every": "5m" })),
        with("trigger.filter", "/trigger/filter", json!("trigger.email ==")),
        with("trigger.filter", "/trigger/filter", json!("")),
        with("trigger.filter", "/trigger/filter", json!("connection.token")),
        with("trigger.filter", "/trigger/filter", json!("steps.launch.output")),
        with("trigger.parameters.dedupe", "/trigger/parameters/dedupe", json!("a b")),
        with("trigger.parameters.dedupe", "/trigger/parameters/dedupe", json!(5)),
        with("trigger.parameters.batch", "/trigger/parameters/batch", json!(true)),
        with("trigger.source_id", "/trigger/source_id", json!("not-an-id")),
        with("steps", "/steps", json!(many)),
        ("steps[1].key", twice),
        with("steps[0].key", "/steps/0/key", json!("Launch")),
        with("steps[0].operation", "/steps/0/operation", json!("tool.delay")),
        with("steps[0].operation", "/steps/0/operation", json!("webhook.received")),
        with("steps[0].operation", "/steps/0/operation", json!("altcraft.import_profil")),
        with("steps[0].connection_id", "/steps/0/connection_id", json!(404)),
        with("steps[0].connection_id", "/steps/0/connection_id", json!(3)),
        with("steps[0].connection_id", "/steps/0/connection_id", json!(9)),
        with("steps[0].connection_id", "/steps/0/connection_id", json!("two")),
        with("steps[0].input.emial", "/steps/0/input/emial", json!("x")),
        with("steps[0].input.db_id", "/steps/0/input/db_id", json!("seven")),
        with("steps[0].input.matching", "/steps/0/input/matching", json!("shoe_size")),
        with("steps[0].input.email", "/steps/0/input/email", json!("{{ trigger.email")),
        with("steps[0].input.email", "/steps/0/input/email", json!("{{ connection.token }}")),
        with("steps[0].input.data._fname", "/steps/0/input/data/_fname", json!("{{ trigger.name | shout }}")),
        with("steps[0].input", INPUT, json!([])),
        with("steps[0].retry.max_attempts", "/steps/0/retry/max_attempts", json!(21)),
        with("steps[0].retry.delays", "/steps/0/retry", json!({ "delays": ["soon"] })),
        with("steps[0].on_error", "/steps/0/on_error", json!("continue")),
        with("steps[0].repeat_unknown", "/steps/0/repeat_unknown", json!("yes")),
    ]
}

#[tokio::test]
async fn every_mistake_names_its_path() {
    let house = House::open().await;
    for (path, definition) in wrong_definitions() {
        let refused = refusal(house.create(&definition).await);
        assert_eq!(refused, (Code::InvalidArgument, Some(path.to_owned())), "{definition}");
    }
    assert!(house.list(OURS, &[], 0).await.unwrap().automations.is_empty());
}

#[tokio::test]
async fn a_mistake_is_refused_in_an_edit_too() {
    let house = House::open().await;
    let created = house.create(&welcome()).await.unwrap();
    for (path, definition) in wrong_definitions() {
        let refused = refusal(house.update(&created.id, &definition).await);
        assert_eq!(refused, (Code::InvalidArgument, Some(path.to_owned())), "{definition}");
    }
    assert_eq!(house.get(&created.id).await.unwrap(), created);
}

#[tokio::test]
async fn what_is_missing_is_refused_at_publish_only() {
    let house = House::open().await;
    let incomplete = [
        ("steps", welcome_without("/steps")),
        ("steps", welcome_with("/steps", json!([]))),
        ("steps[0].connection_id", welcome_without("/steps/0/connection_id")),
        ("steps[0].connection_id", welcome_with("/steps/0/connection_id", Value::Null)),
        ("steps[0].input.db_id", welcome_without("/steps/0/input")),
        ("steps[0].input.workflow_id", welcome_without("/steps/0/input/workflow_id")),
        ("steps[0].input.email", welcome_with("/steps/0/input/email", json!(""))),
    ];
    for (path, definition) in incomplete {
        let draft = house.create(&definition).await.unwrap();
        let refused = refusal(house.publish(&draft.id).await);
        assert_eq!(refused, (Code::FailedPrecondition, Some(path.to_owned())), "{definition}");
        assert_eq!(house.get(&draft.id).await.unwrap(), draft);
        house.update(&draft.id, &welcome()).await.unwrap();
        assert_eq!(house.publish(&draft.id).await.unwrap().status, "active");
    }
}

#[tokio::test]
async fn takes_the_least_that_can_be_said() {
    let house = House::open().await;
    let least = json!({
        "name": "Least", "trigger": { "operation": "webhook.received" },
        "steps": [{ "key": "a", "operation": "altcraft.import_profile", "connection_id": 2,
                    "input": { "db_id": "7", "email": "{{ trigger.email }}" } }],
    });
    let created = house.create(&least).await.unwrap();
    assert_eq!(house.publish(&created.id).await.unwrap().version, 1);
}

#[tokio::test]
async fn an_unknown_operation_is_told_what_is_near() {
    let house = House::open().await;
    let definition = welcome_with("/steps/0/operation", json!("altcraft.import_profil"));
    let fault = house.create(&definition).await.unwrap_err();
    assert!(fault.message.contains("did you mean `altcraft.import_profile`?"), "{fault}");
}

#[tokio::test]
async fn nothing_is_taken_unasked_while_connections_are_down() {
    let house = House::open().await;
    let created = house.create(&welcome()).await.unwrap();
    house.connections_are_down();
    assert_eq!(refusal(house.create(&welcome()).await), (Code::Unavailable, None));
    assert_eq!(refusal(house.publish(&created.id).await), (Code::Unavailable, None));
    // Who names no connection need not wait.
    house.create(&welcome_without("/steps")).await.unwrap();
}

#[tokio::test]
async fn refuses_what_is_no_definition() {
    let house = House::open().await;
    for definition in [json!(null), json!([]), json!("text"), json!(7)] {
        assert_eq!(refusal(house.create(&definition).await), (Code::InvalidArgument, None), "{definition}");
    }
    let large = welcome_with("/name", json!("x".repeat(300_000)));
    assert_eq!(refusal(house.create(&large).await), (Code::TooLarge, None));
}
