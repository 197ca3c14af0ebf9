//! What is refused, and how it is said.

use patchbay_proto::connection::v1::CreateConnectionRequest;
use patchbay_types::fault::{Code, Fault};
use serde_json::{Value, json};

use crate::house::{House, TOKEN, answered};

async fn refused(fields: Value) -> Fault {
    let mut house = House::start().await;
    let fault = house.create(1, &fields).await.unwrap_err();
    assert_eq!(house.list(1).await, []);
    fault
}

fn raw(partner: &str, fields: &'static str) -> CreateConnectionRequest {
    CreateConnectionRequest {
        workspace_id: 1,
        partner: partner.to_owned(),
        title: String::new(),
        fields: fields.into(),
        concurrency: None,
    }
}

#[tokio::test]
async fn an_unknown_partner_is_refused_with_near_names() {
    let mut house = House::start().await;
    let fault = answered(house.public.create(raw("mial", "{}")).await).unwrap_err();
    assert_eq!((fault.code, fault.field.as_deref()), (Code::InvalidArgument, Some("partner")));
    assert!(fault.message.contains("`mial`") && fault.message.contains("`mail`"), "{fault}");
}

#[tokio::test]
async fn a_missing_field_is_named() {
    for fields in [json!({}), json!({"token": null}), json!({"token": ""})] {
        let fault = refused(fields).await;
        assert_eq!((fault.code, fault.field.as_deref()), (Code::InvalidArgument, Some("fields.token")));
    }
}

#[tokio::test]
async fn an_unknown_field_is_named_with_a_near_name() {
    let fault = refused(json!({"token": TOKEN, "hots": "x"})).await;
    assert_eq!((fault.code, fault.field.as_deref()), (Code::InvalidArgument, Some("fields.hots")));
    assert!(fault.message.contains("`host`"), "{fault}");
}

#[tokio::test]
async fn a_field_of_the_wrong_type_is_named() {
    let fault = refused(json!({"token": TOKEN, "size": "large"})).await;
    assert_eq!((fault.code, fault.field.as_deref()), (Code::InvalidArgument, Some("fields.size")));
}

#[tokio::test]
async fn a_secret_of_the_wrong_type_is_named_and_not_repeated() {
    let fault = refused(json!({"token": [TOKEN]})).await;
    assert_eq!((fault.code, fault.field.as_deref()), (Code::InvalidArgument, Some("fields.token")));
    assert!(!fault.message.contains(TOKEN), "{fault}");
}

#[tokio::test]
async fn what_is_no_object_is_refused_without_repeating_it() {
    let mut house = House::start().await;
    for text in [r#""correct-horse-battery""#, r#"{"token":"correct-horse-battery""#, "[]", "\u{0}"] {
        let fault = answered(house.public.create(raw("mail", text)).await).unwrap_err();
        assert_eq!((fault.code, fault.field.as_deref()), (Code::InvalidArgument, Some("fields")));
        assert!(!fault.message.contains(TOKEN), "{fault}");
    }
}

#[tokio::test]
async fn fields_beyond_their_size_are_refused() {
    let fault = refused(json!({"token": "x".repeat(17 * 1024)})).await;
    assert_eq!((fault.code, fault.field.as_deref()), (Code::TooLarge, Some("fields")));
}

#[tokio::test]
async fn a_workspace_must_be_named() {
    let mut house = House::start().await;
    let fault = house.create(0, &json!({"token": TOKEN})).await.unwrap_err();
    assert_eq!((fault.code, fault.field.as_deref()), (Code::InvalidArgument, Some("workspace_id")));
}

#[tokio::test]
async fn a_refused_update_changes_nothing() {
    let mut house = House::start().await;
    let created = house.create(1, &json!({"token": TOKEN, "size": 1})).await.unwrap();
    let fault = house.update(1, created.id, &json!({"size": 2, "token": null})).await.unwrap_err();
    assert_eq!((fault.code, fault.field.as_deref()), (Code::InvalidArgument, Some("fields.token")));
    let fault = house.update(1, created.id, &json!({"size": 2, "host": "no host"})).await.unwrap_err();
    assert_eq!((fault.code, fault.field.as_deref()), (Code::InvalidArgument, Some("fields.host")));
    assert_eq!(house.get(1, created.id).await.unwrap(), created);
}
