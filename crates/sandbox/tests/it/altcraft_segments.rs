use serde_json::{Value, json};

use crate::support::Server;

const MEMBERS: &str = "/_/altcraft/segments/3/members";

#[tokio::test]
async fn takes_a_profile_in_once_and_lets_it_go() {
    let server = Server::start().await;
    let id = server.import(json!({ "email": "a@b", "data": {} })).await;
    let body = json!({ "db_id": 7, "segment_id": 3, "profile_id": id, "skip_triggers": true });
    for _ in 0..2 {
        let answer = server.call("profiles/segstatic/add", body.clone()).await;
        assert_eq!(answer, json!({ "error": 0, "error_text": "Successful operation" }));
    }
    assert_eq!(server.items(MEMBERS).await, [json!({ "profile_id": id, "email": "a@b" })]);

    for _ in 0..2 {
        assert_eq!(server.call("profiles/segstatic/remove", body.clone()).await["error"], 0);
    }
    assert_eq!(server.items(MEMBERS).await, Vec::<Value>::new());
}

#[tokio::test]
async fn takes_nothing_but_a_profile_id() {
    let server = Server::start().await;
    let id = server.import(json!({ "email": "a@b", "data": {} })).await;
    let elsewhere = server.call("profiles/add", json!({ "db_id": 8, "data": {} })).await["profile_id"].clone();
    let cases = [
        (json!({ "db_id": 7, "segment_id": 3, "matching": "email", "email": "a@b" }), 400),
        (json!({ "db_id": 7, "profile_id": id }), 400),
        (json!({ "segment_id": 3, "profile_id": id }), 400),
        (json!({ "db_id": 7, "segment_id": 99, "profile_id": id }), 404),
        (json!({ "db_id": 9, "segment_id": 3, "profile_id": id }), 404),
        (json!({ "db_id": 7, "segment_id": 3, "profile_id": "65f0c0ffee0000000000abcd" }), 404),
        (json!({ "db_id": 8, "segment_id": 3, "profile_id": elsewhere }), 400),
    ];
    for (body, expected) in cases {
        for method in ["profiles/segstatic/add", "profiles/segstatic/remove"] {
            assert_eq!(server.call(method, body.clone()).await["error"], expected, "{body}");
        }
    }
    assert_eq!(server.items(MEMBERS).await, Vec::<Value>::new());
}
