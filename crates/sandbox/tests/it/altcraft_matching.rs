use serde_json::{Value, json};

use crate::support::Server;

/// The ids that each question finds.
async fn found(server: &Server, questions: &[Value]) -> Vec<Value> {
    let mut ids = Vec::new();
    for question in questions {
        let mut body = question.clone();
        body["db_id"] = json!(7);
        let answer = server.call("profiles/get", body).await;
        ids.push(if answer["error"] == 0 { answer["data"]["id"].clone() } else { answer["error"].clone() });
    }
    ids
}

#[tokio::test]
async fn looks_for_emails_where_the_mode_says() {
    let server = Server::start().await;
    let own = server.import(json!({ "email": "own@b", "data": {} })).await;
    let data = json!({ "subscriptions": [{ "resource_id": 2, "channel": "email", "email": "sub@b" }] });
    let subscribed = server.import(json!({ "email": "other@b", "data": data })).await;

    let questions = [
        json!({ "email": "own@b" }),
        json!({ "matching": "email", "email": "SUB@B" }),
        json!({ "matching": "email_profile", "email": "own@b" }),
        json!({ "matching": "email_profile", "email": "sub@b" }),
        json!({ "matching": "email_sub", "email": "own@b" }),
        json!({ "matching": "email_sub", "email": "sub@b" }),
    ];
    let expected = [json!(own), json!(subscribed), json!(own), json!(404), json!(404), json!(subscribed)];
    assert_eq!(found(&server, &questions).await, expected);
}

#[tokio::test]
async fn looks_for_phones_where_the_mode_says() {
    let server = Server::start().await;
    let own = server.import(json!({ "matching": "phone", "phone": "+7 900 1", "data": {} })).await;
    let data = json!({ "subscriptions": [{ "resource_id": 2, "channel": "sms", "phone": "+79002" }] });
    let subscribed = server.import(json!({ "email": "a@b", "data": data })).await;

    let questions = [
        json!({ "matching": "phone", "phone": "+79001" }),
        json!({ "matching": "phone", "phone": 79002 }),
        json!({ "matching": "phone_sub", "phone": "+79001" }),
        json!({ "matching": "phone_sub", "phone": "+79002" }),
        json!({ "matching": "phone", "phone": "none" }),
        json!({ "matching": "phone" }),
    ];
    let expected = [json!(own), json!(subscribed), json!(404), json!(subscribed), json!(400), json!(400)];
    assert_eq!(found(&server, &questions).await, expected);
    let rows = server.items("/_/altcraft/profiles").await;
    assert_eq!(rows[0], json!({ "id": own, "db_id": 7, "phones": ["+7 900 1"] }));
}

#[tokio::test]
async fn looks_for_email_or_phone_together() {
    let server = Server::start().await;
    let both = json!({ "matching": "email_phone", "email": "a@b", "phone": "1", "data": {} });
    let id = server.import(both).await;

    let questions = [
        json!({ "matching": "email_phone", "email": "a@b" }),
        json!({ "matching": "email_phone", "phone": "1" }),
        json!({ "matching": "email_phone", "email": "x@y", "phone": "1" }),
        json!({ "matching": "email_phone_sub", "email": "a@b" }),
        json!({ "matching": "email_phone" }),
    ];
    assert_eq!(found(&server, &questions).await, [json!(id), json!(id), json!(id), json!(404), json!(400)]);
}

#[tokio::test]
async fn only_updates_by_profile_id() {
    let server = Server::start().await;
    let id = server.import(json!({ "email": "a@b", "data": {} })).await;
    let unknown = json!({ "matching": "profile_id", "profile_id": "65f0c0ffee0000000000abcd", "data": {} });

    assert_eq!(server.import_error(unknown).await, 404);
    assert_eq!(server.import(json!({ "matching": "profile_id", "profile_id": id, "data": { "x": 1 } })).await, id);
    let expected = json!({ "id": id, "db_id": 7, "email": "a@b", "x": 1 });
    assert_eq!(server.items("/_/altcraft/profiles").await, [expected]);
}

#[tokio::test]
async fn looks_into_custom_fields_and_tags() {
    let server = Server::start().await;
    let custom = |name: &str, value: Value| json!({ "matching": "custom", "field_name": name, "field_value": value });
    let first = server.import(json!({ "email": "a@b", "data": { "CRM_ID": 17, "tags": ["x", "y"] } })).await;
    let second = server.import(json!({ "email": "c@d", "data": { "CRM_ID": "A", "tags": ["x"] } })).await;

    let questions = [
        custom("CRM_ID", json!("17")),
        custom("CRM_ID", json!("A")),
        custom("CRM_ID", json!("B")),
        custom("tags", json!("y, x")),
        custom("tags", json!("x")),
        custom("CRM_ID", json!(null)),
        json!({ "matching": "custom", "field_value": "A" }),
    ];
    let expected = [json!(first), json!(second), json!(404), json!(first), json!(409), json!(400), json!(400)];
    assert_eq!(found(&server, &questions).await, expected);
}

#[tokio::test]
async fn finds_again_what_each_mode_created() {
    let server = Server::start().await;
    let modes = [
        json!({ "matching": "email", "email": "1@b" }),
        json!({ "matching": "email_profile", "email": "2@b" }),
        json!({ "matching": "email_sub", "email": "3@b", "resource_id": 2 }),
        json!({ "matching": "phone", "phone": "4" }),
        json!({ "matching": "phone_sub", "phone": "5" }),
        json!({ "matching": "push_sub", "provider": "android-firebase", "subscription_id": "tok" }),
        json!({ "matching": "custom", "field_name": "CRM_ID", "field_value": "A-17" }),
        json!({ "matching": "custom_sub", "field_name": "id", "field_value": 99 }),
        json!({ "matching": "email_phone", "email": "6@b", "phone": "6" }),
        json!({ "matching": "email_phone_sub", "email": "7@b", "phone": "7" }),
    ];
    for mode in &modes {
        let mut body = mode.clone();
        body["data"] = json!({ "x": 1 });
        let first = server.import(body.clone()).await;
        assert_eq!(server.import(body).await, first, "{mode}");
    }
    assert_eq!(server.items("/_/altcraft/profiles").await.len(), modes.len());
}

#[tokio::test]
async fn refuses_to_choose_between_two_matches() {
    let server = Server::start().await;
    server.import(json!({ "email": "a@b", "data": { "phones": ["1"] } })).await;
    server.import(json!({ "email": "c@d", "data": { "phones": ["1"] } })).await;
    let before = server.items("/_/altcraft/profiles").await;

    let by_phone = json!({ "matching": "phone", "phone": "1", "data": { "x": 1 } });
    let by_both = json!({ "matching": "email_phone", "email": "a@b", "phone": "1", "data": { "x": 1 } });
    assert_eq!((server.import_error(by_phone).await, server.import_error(by_both).await), (409, 409));
    assert_eq!(server.items("/_/altcraft/profiles").await, before);
}
