//! Publishing CloudEvents, and looking at what comes in.

use axum::{body::Body, http::Request};
use bytes::Bytes;
use patchbay_proto::event::v1::{PublishRequest, TailRequest};
use serde_json::{Value, json};

use crate::{
    house::{Answer, House},
    peers::Asked,
};

async fn publish(house: &House, headers: &[(&str, &str)], body: impl Into<Body>) -> Answer {
    let mut request = Request::post("/v1/events").header("authorization", format!("Bearer {}", house.token));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    house.send(request.body(body.into()).unwrap()).await
}

fn created(id: &str) -> Value {
    json!({"specversion": "1.0", "id": id, "source": "/shop", "type": "com.acme.created", "data": {"n": 1}})
}

fn published(house: &House) -> PublishRequest {
    let mut asked = house.peers.asked();
    assert_eq!(asked.len(), 1, "{asked:?}");
    let Some(Asked::Publish(request)) = asked.pop() else { panic!("{asked:?}") };
    assert_eq!(request.workspace_id, house.workspace.get());
    request
}

#[tokio::test]
async fn publishes_one_event_or_a_batch() {
    let house = House::new().await;
    let one = publish(&house, &[("content-type", "application/cloudevents+json")], created("a").to_string()).await;
    assert_eq!(
        (one.status.as_u16(), one.json()),
        (202, json!({"accepted": 1, "events": [{"id": "a", "triggers": 1}]}))
    );
    let event = published(&house).events.remove(0);
    assert_eq!(
        (event.id.as_str(), event.r#type.as_str(), event.data),
        ("a", "com.acme.created", Bytes::from("{\"n\":1}"))
    );

    let media = [("content-type", "application/cloudevents-batch+json")];
    let many = publish(&house, &media, json!([created("a"), created("b")]).to_string()).await;
    let events = json!([{"id": "a", "triggers": 1}, {"id": "b", "triggers": 2}]);
    assert_eq!((many.status.as_u16(), many.json()), (202, json!({"accepted": 2, "events": events})));
    assert_eq!(published(&house).events.len(), 2);
}

#[tokio::test]
async fn publishes_an_event_whose_attributes_are_headers() {
    let house = House::new().await;
    let headers = [
        ("ce-specversion", "1.0"),
        ("ce-id", "a"),
        ("ce-source", "/shop"),
        ("ce-type", "com.acme.created"),
        ("content-type", "application/json"),
    ];
    let answer = publish(&house, &headers, "{\"n\":1}").await;
    assert_eq!(answer.status.as_u16(), 202, "{answer:?}");
    let event = published(&house).events.remove(0);
    assert_eq!((event.source.as_str(), event.data), ("/shop", Bytes::from("{\"n\":1}")));
}

#[tokio::test]
async fn refuses_what_is_no_event_and_asks_nobody() {
    let house = House::new().await;
    let media = [("content-type", "application/cloudevents+json")];
    let mut without_type = created("a");
    without_type["type"].take();
    let refused = publish(&house, &media, without_type.to_string()).await;
    assert_eq!(
        (refused.problem(), refused.json()["field"].clone()),
        ((400, "invalid_argument".to_owned()), json!("type"))
    );
    assert_eq!(publish(&house, &media, vec![b' '; 10 * 1024 * 1024 + 1]).await.problem().0, 413);
    assert_eq!(publish(&house, &[("content-type", "text/plain")], "hello").await.problem().0, 415);
    assert_eq!(house.peers.asked(), []);
}

#[tokio::test]
async fn shows_what_comes_in_as_server_sent_events() {
    let house = House::new().await;
    let answer = house.get("/v1/events").await;
    assert_eq!(answer.headers["content-type"], "text/event-stream");
    let data = answer.text.lines().find_map(|line| line.strip_prefix("data: ")).unwrap();
    let event: Value = serde_json::from_str(data).unwrap();
    assert_eq!((&event["event_id"], &event["operation"]), (&json!("1"), &json!("webhook.received")));
    assert_eq!(event["trigger"], json!({"text": "a\nb"}));
    assert_eq!(house.peers.asked(), [Asked::Tail(TailRequest { workspace_id: house.workspace.get() })]);
}
