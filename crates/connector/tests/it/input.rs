//! A step's input before anything is rendered.

use patchbay_connector::builtin;
use serde_json::{Value as Json, json};

fn faults(input: Json) -> Vec<String> {
    let catalog = builtin().unwrap();
    let (_, operation) = catalog.operation("altcraft.import_and_launch_scenario").unwrap();
    let faults = operation.validate_input(&input).err().unwrap_or_default();
    faults.into_iter().map(|fault| fault.to_string()).collect()
}

#[test]
fn takes_constants_and_templates() {
    for input in [
        json!({"db_id": 7, "workflow_id": "12", "email": "{{ trigger.email }}", "data": {"_fname": "{{ trigger.first_name | title }}"}}),
        json!({"db_id": "{{ trigger.db }}", "workflow_id": 12, "matching": "{{ trigger.by }}"}),
        json!({"db_id": 7, "workflow_id": 12, "matching": "email_phone", "phone": "{{ trigger.phone | digits }}"}),
        json!({"db_id": 7, "workflow_id": 12, "email": "{{ trigger.email }}", "data": "{{ trigger }}", "content": null}),
    ] {
        assert_eq!(faults(input.clone()), [""; 0], "{input}");
    }
}

#[test]
fn says_everything_that_is_wrong() {
    let valid = json!({"db_id": 7, "workflow_id": 12, "email": "a@b.test"});
    for (field, value, expected) in [
        ("emial", json!("x"), "emial: unknown field, did you mean `email`?"),
        ("db_id", json!("seven"), "db_id: expected a whole number, found `seven`"),
        ("db_id", Json::Null, "db_id: required"),
        ("workflow_id", json!([1]), "workflow_id: expected a whole number, found a list"),
        ("workflow_id", json!(["{{ trigger.id }}"]), "workflow_id: expected a whole number"),
        ("data", json!(["{{ trigger.id }}"]), "data: expected an object"),
        ("email", json!(""), "email: required"),
        ("email", json!("{{ trigger.email | lowr }}"), "email: unknown filter `lowr`"),
        (
            "email",
            json!("{{ tigger.email }}"),
            "email: unknown name `tigger`; there are connection, input, item, body, status, headers, trigger, trigger_meta, steps, now, test",
        ),
        (
            "email",
            json!("{{ connection.token }}"),
            "email: a step can't see `connection`; it sees `trigger`, `trigger_meta`, `steps` and `now`",
        ),
        ("data", json!({"a": [{"b": "{{ x"}]}), "data.a[0].b: `{{` has no closing `}}`"),
        ("skip_triggers", json!("perhaps"), "skip_triggers: expected true or false, found `perhaps`"),
    ] {
        let mut input = valid.clone();
        input[field] = value;
        assert_eq!(faults(input.clone()), [expected], "{input}");
    }
    assert_eq!(faults(json!([])), [": expected an object with the operation's fields"]);
    assert_eq!(faults(json!({})), ["db_id: required", "workflow_id: required", "email: required"]);
    let unknown = faults(json!({"db_id": 7, "workflow_id": 12, "matching": "emial"}));
    assert!(unknown[0].starts_with("matching: expected one of `email`, `email_profile`"), "{unknown:?}");
}
