//! Connections that are broken, gone, somebody else's, or talkative.

use std::time::Duration;

use patchbay_proto::executor::v1::Run;
use serde_json::json;

use crate::{
    house::{House, Setup, import, launch},
    partner::{Answer, Partner},
    peers::{FOREIGN, TOKEN, WORKSPACE},
};

fn waits_behind(connection: i64) -> impl Fn(&Run) -> bool {
    move |run| {
        let waiting = run.waiting.as_ref();
        waiting.is_some_and(|waiting| waiting.r#for == "connection" && waiting.connection_id == connection)
    }
}

fn configuration(run: &Run) -> &str {
    let error = run.steps[0].error.as_ref().unwrap();
    assert_eq!((run.status.as_str(), error.class.as_str()), ("failed", "configuration"));
    &error.message
}

#[tokio::test]
async fn a_refused_credential_is_reported_and_its_runs_wait_for_a_new_one() {
    let (house, partner) = (House::new().await, Partner::new().await);
    let connection = house.peers.connect(&partner);
    let (_, source) = house.peers.publish(launch(connection));
    partner.script([Answer::refuses(401, "bad token")]);
    house.fire(source, "a", json!({"email": "ann@a.test"})).await;
    let waiting = house.when("a", "behind its connection", waits_behind(connection)).await;
    assert_eq!(waiting.status, "waiting");
    assert_eq!(waiting.waiting.unwrap().reason, "connection needs new credentials: bad token");
    assert_eq!(waiting.steps[0].error.as_ref().unwrap().class, "auth");
    assert_eq!(house.peers.refused(), [connection]);

    house.fire(source, "b", json!({"email": "bob@b.test"})).await;
    house.when("b", "behind its connection", waits_behind(connection)).await;
    assert_eq!(partner.calls().len(), 1);

    house.peers.reconnect(connection, "a-new-token");
    let runs = house.when_all_are("succeeded", 2).await;
    assert!(runs.iter().all(|run| run.steps[0].attempts == 1), "a refused call is no try: {runs:?}");
    let tokens: Vec<_> = partner.calls().into_iter().map(|call| call.authorization).collect();
    assert_eq!(tokens, [format!("Bearer {TOKEN}"), "Bearer a-new-token".to_owned(), "Bearer a-new-token".to_owned()]);
    assert_eq!(house.peers.refused(), [connection]);
}

#[tokio::test]
async fn a_changed_credential_is_used_at_once() {
    let (house, partner) = (House::new().await, Partner::new().await);
    let connection = house.peers.connect(&partner);
    let (_, source) = house.peers.publish(launch(connection));
    for (event, token) in [("a", "token-one"), ("b", "token-two")] {
        house.peers.reconnect(connection, token);
        house.fire(source, event, json!({"email": "ann@a.test"})).await;
        house.when_is(event, "succeeded").await;
    }
    let tokens: Vec<_> = partner.calls().into_iter().map(|call| call.authorization).collect();
    assert_eq!(tokens, ["Bearer token-one", "Bearer token-two"]);
}

#[tokio::test]
async fn a_disconnected_connection_keeps_its_runs_until_it_is_active_again() {
    let (mut house, partner) = (House::new().await, Partner::new().await);
    let connection = house.peers.connect(&partner);
    house.peers.set_connection(connection, "disconnected");
    let (_, source) = house.peers.publish(launch(connection));
    house.fire(source, "e", json!({"email": "ann@a.test"})).await;
    let run = house.when("e", "behind its connection", waits_behind(connection)).await;
    assert_eq!(run.waiting.unwrap().reason, "connection is not active");
    house.crash();
    house.begin().await;
    house.when("e", "behind its connection", waits_behind(connection)).await;
    house.peers.set_connection(connection, "active");
    house.when_is("e", "succeeded").await;
    assert_eq!(partner.calls().len(), 1);
}

#[tokio::test]
async fn a_deleted_connection_fails_its_runs() {
    let (house, partner) = (House::new().await, Partner::new().await);
    let connection = house.peers.connect(&partner);
    let (_, source) = house.peers.publish(launch(connection));
    house.peers.set_connection(connection, "disconnected");
    house.fire(source, "waiting", json!({"email": "ann@a.test"})).await;
    house.when("waiting", "behind its connection", waits_behind(connection)).await;
    house.peers.set_connection(connection, "deleted");
    house.fire(source, "new", json!({"email": "ann@a.test"})).await;
    for event in ["waiting", "new"] {
        let run = house.when_is(event, "failed").await;
        assert_eq!(configuration(&run), format!("connection {connection} does not exist in this workspace"));
    }
    assert_eq!(partner.calls().len(), 0);
}

#[tokio::test]
async fn a_connection_of_another_workspace_is_never_used() {
    let (house, partner) = (House::new().await, Partner::new().await);
    let foreign = house.peers.connect_in(FOREIGN, &partner, None);
    for connection in [foreign, 999, 0] {
        let (_, source) = house.peers.publish(import(connection));
        let id = connection.to_string();
        house.fire(source, &id, json!({"email": "ann@a.test"})).await;
        let run = house.when_is(&id, "failed").await;
        assert_eq!(configuration(&run), format!("connection {connection} does not exist in this workspace"));
    }
    assert_eq!(partner.calls().len(), 0);
}

#[tokio::test]
async fn secrets_that_a_partner_repeats_are_not_kept() {
    let (house, partner) = (House::new().await, Partner::new().await);
    let connection = house.peers.connect(&partner);
    let (_, source) = house.peers.publish(launch(connection));
    partner.script([
        Answer::Says(200, json!({"error": 0, "profile_id": format!("yours is {TOKEN}, {TOKEN}")})),
        Answer::refuses(400, &format!("{TOKEN} has no right")),
        Answer::Says(500, json!(TOKEN)),
        Answer::refuses(402, TOKEN),
        Answer::refuses(401, &format!("no such token: {TOKEN}")),
    ]);
    for (event, status) in
        [("done", "succeeded"), ("refused", "failed"), ("tried again", "failed"), ("unauthorized", "waiting")]
    {
        house.fire(source, event, json!({"email": "ann@a.test"})).await;
        house.when_is(event, status).await;
    }
    let done = &house.runs_of("done").await[0];
    assert_eq!(done.steps[0].output, r#"{"profile_id":"yours is ***, ***"}"#);
    let shown = format!("{:?}{:?}", house.runs().await, house.dead_letters(WORKSPACE).await);
    assert!(!shown.contains(TOKEN), "{shown}");
    assert_eq!(partner.calls().len(), 5);
}

#[tokio::test]
async fn a_partner_that_asks_for_a_pause_gets_it_and_others_go_on() {
    let (house, partner, other) = (House::new().await, Partner::new().await, Partner::new().await);
    let (connection, elsewhere) = (house.peers.connect(&partner), house.peers.connect(&other));
    let (_, source) = house.peers.publish(launch(connection));
    let (_, other_source) = house.peers.publish(launch(elsewhere));
    partner.script([Answer::refuses(429, "slowly")]);
    house.fire(source, "a", json!({"email": "ann@a.test"})).await;
    house.when_is("a", "waiting").await;
    house.fire(source, "b", json!({"email": "bob@b.test"})).await;
    let run = house.when("b", "behind its connection", waits_behind(connection)).await;
    assert_eq!(run.waiting.unwrap().reason, "partner asked for a pause");
    house.fire(other_source, "c", json!({"email": "cid@c.test"})).await;
    house.when_is("c", "succeeded").await;
    assert_eq!(partner.calls().len(), 1);
    let first = house.when_is("a", "succeeded").await;
    house.when_is("b", "succeeded").await;
    assert!(Duration::from_micros((first.finished_at - first.started_at).unsigned_abs()) > Duration::from_millis(900));
}

#[tokio::test]
async fn a_credential_that_cannot_be_had_now_makes_its_run_wait() {
    let mut setup = Setup::default();
    setup.config.credential_hold = Duration::ZERO;
    let (house, partner) = (House::with(setup).await, Partner::new().await);
    let connection = house.peers.connect(&partner);
    let mut steps = launch(connection);
    steps.as_array_mut().unwrap().extend(import(connection).as_array().unwrap().clone());
    let (_, source) = house.peers.publish(steps);
    partner.script([Answer::Holds]);
    house.fire(source, "e", json!({"email": "ann@a.test"})).await;
    partner.asked(1).await;
    // Only the second step finds nobody to ask.
    house.peers.set_connection_down(true);
    partner.release();
    house.when("e", "behind its connection", waits_behind(connection)).await;
    house.peers.set_connection_down(false);
    let run = house.when_is("e", "succeeded").await;
    assert_eq!((run.steps[0].attempts, run.steps[1].attempts, partner.calls().len()), (1, 1, 2));
}
