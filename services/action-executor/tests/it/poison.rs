//! Messages that can't become runs don't hold up the others.

use std::time::Duration;

use bytes::Bytes;
use patchbay_proto::event::v1::TriggerFired;
use prost::Message as _;
use serde_json::json;

use crate::{
    house::{House, import},
    partner::Partner,
    peers::WORKSPACE,
};

#[tokio::test]
async fn what_cannot_be_decoded_becomes_a_dead_letter() {
    let (house, partner) = (House::new().await, Partner::new().await);
    let (_, source) = house.peers.publish(import(house.peers.connect(&partner)));
    let sound = house.event(source, "sound", &json!({"email": "ann@a.test"}));
    let without_source = TriggerFired { source_id: Bytes::from_static(b"short"), ..sound.clone() };
    let messages = [
        Bytes::from_static(b"\xff\xff no protobuf"),
        Bytes::new(),
        without_source.encode_to_vec().into(),
        sound.encode_to_vec().into(),
    ];
    house.publish_raw(messages.map(|message| ("key".to_owned(), message)).to_vec()).await;
    house.when_is("sound", "succeeded").await;
    house.acknowledged().await;
    house.counted("patchbay_dead_letters_total 3").await;
    let dead = house.dead_letters(0).await;
    assert_eq!(dead.len(), 3);
    assert!(dead.iter().all(|letter| letter.kind == "event" && letter.reason == "undecodable"), "{dead:?}");
}

#[tokio::test]
async fn an_event_older_than_the_memory_of_ids_becomes_a_dead_letter() {
    let (house, partner) = (House::new().await, Partner::new().await);
    let (_, source) = house.peers.publish(import(house.peers.connect(&partner)));
    let mut event = house.event(source, "old", &json!({"email": "ann@a.test"}));
    event.accepted_at -= i64::try_from(Duration::from_hours(7 * 24 + 1).as_micros()).unwrap();
    house.publish(&[event]).await;
    house.fire(source, "new", json!({"email": "ann@a.test"})).await;
    house.when_is("new", "succeeded").await;
    house.acknowledged().await;
    let dead = house.dead_letters(WORKSPACE).await;
    let [letter] = &dead[..] else { panic!("{dead:?}") };
    assert_eq!((letter.kind.as_str(), letter.reason.as_str(), letter.event_id.as_str()), ("event", "too_old", "old"));
    assert_eq!((house.runs().await.len(), partner.calls().len()), (1, 1));
}
