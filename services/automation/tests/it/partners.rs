//! Triggers of partners.

use patchbay_proto::automation::internal::v1::Source;
use patchbay_service::hook_token;
use patchbay_types::{SourceId, fault::Code};
use serde_json::{Value, json};

use crate::{
    house::{House, OURS, refusal, welcome, welcome_with},
    peers::hook_keys,
};

/// A connection to the shop.
const SHOP: i64 = 5;

/// A definition with a trigger of the shop, which can be published.
fn orders() -> Value {
    let trigger = json!({ "operation": "shop.order_changed", "connection_id": SHOP, "mode": "webhook",
                          "parameters": { "city": "berlin" }, "filter": "trigger.sum > 0" });
    welcome_with("/trigger", trigger)
}

/// The same with another value in its trigger.
fn orders_with(key: &str, value: Value) -> Value {
    let mut definition = orders();
    definition["trigger"][key] = value;
    definition
}

async fn source(house: &House) -> Source {
    house.changes_since(0).await.sources.remove(0)
}

#[tokio::test]
async fn a_source_carries_what_its_trigger_says() {
    let house = House::open().await;
    let created = house.create(&orders()).await.unwrap();
    let expected = |revision| Source {
        id: created.source_id.clone(),
        workspace_id: OURS,
        operation: "shop.order_changed".to_owned(),
        parameters: br#"{"city":"berlin"}"#.as_slice().into(),
        deleted: false,
        revision,
        connection_id: SHOP,
        mode: "webhook".to_owned(),
    };
    assert_eq!(source(&house).await, expected(1));
    house.publish(&created.id).await.unwrap();
    assert_eq!(source(&house).await, expected(2));
    let house = house.restart().await;
    assert_eq!(source(&house).await, expected(2));
}

#[tokio::test]
async fn it_has_a_hook_like_any_other() {
    let house = House::open().await;
    let created = house.create(&orders()).await.unwrap();
    let source = hook_token::verify(&hook_keys(), &created.hook_token).unwrap();
    assert_eq!(&source.as_bytes()[..], &created.source_id[..]);
}

#[tokio::test]
async fn the_mode_is_the_usual_one_unless_it_is_said() {
    let house = House::open().await;
    house.create(&orders_with("mode", Value::Null)).await.unwrap();
    assert_eq!(source(&house).await.mode, "webhook");
}

#[tokio::test]
async fn an_edit_moves_a_source_to_another_trigger_when_it_is_published() {
    let house = House::open().await;
    let published = house.published().await;
    house.update(&published.id, &orders()).await.unwrap();
    assert_eq!(source(&house).await.operation, "webhook.received");
    let again = house.publish(&published.id).await.unwrap();
    assert_eq!(again.source_id, published.source_id);
    let source_now = source(&house).await;
    assert_eq!((source_now.operation.as_str(), source_now.connection_id), ("shop.order_changed", SHOP));
    house.update(&published.id, &welcome()).await.unwrap();
    house.publish(&published.id).await.unwrap();
    let source_now = source(&house).await;
    assert_eq!((source_now.operation.as_str(), source_now.connection_id), ("webhook.received", 0));
}

#[tokio::test]
async fn every_mistake_names_its_path() {
    let house = House::open().await;
    let wrong = [
        ("trigger.operation", orders_with("operation", json!("shop.order_chnged"))),
        ("trigger.operation", orders_with("operation", json!("nowhere.anything"))),
        ("trigger.connection_id", orders_with("connection_id", json!(404))),
        // Another partner's, and another workspace's.
        ("trigger.connection_id", orders_with("connection_id", json!(2))),
        ("trigger.connection_id", orders_with("connection_id", json!(10))),
        ("trigger.mode", orders_with("mode", json!("poll"))),
        ("trigger.mode", orders_with("mode", json!(7))),
        ("trigger.mode", orders_with("mode", json!({ "period": { "from": "2026-01-01T00:00:00Z" } }))),
        ("trigger.schedule", orders_with("schedule", json!({ "every": "5m" }))),
        ("trigger.filter", orders_with("filter", json!("trigger.email =="))),
        ("trigger.filter", orders_with("filter", json!("connection.secret"))),
        ("trigger.parameters.cty", orders_with("parameters", json!({ "cty": "berlin" }))),
        ("trigger.parameters.city", orders_with("parameters", json!({ "city": "rome" }))),
        ("trigger.parameters.city", orders_with("parameters", json!({ "city": "{{ trigger.city }}" }))),
        ("trigger.parameters.limit", orders_with("parameters", json!({ "city": "berlin", "limit": "many" }))),
        ("trigger.parameters.dedupe", orders_with("parameters", json!({ "city": "berlin", "dedupe": "off" }))),
        ("steps[0].operation", {
            let mut definition = orders();
            definition["steps"][0]["operation"] = json!("shop.order_changed");
            definition
        }),
    ];
    for (path, definition) in wrong {
        let refused = refusal(house.create(&definition).await);
        assert_eq!(refused, (Code::InvalidArgument, Some(path.to_owned())), "{definition}");
    }
    assert!(house.list(OURS, &[], 0).await.unwrap().automations.is_empty());
}

#[tokio::test]
async fn what_is_missing_is_refused_at_publish_only() {
    let house = House::open().await;
    for (path, definition) in [
        ("trigger.connection_id", orders_with("connection_id", Value::Null)),
        ("trigger.parameters.city", orders_with("parameters", Value::Null)),
        ("trigger.parameters.city", orders_with("parameters", json!({ "city": "" }))),
    ] {
        let draft = house.create(&definition).await.unwrap();
        let refused = refusal(house.publish(&draft.id).await);
        assert_eq!(refused, (Code::FailedPrecondition, Some(path.to_owned())), "{definition}");
        house.update(&draft.id, &orders()).await.unwrap();
        assert_eq!(house.publish(&draft.id).await.unwrap().status, "active");
    }
}

#[tokio::test]
async fn an_unknown_trigger_is_told_what_is_near() {
    let house = House::open().await;
    let fault = house.create(&orders_with("operation", json!("shop.order_chnged"))).await.unwrap_err();
    assert!(fault.message.contains("did you mean `shop.order_changed`?"), "{fault}");
    let fault = house.create(&orders_with("operation", json!("webhook.receved"))).await.unwrap_err();
    assert!(fault.message.contains("`webhook.received`"), "{fault}");
    let fault = house.create(&orders_with("mode", json!({ "period": {} }))).await.unwrap_err();
    assert!(fault.message.contains("not available yet"), "{fault}");
}

#[tokio::test]
async fn nothing_is_taken_unasked_while_connections_are_down() {
    let house = House::open().await;
    house.connections_are_down();
    let mut definition = orders();
    definition["steps"] = json!([]);
    assert_eq!(refusal(house.create(&definition).await), (Code::Unavailable, None));
}

#[tokio::test]
async fn who_shares_a_source_has_its_trigger() {
    let house = House::open().await;
    let owner = house.create(&orders()).await.unwrap();
    house.publish(&owner.id).await.unwrap();
    let id = SourceId::from_slice(&owner.source_id).unwrap().to_string();
    let sharing = orders_with("source_id", json!(id));
    let sharer = house.create(&sharing).await.unwrap();
    let with = |key: &str, value: Value| {
        let mut definition = sharing.clone();
        definition["trigger"][key] = value;
        definition
    };
    let mut other = welcome();
    other["trigger"]["source_id"] = json!(id);
    for (path, definition) in [
        ("trigger.operation", other),
        ("trigger.connection_id", with("connection_id", json!(6))),
        ("trigger.parameters", with("parameters", json!({ "city": "paris" }))),
    ] {
        house.update(&sharer.id, &definition).await.unwrap();
        let refused = refusal(house.publish(&sharer.id).await);
        assert_eq!(refused, (Code::FailedPrecondition, Some(path.to_owned())), "{definition}");
    }
    house.update(&sharer.id, &sharing).await.unwrap();
    assert_eq!(house.publish(&sharer.id).await.unwrap().source_id, owner.source_id);
}
