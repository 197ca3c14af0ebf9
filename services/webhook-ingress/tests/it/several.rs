//! Several processes, peers that come and go, and messages over a socket.

use std::{sync::Arc, time::Duration};

use patchbay_proto::event::v1::{PublishRequest, PublishedEvent, event_service_client::EventServiceClient};
use patchbay_runtime::Clock;
use patchbay_testing::wait_for;
use patchbay_webhook_ingress::Config;
use tokio::task::JoinSet;
use tonic::transport::Channel;

use crate::{
    house::{House, PATIENCE},
    peers::WORKSPACE,
};

#[tokio::test]
async fn every_process_knows_what_was_published_a_moment_ago() {
    let house = House::new().await;
    let other = house.another().await;
    for _ in 0..20 {
        let (source, token) = house.peers.publish("{}");
        for process in [&house, &other] {
            let fired = process.event(&token, "{}").await;
            assert_eq!(fired.source_id, source.as_bytes().as_slice());
        }
    }
}

#[tokio::test]
async fn who_learns_nothing_for_a_while_is_not_ready_and_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let mut ground = patchbay_testing::ground(folder.path()).await;
    ground.clock = Clock::adjustable();
    let clock = ground.clock.clone();
    let config = Config { refresh: Duration::from_millis(10), ..Config::default() };
    let house = House::on(ground, folder, config).await;
    house.peers.publish("{}");
    let check = &house.checks[0];
    wait_for("the first refresh", PATIENCE, async || check.holds().ok()).await;
    house.peers.set_down(true);
    let asked = house.peers.failed();
    wait_for("a refresh that fails", PATIENCE, async || (house.peers.failed() > asked + 1).then_some(())).await;
    assert_eq!(check.holds(), Ok(()));
    clock.advance(Duration::from_secs(11));
    let reason = check.holds().unwrap_err();
    assert!(reason.starts_with("not refreshed for 11 s: ") && reason.ends_with(": down"), "{reason}");
    house.peers.set_down(false);
    wait_for("a refresh that ends well", PATIENCE, async || check.holds().ok()).await;
}

#[tokio::test]
async fn the_largest_events_come_over_a_socket() {
    let house = Arc::new(House::new().await);
    house.peers.publish_of("event.received", 0, r#"{"type":"*"}"#);
    let mut serving = JoinSet::new();
    let address = house.listen(&mut serving);
    let mut client = EventServiceClient::new(Channel::from_shared(address).unwrap().connect().await.unwrap());
    let data = format!("\"{}\"", "x".repeat(10 * 1024 * 1024));
    let event = PublishedEvent {
        id: "1".to_owned(),
        source: "/shop".to_owned(),
        r#type: "large".to_owned(),
        data: data.into(),
        attributes: b"{}".as_slice().into(),
        ..PublishedEvent::default()
    };
    let request = PublishRequest { workspace_id: WORKSPACE, events: vec![event] };
    let published = tokio::time::timeout(PATIENCE, client.publish(request)).await.unwrap().unwrap();
    assert_eq!(published.into_inner().sources, [1]);
    assert_eq!(house.fired().await.event_id, "1");
}
