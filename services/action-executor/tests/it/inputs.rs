//! Steps that can't be done because of what is in them.

use serde_json::{Value, json};

use crate::{
    house::{House, import},
    partner::Partner,
    peers::WORKSPACE,
};

async fn fails(input: Value, payload: Value) -> (String, String) {
    let (house, partner) = (House::new().await, Partner::new().await);
    let mut steps = import(house.peers.connect(&partner));
    steps[0]["input"] = input;
    let (_, source) = house.peers.publish(steps);
    house.fire(source, "e", payload).await;
    let run = house.when_is("e", "failed").await;
    assert_eq!(partner.calls().len(), 0);
    assert_eq!(house.dead_letters(WORKSPACE).await.len(), 1);
    house.acknowledged().await;
    let error = run.steps[0].error.clone().unwrap();
    (error.class, error.message)
}

#[tokio::test]
async fn a_template_that_fails_names_its_field() {
    let input = json!({"db_id": 7, "email": "{{ trigger.email + 1 }}"});
    let (class, message) = fails(input, json!({"email": "ann@a.test"})).await;
    assert_eq!(class, "configuration");
    assert!(message.starts_with("input.email: "), "{message}");
}

#[tokio::test]
async fn a_missing_value_names_its_field() {
    let (class, message) = fails(json!({"db_id": "{{ trigger.db }}", "email": "a@b.c"}), json!({})).await;
    assert_eq!((class.as_str(), message.as_str()), ("validation", "input.db_id: required, but there is no value"));
}

#[tokio::test]
async fn a_value_that_is_missing_by_a_condition_names_its_field() {
    let (class, message) = fails(json!({"db_id": 7, "email": "{{ trigger.email }}"}), json!({"email": ""})).await;
    assert_eq!((class.as_str(), message.as_str()), ("validation", "input.email: required, but there is no value"));
}

#[tokio::test]
async fn a_value_of_a_wrong_type_names_its_field() {
    let input = json!({"db_id": "{{ trigger.db }}", "email": "a@b.c"});
    let (class, message) = fails(input, json!({"db": [1, 2]})).await;
    assert_eq!(class, "validation");
    assert!(message.starts_with("input.db_id: expected "), "{message}");
}

#[tokio::test]
async fn an_event_that_is_no_json_fails_its_run_only() {
    let (house, partner) = (House::new().await, Partner::new().await);
    let (_, source) = house.peers.publish(import(house.peers.connect(&partner)));
    let mut broken = house.event(source, "broken", &json!({}));
    broken.payload = "{\"email\":".into();
    house.publish(&[broken, house.event(source, "whole", &json!({"email": "a@b.c"}))]).await;
    house.when_is("whole", "succeeded").await;
    let run = house.when_is("broken", "failed").await;
    assert_eq!(run.steps[0].error.as_ref().unwrap().class, "validation");
}

#[tokio::test]
async fn a_definition_that_cannot_be_compiled_fails_its_runs_and_no_others() {
    let (house, partner) = (House::new().await, Partner::new().await);
    let connection = house.peers.connect(&partner);
    let mut steps = import(connection);
    steps[0]["operation"] = json!("altcraft.import_profil");
    let (_, broken) = house.peers.publish(steps);
    let sound = house.peers.publish_on(broken, json!({"steps": import(connection)}));
    house.fire(broken, "e", json!({"email": "ann@a.test"})).await;
    let runs = patchbay_testing::wait_for("both runs to end", crate::house::PATIENCE, || async {
        Some(house.runs().await).filter(|runs| runs.len() == 2 && runs.iter().all(|run| run.finished_at > 0))
    })
    .await;
    let of_sound = runs.iter().find(|run| run.automation_id.as_ref() == sound.as_bytes()).unwrap();
    let of_broken = runs.iter().find(|run| run.id != of_sound.id).unwrap();
    assert_eq!((of_sound.status.as_str(), of_broken.status.as_str()), ("succeeded", "failed"));
    let dead = house.dead_letters(WORKSPACE).await;
    assert_eq!((dead.len(), dead[0].run_id.clone()), (1, of_broken.id.clone()));
    assert!(dead[0].error.contains("unknown operation `altcraft.import_profil`"), "{dead:?}");
    house.acknowledged().await;
}

#[tokio::test]
async fn a_step_sees_what_the_steps_before_it_gave() {
    let (house, partner) = (House::new().await, Partner::new().await);
    let connection = house.peers.connect(&partner);
    let mut steps = import(connection);
    let second = json!({
        "key": "launch", "operation": "altcraft.import_and_launch_scenario", "connection_id": connection,
        "input": {
            "db_id": 7, "workflow_id": 12, "matching": "profile_id",
            "profile_id": "{{ steps.import.output.profile_id }}", "data": {"from": "{{ trigger.email }}"},
        },
    });
    steps.as_array_mut().unwrap().push(second);
    let (_, source) = house.peers.publish(steps);
    house.fire(source, "e", json!({"email": "ann@a.test"})).await;
    let run = house.when_is("e", "succeeded").await;
    let keys: Vec<_> = run.steps.iter().map(|step| (step.key.as_str(), step.status.as_str(), step.attempts)).collect();
    assert_eq!(keys, [("import", "succeeded", 1), ("launch", "succeeded", 1)]);
    let calls = partner.calls();
    assert_eq!(calls.len(), 2);
    assert_eq!(calls[1].body["profile_id"], "profile of ann@a.test");
    assert_eq!(calls[1].body["data"], json!({"from": "ann@a.test"}));
}

#[tokio::test]
async fn a_value_that_is_too_large_names_its_field() {
    let input = json!({"db_id": 7, "email": "ann@a.test", "data": {"list": ["{{ trigger.text }}"]}});
    let (class, message) = fails(input, json!({"text": "x".repeat(300_000)})).await;
    assert_eq!(class, "configuration");
    assert_eq!(message, "input.data.list[0]: the value is larger than 262144 bytes");
}

#[tokio::test]
async fn a_template_that_cannot_be_compiled_names_its_step_and_field() {
    let (house, partner) = (House::new().await, Partner::new().await);
    let mut steps = import(house.peers.connect(&partner));
    steps[0]["input"]["data"] = json!({"_fname": "{{ trigger. }}"});
    let (_, source) = house.peers.publish(steps);
    house.fire(source, "e", json!({"email": "ann@a.test"})).await;
    house.when_is("e", "failed").await;
    let dead = house.dead_letters(WORKSPACE).await;
    assert!(dead[0].error.starts_with("step `import`: input.data._fname: "), "{dead:?}");
}

#[tokio::test]
async fn an_expression_that_the_machine_beneath_panics_over_fails_its_run_alone() {
    let input = json!({"db_id": 7, "email": "{{ 'a' if 1 is divisibleby trigger.zero else 'b' }}"});
    let (class, message) = fails(input, json!({"zero": 0})).await;
    assert_eq!(class, "configuration");
    assert!(message.ends_with("the expression can't be evaluated over this data"), "{message}");
}
