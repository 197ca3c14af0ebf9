#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

use std::time::Duration;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};

use crate::crm_support::{Delivery, KEY, Receiver};
use crate::support::Server;

const DEADLINE: Duration = Duration::from_secs(20);
const BOTH: [&str; 2] = ["contact.created", "contact.changed"];

/// HMAC-SHA-256 by its definition (RFC 2104), for keys of at most 64 bytes, in hex.
fn hmac(key: &[u8], message: &[u8]) -> String {
    let pad = |byte: u8| -> Vec<u8> { (0..64).map(|index| key.get(index).copied().unwrap_or(0) ^ byte).collect() };
    let inner = Sha256::digest([pad(0x36), message.to_vec()].concat());
    let outer = Sha256::digest([pad(0x5c), inner.to_vec()].concat());
    outer.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn signed(delivery: &Delivery, secret: &str) -> String {
    let message = format!("{}.{}", delivery.header("x-crm-timestamp"), delivery.body);
    format!("sha256={}", hmac(secret.as_bytes(), message.as_bytes()))
}

fn news(deliveries: &[Delivery]) -> Vec<Value> {
    deliveries.iter().map(Delivery::news).collect()
}

#[test]
fn computes_the_signature_of_the_standard() {
    // RFC 4231, test case 2.
    let expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
    assert_eq!(hmac(b"Jefe", b"what do ya want for nothing?"), expected);
}

#[tokio::test]
async fn delivers_a_signed_event() {
    let receiver = Receiver::start(&[]).await;
    let server = Server::start().await;
    server.register(&json!({ "url": receiver.url("/hook") })).await;
    let contact = server.create_contact(&json!({ "email": "анна@b", "custom_fields": { "vip": true } })).await;

    let heard = receiver.heard(1).await;
    let delivery = &heard[0];
    let id = delivery.header("x-crm-event-id");
    assert!(id.starts_with("evt_"), "{id}");
    let event =
        json!({ "id": id, "type": "contact.created", "created_at": contact["created_at"], "data": contact.clone() });
    assert_eq!(delivery.json(), event);
    assert_eq!(delivery.header("x-crm-signature"), signed(delivery, KEY));
    assert_eq!(delivery.header("content-type"), "application/json");

    let items = server.deliveries(1).await;
    let expected = json!({
        "at": items[0]["at"], "webhook_id": "wh_1", "url": receiver.url("/hook"), "event_id": id,
        "type": "contact.created", "contact_id": "1001", "attempt": 1, "status": 204, "error": null,
    });
    assert_eq!(items, [expected]);
}

#[tokio::test]
async fn tells_two_webhooks_the_same_event_each_under_its_own_secret() {
    let (first, second) = (Receiver::start(&[]).await, Receiver::start(&[]).await);
    let server = Server::start().await;
    server.register(&json!({ "url": first.url("/one"), "secret": "секрет" })).await;
    server.register(&json!({ "url": second.url("/two") })).await;
    server.create_contact(&json!({ "email": "a@b" })).await;

    let (one, two) = (first.heard(1).await.remove(0), second.heard(1).await.remove(0));
    assert_eq!((one.body.as_str(), one.path.as_str()), (two.body.as_str(), "/one"));
    assert_eq!(one.header("x-crm-signature"), signed(&one, "секрет"));
    assert_eq!(two.header("x-crm-signature"), signed(&two, KEY));
}

#[tokio::test]
async fn tries_again_with_the_same_event_until_it_is_taken() {
    let receiver = Receiver::start(&[500, 302]).await;
    let server = Server::start().await;
    server.register(&json!({ "url": receiver.url("/hook") })).await;
    server.create_contact(&json!({ "email": "a@b" })).await;

    let tries: Vec<Value> =
        server.deliveries(3).await.iter().map(|item| json!([item["attempt"], item["status"], item["error"]])).collect();
    assert_eq!(tries, [json!([1, 500, null]), json!([2, 302, null]), json!([3, 204, null])]);
    let heard = receiver.heard(3).await;
    for delivery in &heard {
        assert_eq!(delivery.header("x-crm-event-id"), heard[0].header("x-crm-event-id"));
        assert_eq!(delivery.body, heard[0].body);
        assert_eq!(delivery.header("x-crm-signature"), signed(delivery, KEY));
    }
}

#[tokio::test]
async fn shows_why_nothing_was_delivered() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let closed = listener.local_addr().unwrap();
    drop(listener);
    let server = Server::start().await;
    server.register(&json!({ "url": format!("http://{closed}/hook") })).await;
    server.create_contact(&json!({ "email": "a@b" })).await;

    let items = server.deliveries(1).await;
    assert_eq!((&items[0]["attempt"], &items[0]["status"]), (&json!(1), &Value::Null));
    assert!(items[0]["error"].as_str().is_some_and(|error| error.contains("127.0.0.1")), "{items:?}");
}

#[tokio::test]
async fn keeps_the_order_of_one_contact() {
    let receiver = Receiver::start(&[503]).await;
    let server = Server::start().await;
    server.register(&json!({ "url": receiver.url("/hook"), "events": BOTH })).await;
    server.create_contact(&json!({ "email": "a@b" })).await;
    for number in 0..3 {
        server.crm("PATCH /crm/contacts/1001", &json!({ "first_name": number.to_string() })).await;
    }

    let heard = receiver.heard(5).await;
    let created = json!(["contact.created", "1001"]);
    let changed = json!(["contact.changed", "1001"]);
    assert_eq!(news(&heard), [created.clone(), created, changed.clone(), changed.clone(), changed]);
    let names: Vec<Value> = heard[2..].iter().map(|delivery| delivery.json()["data"]["first_name"].clone()).collect();
    assert_eq!(names, ["0", "1", "2"]);
}

#[tokio::test]
async fn tells_only_what_a_webhook_wants_to_hear() {
    let receiver = Receiver::start(&[]).await;
    let server = Server::start().await;
    server.register(&json!({ "url": receiver.url("/changes"), "events": ["contact.changed"] })).await;
    server.create_contact(&json!({ "email": "a@b" })).await;
    server.crm("PATCH /crm/contacts/1001", &json!({ "phone": "1" })).await;
    assert_eq!(news(&receiver.heard(1).await), [json!(["contact.changed", "1001"])]);
}

#[tokio::test]
async fn tells_a_deleted_webhook_nothing_more() {
    let receiver = Receiver::start(&[500; 4]).await;
    let server = Server::start().await;
    let webhook = json!({ "url": receiver.url("/hook") });
    server.register(&webhook).await;
    server.create_contact(&json!({ "email": "a@b" })).await;
    server.deliveries(1).await;
    assert_eq!(server.crm("DELETE /crm/webhooks/wh_1", &Value::Null).await.status, 204);

    // By the third try of the second event, the second one of the first would long have come.
    server.register(&webhook).await;
    server.create_contact(&json!({ "email": "a@b" })).await;
    let expected = ["1001", "1002", "1002", "1002"].map(|id| json!(["contact.created", id]));
    assert_eq!(news(&receiver.heard(4).await), expected);
}

#[tokio::test]
async fn delivers_many_contacts_each_once() {
    let receiver = Receiver::start(&[]).await;
    let server = Server::start().await;
    server.register(&json!({ "url": receiver.url("/hook") })).await;
    for _ in 0..200 {
        server.create_contact(&json!({ "email": "a@b" })).await;
    }

    server.deliveries(200).await;
    let heard = receiver.heard(200).await;
    let mut ids: Vec<Value> = heard.iter().map(|delivery| delivery.json()["data"]["id"].clone()).collect();
    ids.sort_by_key(Value::to_string);
    let expected: Vec<Value> = (1001..1201).map(|id| json!(id.to_string())).collect();
    assert_eq!(ids, expected);
}

/// A sandbox whose one delivery waits for an answer, and the connection of that.
async fn held_up() -> (Server, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = Server::start().await;
    server.register(&json!({ "url": format!("http://{}/hook", listener.local_addr().unwrap()) })).await;
    server.create_contact(&json!({ "email": "a@b" })).await;
    let (mut stream, _) = tokio::time::timeout(DEADLINE, listener.accept()).await.unwrap().unwrap();
    stream.read_exact(&mut [0; 16]).await.unwrap();
    (server, stream)
}

async fn is_closed(mut stream: TcpStream) -> bool {
    let mut rest = Vec::new();
    tokio::time::timeout(DEADLINE, stream.read_to_end(&mut rest)).await.is_ok()
}

#[tokio::test]
async fn ends_deliveries_at_shutdown() {
    let (server, stream) = held_up().await;
    server.stop().await;
    assert!(is_closed(stream).await);
}

#[tokio::test]
async fn ends_deliveries_when_it_is_dropped() {
    let (server, stream) = held_up().await;
    drop(server);
    assert!(is_closed(stream).await);
}
