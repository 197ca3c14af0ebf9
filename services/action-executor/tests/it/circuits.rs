//! How many calls a partner gets at once, and what happens when it does not answer.

use std::time::Duration;

use serde_json::json;

use crate::{
    house::{House, PATIENCE, Setup, import, launch, names},
    partner::{Answer, Partner},
    peers::WORKSPACE,
};

#[tokio::test]
async fn a_connection_gets_no_more_calls_at_once_than_it_allows() {
    let (house, partner) = (House::new().await, Partner::new().await);
    partner.otherwise(Answer::Late(Duration::from_millis(3)));
    let connection = house.peers.connect_in(WORKSPACE, &partner, Some(3));
    let (_, source) = house.peers.publish(launch(connection));
    house.fire_many(source, 100).await;
    house.when_all_are("succeeded", 100).await;
    assert_eq!(partner.emails(), names(100));
    assert!(partner.most_at_once() <= 3, "{} calls at once", partner.most_at_once());
}

#[tokio::test]
async fn what_finds_no_place_waits_in_line_in_the_store() {
    let (house, partner) = (House::new().await, Partner::new().await);
    partner.otherwise(Answer::Holds);
    let connection = house.peers.connect_in(WORKSPACE, &partner, Some(4));
    let (_, source) = house.peers.publish(launch(connection));
    house.fire_many(source, 200).await;
    partner.asked(4).await;
    patchbay_testing::wait_for("196 runs in line", PATIENCE, || async {
        let runs = house.runs().await;
        let in_line = runs.iter().filter_map(|run| run.waiting.as_ref());
        (in_line.filter(|waiting| waiting.connection_id == connection).count() == 196).then_some(())
    })
    .await;
    house.acknowledged().await;
    assert_eq!(partner.calls().len(), 4);
    partner.release();
    house.when_all_are("succeeded", 200).await;
    assert_eq!(partner.emails(), names(200));
    assert!(partner.most_at_once() <= 4, "{} calls at once", partner.most_at_once());
}

#[tokio::test]
async fn a_limit_that_is_raised_lets_the_line_move() {
    let (house, partner) = (House::new().await, Partner::new().await);
    partner.otherwise(Answer::Holds);
    let connection = house.peers.connect_in(WORKSPACE, &partner, Some(1));
    let (_, source) = house.peers.publish(launch(connection));
    house.fire_many(source, 10).await;
    partner.asked(1).await;
    house.peers.set_concurrency(connection, 5);
    partner.asked(5).await;
    partner.release();
    house.when_all_are("succeeded", 10).await;
    assert!(partner.most_at_once() <= 5, "{} calls at once", partner.most_at_once());
}

#[tokio::test]
async fn more_events_than_memory_takes_wait_in_the_broker() {
    let mut setup = Setup::default();
    setup.config.in_flight = 4;
    setup.config.in_flight_bytes = 8 * 1024;
    let (house, partner) = (House::with(setup).await, Partner::new().await);
    let connection = house.peers.connect(&partner);
    let (_, source) = house.peers.publish(launch(connection));
    // One that is larger than all memory for events is taken alone.
    let large = json!({"email": "large", "text": "x".repeat(64 * 1024)});
    house.fire_many(source, 60).await;
    house.fire(source, "large", large).await;
    house.when_all_are("succeeded", 61).await;
    assert_eq!(partner.done().len(), 61);
    house.acknowledged().await;
}

#[tokio::test]
async fn a_partner_that_is_down_gets_few_calls_and_delays_nobody_else() {
    let mut setup = Setup::default();
    setup.config.circuit_failures = 3;
    setup.config.retry_delays = vec![Duration::from_millis(20); 50];
    let (house, down, up) = (House::with(setup).await, Partner::new().await, Partner::new().await);
    down.otherwise(Answer::unavailable());
    let (_, source) = house.peers.publish(launch(house.peers.connect_in(WORKSPACE, &down, Some(2))));
    let (_, other) = house.peers.publish(import(house.peers.connect(&up)));
    house.fire_many(source, 60).await;
    down.asked(3).await;
    let event = |id: &str| house.event(other, id, &json!({"email": id}));
    house.publish(&["x", "y", "z"].map(event)).await;
    for id in ["x", "y", "z"] {
        house.when_is(id, "succeeded").await;
    }
    // Several probes later the line still stands, and nearly nobody has been asked.
    down.asked(7).await;
    house.acknowledged().await;
    let runs = house.runs().await;
    assert_eq!(runs.iter().filter(|run| run.status == "waiting" || run.status == "running").count(), 60);
    assert!(down.calls().len() < 15, "{} calls", down.calls().len());

    down.otherwise(Answer::Done);
    house.when_all_are("succeeded", 63).await;
    assert_eq!(down.done(), names(60));
}

#[tokio::test]
async fn a_partner_that_hangs_up_opens_the_circuit_too() {
    let mut setup = Setup::default();
    setup.config.circuit_failures = 2;
    setup.config.retry_delays = vec![Duration::from_millis(20); 50];
    let (house, partner) = (House::with(setup).await, Partner::new().await);
    partner.otherwise(Answer::HangsUp);
    let (_, source) = house.peers.publish(import(house.peers.connect_in(WORKSPACE, &partner, Some(1))));
    house.fire_many(source, 20).await;
    partner.asked(6).await;
    partner.otherwise(Answer::Done);
    house.when_all_are("succeeded", 20).await;
    assert!(partner.calls().len() < 40, "{} calls", partner.calls().len());
}
