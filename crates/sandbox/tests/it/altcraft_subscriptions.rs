#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

use serde_json::{Value, json};

use crate::support::Server;

async fn listed(server: &Server, id: &str) -> Vec<Value> {
    let answer = server.call("subscriptions/list", json!({ "db_id": 7, "profile_id": id })).await;
    assert_eq!(answer["error"], 0, "{answer}");
    answer["data"].as_array().unwrap().clone()
}

#[tokio::test]
async fn sets_one_subscription_and_changes_it() {
    let server = Server::start().await;
    let id = server.import(json!({ "email": "a@b", "data": {} })).await;
    let mut body = json!({
        "db_id": 7, "profile_id": id, "resource_id": 2, "channel": "email", "email": "sub@b", "priority": 1,
    });
    let answer = server.call("subscriptions/set", body.clone()).await;
    assert_eq!(answer, json!({ "error": 0, "error_text": "Successful operation" }));
    body["status"] = json!(1);
    assert_eq!(server.call("subscriptions/set", body).await["error"], 0);

    let listed = listed(&server, &id).await;
    let expected = json!({
        "resource_id": 2, "channel": "email", "email": "sub@b", "priority": 1, "status": "unsubscribed",
        "hash_id": listed[0]["hash_id"],
    });
    assert_eq!(listed, [expected]);
    let found = server.call("profiles/get", json!({ "db_id": 7, "matching": "email_sub", "email": "sub@b" })).await;
    assert_eq!(found["data"]["id"], id);
}

#[tokio::test]
async fn gets_the_one_that_is_asked_for() {
    let server = Server::start().await;
    let data = json!({ "subscriptions": [
        { "resource_id": 2, "channel": "email", "email": "sub@b" },
        { "resource_id": 2, "channel": "sms", "phone": "+79001112233", "status": "hardbounced" },
        { "resource_id": 5, "channel": "push", "provider": "android-firebase", "subscription_id": "tok123" },
    ] });
    let id = server.import(json!({ "email": "a@b", "data": data })).await;
    let listed = listed(&server, &id).await;
    let questions = [
        (json!({ "resource_id": 2 }), 0),
        (json!({ "resource_id": 2, "channel": "sms" }), 1),
        (json!({ "resource_id": "2", "phone": "7 900 111 22 33" }), 1),
        (json!({ "resource_id": 5, "provider": "android-firebase", "subscription_id": "tok123" }), 2),
        (json!({ "hash_id": listed[2]["hash_id"] }), 2),
    ];
    for (mut question, expected) in questions {
        question["db_id"] = json!(7);
        question["profile_id"] = json!(id);
        let answer = server.call("subscriptions/get", question.clone()).await;
        assert_eq!(answer["data"], listed[expected], "{question}");
    }
}

#[tokio::test]
async fn refuses_what_is_no_subscription_or_not_there() {
    let server = Server::start().await;
    let id = server.import(json!({ "email": "a@b", "data": {} })).await;
    let set = [
        (json!({ "resource_id": 2, "channel": "email", "email": "none" }), 400),
        (json!({ "resource_id": 2, "channel": "push", "provider": "p", "subscription_id": "t" }), 400),
        (json!({ "resource_id": 99, "channel": "email", "email": "a@b" }), 400),
        (json!({ "channel": "email", "email": "a@b" }), 400),
        (json!({ "resource_id": 2, "channel": "email", "email": "a@b", "status": "gone" }), 400),
        (json!({ "resource_id": 2, "email": "a@b", "profile_id": "65f0c0ffee0000000000abcd" }), 404),
        (json!({ "resource_id": 2, "email": "a@b", "db_id": 9 }), 404),
    ];
    for (change, expected) in set {
        let mut body = json!({ "db_id": 7, "profile_id": id });
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        assert_eq!(server.call("subscriptions/set", body.clone()).await["error"], expected, "{body}");
    }
    let get = [(json!({ "resource_id": 2 }), 404), (json!({}), 400), (json!({ "resource_id": 2, "db_id": 8 }), 404)];
    for (change, expected) in get {
        let mut body = json!({ "db_id": 7, "profile_id": id });
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        assert_eq!(server.call("subscriptions/get", body.clone()).await["error"], expected, "{body}");
    }
    assert_eq!(listed(&server, &id).await, Vec::<Value>::new());
}
