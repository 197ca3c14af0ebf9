//! From the first to the last day of a connection.

use patchbay_proto::connection::v1::{
    CreateConnectionRequest, DeleteConnectionRequest, ListConnectionsRequest, UpdateConnectionRequest,
};
use patchbay_types::fault::Code;
use serde_json::json;

use crate::house::{House, TOKEN, answered, json};

#[tokio::test]
async fn a_new_connection_has_defaults_masks_and_the_title_of_its_partner() {
    let mut house = House::start().await;
    let before = house.ground.clock.now().as_micros();
    let created = house.create(1, &json!({"token": TOKEN, "second": "short", "size": "12"})).await.unwrap();
    let shown = json!({"host": "mail.example.com", "token": "••tery", "second": "••", "size": 12});
    assert_eq!(json(&created.fields), shown);
    assert_eq!((created.title.as_str(), created.partner.as_str()), ("Mail", "mail"));
    assert_eq!((created.status.as_str(), created.concurrency, created.workspace_id), ("active", None, 1));
    assert!(created.created_at >= before && created.updated_at == created.created_at);
    assert_eq!(house.get(1, created.id).await.unwrap(), created);
    assert_eq!(house.list(1).await, [created]);
}

#[tokio::test]
async fn a_title_and_a_concurrency_are_kept() {
    let mut house = House::start().await;
    let request = CreateConnectionRequest {
        workspace_id: 1,
        partner: "mail".to_owned(),
        title: " Newsletter ".to_owned(),
        fields: json!({"token": TOKEN}).to_string().into(),
        concurrency: Some(0),
    };
    let created = answered(house.public.create(request).await).unwrap();
    assert_eq!((created.title.as_str(), created.concurrency), ("Newsletter", Some(0)));
    assert_eq!(house.get(1, created.id).await.unwrap(), created);
}

#[tokio::test]
async fn an_update_changes_only_what_it_names() {
    let mut house = House::start().await;
    let created = house.create(1, &json!({"token": TOKEN, "size": 1})).await.unwrap();
    let renamed = UpdateConnectionRequest {
        workspace_id: 1,
        id: created.id,
        title: Some("Renamed".to_owned()),
        fields: bytes::Bytes::new(),
        concurrency: Some(5),
    };
    let renamed = answered(house.public.update(renamed).await).unwrap();
    assert_eq!((renamed.title.as_str(), renamed.concurrency), ("Renamed", Some(5)));
    assert_eq!(renamed.fields, created.fields);

    let resized = house.update(1, created.id, &json!({"size": 2})).await.unwrap();
    assert_eq!((resized.title.as_str(), resized.concurrency), ("Renamed", Some(5)));
    assert_eq!(json(&resized.fields), json!({"host": "mail.example.com", "token": "••tery", "size": 2}));
    assert_eq!(house.get(1, created.id).await.unwrap(), resized);
}

#[tokio::test]
async fn a_deleted_connection_is_gone_once() {
    let mut house = House::start().await;
    let id = house.create(1, &json!({"token": TOKEN})).await.unwrap().id;
    let request = DeleteConnectionRequest { workspace_id: 1, id };
    answered(house.public.delete(request).await).unwrap();
    assert_eq!(answered(house.public.delete(request).await).unwrap_err().code, Code::NotFound);
    assert_eq!(house.get(1, id).await.unwrap_err().code, Code::NotFound);
    assert_eq!(house.update(1, id, &json!({"size": 1})).await.unwrap_err().code, Code::NotFound);
    assert_eq!(house.list(1).await, []);
    assert!(house.create(1, &json!({"token": TOKEN})).await.unwrap().id > id);
}

#[tokio::test]
async fn pages_follow_each_other_by_id() {
    let mut house = House::start().await;
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.push(house.create(1, &json!({"token": TOKEN})).await.unwrap().id);
    }
    let mut pages = Vec::new();
    let mut after_id = 0;
    loop {
        let request = ListConnectionsRequest { workspace_id: 1, limit: 2, after_id };
        let page = answered(house.public.list(request).await).unwrap();
        pages.push(page.connections.iter().map(|connection| connection.id).collect::<Vec<_>>());
        after_id = page.next_after_id;
        if after_id == 0 {
            break;
        }
    }
    assert_eq!(pages, [&ids[0..2], &ids[2..4], &ids[4..5]]);
}

#[tokio::test]
async fn connections_survive_a_restart() {
    let mut house = House::start().await;
    let created = house.create(1, &json!({"token": TOKEN})).await.unwrap();
    let mut house = house.restart().await;
    assert_eq!(house.list(1).await, [created]);
}

#[tokio::test]
async fn a_mask_is_never_taken_for_a_secret() {
    let mut house = House::start().await;
    let created = house.create(1, &json!({"token": TOKEN})).await.unwrap();
    // As it was read: nothing changes.
    assert_eq!(house.update(1, created.id, &json!({"token": "••tery"})).await.unwrap().fields, created.fields);
    for stale in ["••wxyz", "••"] {
        let fault = house.update(1, created.id, &json!({"token": stale})).await.unwrap_err();
        assert_eq!((fault.code, fault.field.as_deref()), (Code::InvalidArgument, Some("fields.token")));
        assert!(house.create(1, &json!({"token": stale})).await.is_err());
    }
    let credential = house.issue(created.id).await.unwrap();
    assert!(String::from_utf8_lossy(&credential.fields).contains(TOKEN));
}
