use patchbay_sandbox::{Sandbox, WebhookError};
use serde_json::{Value, json};

use crate::crm_support::Receiver;
use crate::support::Server;

async fn webhooks(server: &Server) -> Value {
    server.crm("GET /crm/webhooks", &Value::Null).await.json()["items"].clone()
}

#[tokio::test]
async fn registers_lists_replaces_and_deletes_webhooks() {
    let server = Server::start().await;
    let first = server.register(&json!({ "url": "http://127.0.0.1:9/a", "secret": "hush" })).await;
    let second = server.register(&json!({ "url": "https://host.example/b", "events": ["contact.changed"] })).await;
    let again = json!({ "url": "http://127.0.0.1:9/a", "events": ["contact.changed", "contact.created"] });
    let replaced = server.crm("POST /crm/webhooks", &again).await;

    assert_eq!(first, json!({ "id": "wh_1", "url": "http://127.0.0.1:9/a", "events": ["contact.created"] }));
    assert_eq!(second, json!({ "id": "wh_2", "url": "https://host.example/b", "events": ["contact.changed"] }));
    let expected =
        json!({ "id": "wh_1", "url": "http://127.0.0.1:9/a", "events": ["contact.created", "contact.changed"] });
    assert_eq!((replaced.status, replaced.json()), (200, expected.clone()));
    assert_eq!(webhooks(&server).await, json!([expected, second]));

    assert_eq!(server.crm("DELETE /crm/webhooks/wh_1", &Value::Null).await.status, 204);
    assert_eq!(server.crm("DELETE /crm/webhooks/wh_1", &Value::Null).await.status, 404);
    assert_eq!(webhooks(&server).await, json!([second]));
    assert_eq!(server.register(&again).await["id"], "wh_3");
}

#[tokio::test]
async fn takes_a_hundred_webhooks_and_no_more() {
    let server = Server::start().await;
    for number in 0..100 {
        server.register(&json!({ "url": format!("http://host/{number}") })).await;
    }
    let refused = server.crm("POST /crm/webhooks", &json!({ "url": "http://host/100" })).await;
    assert_eq!((refused.status, &refused.json()["error"]["code"]), (409, &json!("too_many")));
    assert_eq!(server.crm("POST /crm/webhooks", &json!({ "url": "http://host/7" })).await.status, 200);
}

#[tokio::test]
async fn tells_a_webhook_that_was_registered_before_it_was_served() {
    let receiver = Receiver::start(&[]).await;
    let sandbox = Sandbox::with_contacts_from(1000);
    sandbox.register_crm_webhook(&receiver.url("/hook")).unwrap();
    let server = Server::serve(sandbox).await;
    server.create_contact(&json!({ "email": "a@b" })).await;

    let heard = receiver.heard(1).await;
    assert_eq!((heard[0].path.as_str(), heard[0].news()), ("/hook", json!(["contact.created", "1001"])));
}

#[tokio::test]
async fn refuses_to_register_what_is_no_url() {
    let sandbox = Sandbox::with_contacts_from(1000);
    assert_eq!(sandbox.register_crm_webhook("hook"), Err(WebhookError::Url));
    assert_eq!(sandbox.register_crm_webhook(&format!("http://h/{}", "ä".repeat(1991))), Ok(()));
    assert_eq!(sandbox.register_crm_webhook(&format!("http://h/{}", "ä".repeat(1992))), Err(WebhookError::TooLong));
}

#[tokio::test]
async fn keeps_webhooks_over_a_reset_that_forgets_the_rest() {
    let receiver = Receiver::start(&[]).await;
    let server = Server::start().await;
    server.register(&json!({ "url": receiver.url("/hook") })).await;
    server.create_contact(&json!({ "email": "a@b" })).await;
    server.deliveries(1).await;

    assert_eq!(server.send("POST /_/reset", &[], b"").await.unwrap().status, 200);
    assert_eq!(server.items("/_/crm/contacts").await, Vec::<Value>::new());
    assert_eq!(server.items("/_/crm/deliveries").await, Vec::<Value>::new());
    assert_eq!(server.crm("GET /crm/contacts", &Value::Null).await.json()["total"], 0);
    server.create_contact(&json!({ "email": "a@b" })).await;
    assert_eq!(receiver.heard(2).await[1].news(), json!(["contact.created", "1002"]));
}
