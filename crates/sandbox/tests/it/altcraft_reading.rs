use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::Server;

#[tokio::test]
async fn reads_subscriptions_in_another_form_than_they_are_written() {
    let server = Server::start().await;
    let data = json!({ "subscriptions": [
        { "resource_id": 2, "channel": "email", "email_data": { "email": "ann@shop.test" }, "status": 0 },
        { "resource_id": 6, "channel": "telegram_bot", "cc_data": { "id": 99 }, "status": "suspended" },
    ] });
    server.import(json!({ "email": "ann@shop.test", "data": data })).await;
    let answer = server.call("profiles/get", json!({ "db_id": 7, "email": "ann@shop.test" })).await;

    let mut subscriptions = answer["data"]["subscriptions"].clone();
    let hashes: BTreeSet<String> = subscriptions
        .as_array_mut()
        .unwrap()
        .iter_mut()
        .map(|subscription| subscription["hash_id"].take().as_str().unwrap().to_owned())
        .collect();
    assert_eq!(hashes.len(), 2);
    let email_data = json!({
        "email": "ann@shop.test", "domain": "shop.test", "domain_group": "Other",
        "md5": subscriptions[0]["email_data"]["md5"],
    });
    let expected = json!([
        {
            "resource_id": 2, "channel": "email", "email_data": email_data, "status": "subscribed",
            "hash_id": null, "is_delete": false,
        },
        {
            "resource_id": 6, "channel": "telegram_bot", "cc_data": { "id": 99 }, "status": "suspended",
            "hash_id": null, "is_delete": false,
        },
    ]);
    assert_eq!(subscriptions, expected);
}

#[tokio::test]
async fn lists_profiles_by_an_opaque_cursor() {
    let server = Server::start().await;
    let mut expected = Vec::new();
    for number in 0..5 {
        expected.push(json!(server.import(json!({ "email": format!("{number}@b"), "data": {} })).await));
    }
    let mut ids = Vec::new();
    let mut body = json!({ "db_id": 7, "limit": 2 });
    loop {
        let page = server.call("profiles/list", body.clone()).await;
        let rows = page["data"].as_array().unwrap();
        if rows.is_empty() {
            break;
        }
        assert!(rows.len() <= 2);
        ids.extend(rows.iter().map(|row| row["id"].clone()));
        // A profile that goes between two pages does not shift the next.
        if ids.len() == 2 {
            let gone = json!({ "db_id": 7, "matching": "profile_id", "profile_id": ids[1] });
            assert_eq!(server.call("profiles/delete", gone).await["error"], 0);
        }
        assert!(page["next_from_id"].is_string());
        body["from_id"] = page["next_from_id"].clone();
    }
    assert_eq!(ids, expected);
}

#[tokio::test]
async fn refuses_a_cursor_that_no_page_gave() {
    let server = Server::start().await;
    let other = server.call("profiles/list", json!({ "db_id": 8 })).await["next_from_id"].clone();
    for cursor in [json!(1), json!("1"), json!("x.y"), json!([]), other] {
        let answer = server.call("profiles/list", json!({ "db_id": 7, "from_id": cursor })).await;
        assert_eq!(answer["error"], 400, "{cursor}");
    }
    assert_eq!(server.call("profiles/list", json!({ "db_id": 7, "limit": 0 })).await["error"], 400);
    assert_eq!(server.call("profiles/list", json!({ "db_id": 9 })).await["error"], 404);
    assert_eq!(server.call("profiles/list", json!({ "db_id": 7, "from_id": "" })).await["data"], json!([]));
}

#[tokio::test]
async fn deletes_a_profile_and_its_place_in_segments() {
    let server = Server::start().await;
    let id = server.import(json!({ "email": "a@b", "add_to_segments": [3], "data": { "CRM_ID": "A" } })).await;
    let by_field = json!({ "db_id": 7, "matching": "custom", "field_name": "CRM_ID", "field_value": "A" });
    let answer = server.call("profiles/delete", by_field.clone()).await;

    assert_eq!(answer, json!({ "error": 0, "error_text": "Successful operation", "data": { "profile_id": id } }));
    assert_eq!(server.call("profiles/delete", by_field).await["error"], 404);
    assert_eq!(server.items("/_/altcraft/segments/3/members").await, Vec::<Value>::new());
    let again = server.import(json!({ "email": "a@b", "data": {} })).await;
    assert_ne!(again, id);
    assert_eq!(server.items("/_/altcraft/profiles").await.len(), 1);
}

#[tokio::test]
async fn refuses_to_delete_what_it_can_not_choose() {
    let server = Server::start().await;
    for _ in 0..2 {
        server.call("profiles/add", json!({ "db_id": 7, "data": { "phones": ["1"] } })).await;
    }
    let cases = [
        (json!({ "db_id": 7, "matching": "phone", "phone": "1" }), 409),
        (json!({ "db_id": 7, "matching": "email_sub", "email": "a@b" }), 400),
        (json!({ "db_id": 7 }), 400),
        (json!({ "email": "a@b" }), 400),
        (json!({ "db_id": 9, "email": "a@b" }), 404),
    ];
    for (body, expected) in cases {
        assert_eq!(server.call("profiles/delete", body.clone()).await["error"], expected, "{body}");
    }
    assert_eq!(server.items("/_/altcraft/profiles").await.len(), 2);
}
