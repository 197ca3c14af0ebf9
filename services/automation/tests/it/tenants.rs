//! Workspaces never see each other.

use patchbay_types::fault::Code;

use crate::house::{House, OURS, THEIRS, refusal};

#[tokio::test]
async fn a_foreign_automation_does_not_exist() {
    let house = House::open().await;
    let ours = house.published().await;
    let before = house.changes_since(0).await;
    for answer in house.all_methods_for(THEIRS, &ours.id).await {
        assert_eq!(refusal(answer), (Code::NotFound, None));
    }
    assert_eq!(house.get(&ours.id).await.unwrap(), ours);
    assert_eq!(house.changes_since(0).await, before);
}

#[tokio::test]
async fn a_list_holds_a_workspace_alone() {
    let house = House::open().await;
    let ours = house.published().await;
    assert!(house.list(THEIRS, &[], 0).await.unwrap().automations.is_empty());
    assert_eq!(house.list(OURS, &[], 0).await.unwrap().automations, [ours]);
}

#[tokio::test]
async fn an_automation_belongs_to_a_workspace() {
    let house = House::open().await;
    for workspace in [0, -1] {
        let refused = refusal(house.create_for(workspace, &crate::house::welcome()).await);
        assert_eq!(refused, (Code::InvalidArgument, Some("workspace_id".to_owned())));
    }
}
