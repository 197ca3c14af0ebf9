//! Tenants never see each other.

use patchbay_proto::connection::v1::DeleteConnectionRequest;
use patchbay_types::fault::Code;
use serde_json::json;

use crate::house::{House, TOKEN, answered};

#[tokio::test]
async fn a_foreign_workspace_sees_and_changes_nothing() {
    let mut house = House::start().await;
    let created = house.create(1, &json!({"token": TOKEN})).await.unwrap();
    let own = house.create(2, &json!({"token": TOKEN})).await.unwrap();
    for workspace in [2, 0, -1, i64::MAX] {
        assert_eq!(house.get(workspace, created.id).await.unwrap_err().code, Code::NotFound);
        let updated = house.update(workspace, created.id, &json!({"token": "another-long-token"})).await;
        assert_eq!(updated.unwrap_err().code, Code::NotFound);
        let request = DeleteConnectionRequest { workspace_id: workspace, id: created.id };
        assert_eq!(answered(house.public.delete(request).await).unwrap_err().code, Code::NotFound);
    }
    assert_eq!(house.list(2).await, [own]);
    assert_eq!(house.list(3).await, []);
    assert_eq!(house.list(1).await, [created]);
}

#[tokio::test]
async fn a_foreign_connection_looks_like_none() {
    let mut house = House::start().await;
    let id = house.create(1, &json!({"token": TOKEN})).await.unwrap().id;
    let foreign = house.get(2, id).await.unwrap_err().message;
    let none = house.get(2, id + 1).await.unwrap_err().message;
    assert_eq!(foreign.replace(&id.to_string(), "N"), none.replace(&(id + 1).to_string(), "N"));
}
