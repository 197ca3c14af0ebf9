//! Sources that several automations share.

use patchbay_proto::automation::v1::Automation;
use patchbay_types::{SourceId, fault::Code};
use serde_json::{Value, json};

use crate::house::{House, THEIRS, refusal, welcome, welcome_with};

fn sharing(automation: &Automation) -> Value {
    let source = SourceId::from_slice(&automation.source_id).unwrap().to_string();
    let mut definition = welcome_with("/trigger/source_id", json!(source));
    definition["trigger"]["parameters"] = json!({});
    definition
}

async fn living(house: &House) -> Vec<Vec<u8>> {
    let sources = house.changes_since(0).await.sources.into_iter();
    sources.filter(|source| !source.deleted).map(|source| source.id.to_vec()).collect()
}

#[tokio::test]
async fn a_shared_source_has_one_hook() {
    let house = House::open().await;
    let owner = house.published().await;
    let sharer = house.create(&sharing(&owner)).await.unwrap();
    assert_eq!((&sharer.source_id, &sharer.hook_token), (&owner.source_id, &owner.hook_token));
    house.publish(&sharer.id).await.unwrap();
    assert_eq!(living(&house).await, [owner.source_id.to_vec()]);
}

#[tokio::test]
async fn a_shared_source_lives_until_nobody_has_it() {
    let house = House::open().await;
    let owner = house.published().await;
    let sharer = house.create(&sharing(&owner)).await.unwrap();
    house.delete(&owner.id).await.unwrap();
    assert_eq!(living(&house).await, [owner.source_id.to_vec()]);
    house.delete(&sharer.id).await.unwrap();
    assert!(living(&house).await.is_empty());
}

#[tokio::test]
async fn an_edit_moves_only_the_draft_to_another_source() {
    let house = House::open().await;
    let (owner, mover) = (house.published().await, house.published().await);
    let edited = house.update(&mover.id, &sharing(&owner)).await.unwrap();
    assert_eq!(edited.source_id, owner.source_id);
    let followed = |changes: Vec<patchbay_proto::automation::internal::v1::PublishedAutomation>| {
        changes.into_iter().find(|automation| automation.id == mover.id).unwrap().source_id
    };
    assert_eq!(followed(house.changes_since(0).await.automations), mover.source_id);
    house.publish(&mover.id).await.unwrap();
    assert_eq!(followed(house.changes_since(0).await.automations), owner.source_id);
    house.delete(&mover.id).await.unwrap();
    assert_eq!(living(&house).await, [owner.source_id.to_vec()]);
}

#[tokio::test]
async fn only_the_owner_sets_the_parameters() {
    let house = House::open().await;
    let owner = house.published().await;
    let mut definition = sharing(&owner);
    definition["trigger"]["parameters"] = json!({ "dedupe": "off" });
    let sharer = house.create(&definition).await.unwrap();
    let refused = refusal(house.publish(&sharer.id).await);
    assert_eq!(refused, (Code::FailedPrecondition, Some("trigger.parameters".to_owned())));
    let mut owned = welcome();
    owned["trigger"]["parameters"] = json!({ "dedupe": "off" });
    house.update(&owner.id, &owned).await.unwrap();
    house.publish(&owner.id).await.unwrap();
    house.publish(&sharer.id).await.unwrap();
    assert_eq!(house.changes_since(0).await.sources[0].parameters, br#"{"dedupe":"off"}"#.as_slice());
}

#[tokio::test]
async fn refuses_a_source_that_is_not_there() {
    let house = House::open().await;
    let theirs =
        house.create_for(THEIRS, &json!({ "name": "x", "trigger": { "operation": "webhook.received" } })).await;
    let gone = house.published().await;
    house.delete(&gone.id).await.unwrap();
    let unknown = Automation { source_id: SourceId::generate().as_bytes().to_vec().into(), ..Default::default() };
    let ours = house.create(&welcome()).await.unwrap();
    for automation in [theirs.unwrap(), gone, unknown] {
        let wrong = (Code::InvalidArgument, Some("trigger.source_id".to_owned()));
        assert_eq!(refusal(house.create(&sharing(&automation)).await), wrong);
        assert_eq!(refusal(house.update(&ours.id, &sharing(&automation)).await), wrong);
    }
}
