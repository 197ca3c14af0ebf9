//! Connections are switched off and on.

use patchbay_proto::connection::{
    internal::v1::ChangesSinceRequest,
    v1::{Connection, ConnectionRequest, DeleteConnectionRequest},
};
use patchbay_store::Sql;
use patchbay_types::fault::{Code, Fault};
use serde_json::json;

use crate::house::{House, TOKEN, answered};

impl House {
    async fn disconnect(&mut self, workspace_id: i64, id: i64) -> Result<Connection, Fault> {
        answered(self.public.disconnect(ConnectionRequest { workspace_id, id }).await)
    }

    async fn reactivate(&mut self, workspace_id: i64, id: i64) -> Result<Connection, Fault> {
        answered(self.public.reactivate(ConnectionRequest { workspace_id, id }).await)
    }

    /// Status and revision of the only change after `revision`.
    async fn change_after(&mut self, revision: i64) -> Option<(String, i64)> {
        let changes = answered(self.internal.changes_since(ChangesSinceRequest { revision }).await).unwrap();
        changes.connections.into_iter().next().map(|change| (change.status, change.revision))
    }
}

#[tokio::test]
async fn a_disconnected_connection_gives_no_credential_until_it_is_reactivated() {
    let mut house = House::start().await;
    let created = house.create(1, &json!({"token": TOKEN, "size": 3})).await.unwrap();

    let off = house.disconnect(1, created.id).await.unwrap();
    assert_eq!(house.get(1, created.id).await.unwrap(), off);
    assert_eq!(house.change_after(1).await, Some(("disconnected".to_owned(), 2)));
    let fault = house.issue(created.id).await.unwrap_err();
    assert_eq!(
        (fault.code, fault.message),
        (Code::FailedPrecondition, format!("connection {} is disconnected", created.id))
    );

    let on = house.reactivate(1, created.id).await.unwrap();
    assert_eq!(house.change_after(2).await, Some(("active".to_owned(), 3)));
    assert_eq!(house.issue(created.id).await.unwrap().revision, 3);
    for (changed, status) in [(&off, "disconnected"), (&on, "active")] {
        let expected = Connection { status: status.to_owned(), updated_at: changed.updated_at, ..created.clone() };
        assert_eq!(changed, &expected);
        assert!(changed.updated_at > created.updated_at);
    }
}

#[tokio::test]
async fn what_is_so_already_stays_so() {
    let mut house = House::start().await;
    let created = house.create(1, &json!({"token": TOKEN})).await.unwrap();
    assert_eq!(house.reactivate(1, created.id).await.unwrap(), created);
    let off = house.disconnect(1, created.id).await.unwrap();
    assert_eq!(house.disconnect(1, created.id).await.unwrap(), off);
    assert_eq!(house.change_after(2).await, None);
}

#[tokio::test]
async fn only_a_credential_helps_a_connection_that_needs_reauthorization() {
    let mut house = House::start().await;
    let id = house.create(1, &json!({"token": TOKEN})).await.unwrap().id;
    house.execute("UPDATE connection_connections SET status = 'needs_reauthorization'").await;

    let fault = house.reactivate(1, id).await.unwrap_err();
    assert_eq!(fault.code, Code::FailedPrecondition);
    assert!(fault.message.contains("give it its credential again"), "{fault}");
    assert_eq!(house.get(1, id).await.unwrap().status, "needs_reauthorization");

    house.update(1, id, &json!({"token": "another-long-token"})).await.unwrap();
    assert_eq!(house.reactivate(1, id).await.unwrap().status, "active");
}

#[tokio::test]
async fn a_disconnected_connection_can_be_changed_and_stays_off() {
    let mut house = House::start().await;
    let id = house.create(1, &json!({"token": TOKEN})).await.unwrap().id;
    house.disconnect(1, id).await.unwrap();
    assert_eq!(house.update(1, id, &json!({"size": 5})).await.unwrap().status, "disconnected");
}

#[tokio::test]
async fn switching_a_damaged_row_off_destroys_nothing_of_it() {
    let mut house = House::start().await;
    let created = house.create(1, &json!({"token": TOKEN, "size": 4})).await.unwrap();
    let damage = Sql::two(
        "UPDATE connection_connections SET fields = CAST('!' || fields AS BLOB)",
        r"UPDATE connection_connections SET fields = '\x21'::BYTEA || fields",
    );
    house.execute_either(damage).await;
    house.disconnect(1, created.id).await.unwrap();
    house.execute("UPDATE connection_connections SET fields = substr(fields, 2)").await;
    assert_eq!(house.get(1, created.id).await.unwrap().fields, created.fields);
}

#[tokio::test]
async fn strangers_and_deleted_connections_are_not_found() {
    let mut house = House::start().await;
    let id = house.create(1, &json!({"token": TOKEN})).await.unwrap().id;
    for workspace in [2, 0, -1] {
        assert_eq!(house.disconnect(workspace, id).await.unwrap_err().code, Code::NotFound);
        assert_eq!(house.reactivate(workspace, id).await.unwrap_err().code, Code::NotFound);
    }
    assert_eq!(house.get(1, id).await.unwrap().status, "active");
    answered(house.public.delete(DeleteConnectionRequest { workspace_id: 1, id }).await).unwrap();
    assert_eq!(house.disconnect(1, id).await.unwrap_err().code, Code::NotFound);
    assert_eq!(house.reactivate(1, id).await.unwrap_err().code, Code::NotFound);
}
