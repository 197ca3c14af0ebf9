#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

use serde_json::{Value, json};

use crate::support::{Reply, Server, TOKEN};

const PATH: &str = "POST /api/integrations/any/profile_import";
const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");

async fn by_url(server: &Server, query: &str) -> Reply {
    server.send(&format!("{PATH}/?token={TOKEN}&{query}"), &[], b"").await.unwrap()
}

#[tokio::test]
async fn imports_by_the_url_alone() {
    let server = Server::start().await;
    let query =
        "db_id=7&email=ann%40shop.test&phone=%2B79001112233&_fname=Ann&orders=2&tags=a,b&CRM_ID=017&resource_id=2";
    let reply = by_url(&server, query).await;
    assert_eq!((reply.status, reply.body.as_str()), (200, "Successful operation"));

    let rows = server.items("/_/altcraft/profiles").await;
    let expected = json!({
        "id": rows[0]["id"], "db_id": 7, "email": "ann@shop.test", "phones": ["+79001112233"], "_fname": "Ann",
        "orders": 2, "tags": ["a", "b"], "CRM_ID": "017",
        "subscriptions": [
            { "resource_id": 2, "channel": "email", "email": "ann@shop.test", "status": "subscribed" },
            { "resource_id": 2, "channel": "sms", "phone": "+79001112233", "status": "subscribed" },
        ],
    });
    assert_eq!(rows, [expected]);
}

#[tokio::test]
async fn imports_by_each_kind_of_body() {
    let server = Server::start().await;
    let form = format!("token={TOKEN}&db_id=7&email=a%40b&_fname=Form");
    let json = json!({ "token": TOKEN, "db_id": 7, "email": "a@b", "_lname": "Json" }).to_string();
    let xml = format!("<xml><token>{TOKEN}</token><db_id>7</db_id><email>a@b</email><_city>Xml</_city></xml>");
    for (headers, body) in
        [(vec![FORM], form), (vec![], json.clone()), (vec![FORM], json), (vec![("Content-Type", "text/xml")], xml)]
    {
        let reply = server.send(PATH, &headers, body.as_bytes()).await.unwrap();
        assert_eq!(reply.status, 200, "{body}: {}", reply.body);
    }
    let rows = server.items("/_/altcraft/profiles").await;
    let names: Vec<Value> = rows.iter().map(|row| json!([row["_fname"], row["_lname"], row["_city"]])).collect();
    assert_eq!(names, [json!(["Form", "Json", "Xml"])]);
}

#[tokio::test]
async fn matches_by_a_field_of_the_database() {
    let server = Server::start().await;
    for _ in 0..2 {
        let reply = by_url(&server, "db_id=7&matching=CRM_ID&CRM_ID=A-17&_fname=Ann").await;
        assert_eq!(reply.status, 200, "{}", reply.body);
    }
    assert_eq!(server.items("/_/altcraft/profiles").await.len(), 1);
}

#[tokio::test]
async fn starts_a_scenario_or_a_mailing() {
    let server = Server::start().await;
    assert_eq!(by_url(&server, "db_id=7&email=a%40b&workflow_id=12").await.status, 200);
    assert_eq!(by_url(&server, "db_id=7&email=a%40b&trigger_id=55").await.status, 200);

    assert_eq!(server.items("/_/altcraft/workflows/12/entries").await.len(), 1);
    assert_eq!(server.items("/_/altcraft/triggers/55/launches").await.len(), 1);
    assert_eq!(server.items("/_/altcraft/profiles").await.len(), 1);
}

#[tokio::test]
async fn refuses_by_status_and_imports_nothing() {
    let server = Server::start().await;
    let cases = [
        ("email=a%40b", 400),
        ("db_id=7", 400),
        ("db_id=7&email=none", 400),
        ("db_id=7&matching=CRM_ID", 400),
        ("db_id=7&matching=profile_id&profile_id=x", 400),
        ("db_id=7&matching=token", 400),
        ("db_id=9&email=a%40b", 404),
        ("db_id=7&email=a%40b&resource_id=99", 404),
        ("db_id=8&email=a%40b&resource_id=5", 400),
        ("db_id=7&email=a%40b&workflow_id=13", 400),
        ("db_id=7&email=a%40b&workflow_id=14", 400),
        ("db_id=7&email=a%40b&workflow_id=99", 404),
        ("db_id=7&email=a%40b&trigger_id=57", 400),
    ];
    for (query, expected) in cases {
        let reply = by_url(&server, query).await;
        assert_eq!(reply.status, expected, "{query}: {}", reply.body);
        assert!(!reply.body.is_empty());
    }
    let broken = server.send(&format!("{PATH}?token={TOKEN}"), &[], b"{").await.unwrap();
    let get = server.send("GET /api/integrations/any/profile_import", &[], b"").await.unwrap();
    assert_eq!((broken.status, get.status), (400, 405));
    assert_eq!(server.items("/_/altcraft/profiles").await, Vec::<Value>::new());
}

#[tokio::test]
async fn refuses_keys_and_ambiguity_by_status() {
    let server = Server::start().await;
    for _ in 0..2 {
        server.call("profiles/add", json!({ "db_id": 7, "data": { "phones": ["1"] } })).await;
    }
    assert_eq!(by_url(&server, "db_id=7&matching=phone&phone=1").await.status, 409);
    for query in ["", "?token=other", "?token=sandbox-altcraft-readonly"] {
        let reply = server.send(&format!("{PATH}{query}"), &[], b"").await.unwrap();
        assert_eq!(reply.status, 403, "{query}");
    }
    server.fault(&json!({ "match": PATH, "status": 402, "body": "Tariff limit reached", "times": 1 })).await;
    assert_eq!(by_url(&server, "db_id=7&email=a%40b").await.status, 402);
}
