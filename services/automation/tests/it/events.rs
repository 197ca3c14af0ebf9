//! The trigger that programs fire by publishing CloudEvents.

use patchbay_types::fault::Code;
use serde_json::{Value, json};

use crate::house::{House, OURS, welcome};

fn listening(parameters: Value) -> Value {
    let mut document = welcome();
    document["trigger"] = json!({"operation": "event.received", "parameters": parameters});
    document
}

#[tokio::test]
async fn an_event_has_a_source_without_a_hook() {
    let house = House::open().await;
    let created = house.create(&listening(json!({"type": "com.acme.*", "source": "/shop"}))).await.unwrap();
    assert_eq!(created.hook_token, "");
    let source = house.changes_since(0).await.sources.remove(0);
    assert_eq!(
        (source.workspace_id, source.operation.as_str(), source.mode.as_str()),
        (OURS, "event.received", "broker")
    );
    assert_eq!(source.parameters, br#"{"source":"/shop","type":"com.acme.*"}"#.as_slice());
}

#[tokio::test]
async fn what_an_event_must_be_is_checked() {
    let house = House::open().await;
    for (parameters, field) in [
        (json!({"type": "a*b"}), "trigger.parameters.type"),
        (json!({"type": ""}), "trigger.parameters.type"),
        (json!({"type": 7}), "trigger.parameters.type"),
        (json!({"type": "a", "source": []}), "trigger.parameters.source"),
        (json!({"type": "a", "colour": "red"}), "trigger.parameters.colour"),
    ] {
        let fault = house.create(&listening(parameters.clone())).await.unwrap_err();
        assert_eq!((fault.code, fault.field.as_deref()), (Code::InvalidArgument, Some(field)), "{parameters}");
    }
    let draft = house.create(&listening(json!({}))).await.unwrap();
    let fault = house.publish(&draft.id).await.unwrap_err();
    assert_eq!(fault.field.as_deref(), Some("trigger.parameters.type"));
}
