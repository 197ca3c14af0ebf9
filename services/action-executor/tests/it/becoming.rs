//! How events become runs: one for each automation that takes them, once.

use patchbay_proto::executor::v1::{ListRunsRequest, Step};
use patchbay_types::SourceId;
use serde_json::{Value, json};

use crate::{
    house::{House, import, launch, names, of_workspace},
    partner::{Answer, Partner},
    peers::WORKSPACE,
};

fn json(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap()
}

#[tokio::test]
async fn an_event_becomes_one_run_that_shows_what_went_in_and_came_out() {
    let (house, partner) = (House::new().await, Partner::new().await);
    let connection = house.peers.connect(&partner);
    let (automation, source) = house.peers.publish(launch(connection));
    let before = house.ground().clock.now().as_micros();
    house.fire(source, "e", json!({"email": "ann@a.test"})).await;
    let run = house.when_is("e", "succeeded").await;

    let call = partner.calls();
    assert_eq!(call.len(), 1);
    assert_eq!(call[0].path, "/api/v1.1/workflows/import_and_start");
    assert_eq!(call[0].authorization, "Bearer hush-hush-token");
    let sent = json!({
        "db_id": 7, "workflow_id": 12, "matching": "email", "email": "ann@a.test", "data": {},
        "skip_triggers": false, "skip_invalid_subscriptions": false, "detect_geo": false,
    });
    assert_eq!(call[0].body, sent);

    assert_eq!((run.workspace_id, run.version, run.attempt), (WORKSPACE, 1, 1));
    assert_eq!(run.automation_id.as_ref(), automation.as_bytes());
    assert_eq!(json(&run.trigger), json!({"email": "ann@a.test"}));
    assert!(before <= run.started_at && run.started_at <= run.finished_at, "{run:?}");
    assert_eq!(run.waiting, None);
    let [step] = &run.steps[..] else { panic!("{run:?}") };
    assert_eq!(json(&step.input), sent);
    assert_eq!(json(&step.output), json!({"profile_id": "profile of ann@a.test"}));
    let rest = Step { input: step.input.clone(), output: step.output.clone(), ..Step::default() };
    let (key, operation) = ("launch".to_owned(), "altcraft.import_and_launch_scenario".to_owned());
    assert_eq!(*step, Step { key, operation, status: "succeeded".to_owned(), attempts: 1, ..rest });
    assert_eq!(house.runs().await, std::slice::from_ref(&run));
    assert_eq!(house.get(&run).await, run);
    house.acknowledged().await;
}

#[tokio::test]
async fn the_same_event_again_starts_no_second_run() {
    let (house, partner) = (House::new().await, Partner::new().await);
    let (_, source) = house.peers.publish(launch(house.peers.connect(&partner)));
    let event = house.event(source, "e", &json!({"email": "ann@a.test"}));
    house.publish(&[event.clone(), event.clone(), event.clone()]).await;
    house.when_is("e", "succeeded").await;
    house.publish(&[event.clone(), event]).await;
    house.counted("patchbay_events_duplicate_total 4").await;
    house.acknowledged().await;
    assert_eq!((house.runs().await.len(), partner.calls().len()), (1, 1));
}

#[tokio::test]
async fn the_same_id_after_its_window_is_another_event() {
    let (house, partner) = (House::new().await, Partner::new().await);
    let (_, source) = house.peers.publish(launch(house.peers.connect(&partner)));
    let mut event = house.event(source, "e", &json!({"email": "ann@a.test"}));
    event.dedupe_window = 1;
    house.publish(&[event.clone()]).await;
    house.when_all_are("succeeded", 1).await;
    event.accepted_at += 1;
    house.publish(&[event]).await;
    house.when_all_are("succeeded", 2).await;
    assert_eq!(partner.calls().len(), 2);
}

#[tokio::test]
async fn a_delivery_that_comes_again_after_its_window_is_the_same_event() {
    let (house, partner) = (House::new().await, Partner::new().await);
    let (_, source) = house.peers.publish(launch(house.peers.connect(&partner)));
    let mut event = house.event(source, "e", &json!({"email": "ann@a.test"}));
    event.dedupe_window = 1;
    house.publish(&[event.clone()]).await;
    house.when_all_are("succeeded", 1).await;
    house.publish(&[event]).await;
    house.counted("patchbay_events_duplicate_total 1").await;
    assert_eq!((house.runs().await.len(), partner.calls().len()), (1, 1));
}

#[tokio::test]
async fn a_repeated_event_is_dropped_whatever_is_claimed_beside_it() {
    let (house, partner) = (House::new().await, Partner::new().await);
    let (_, source) = house.peers.publish(launch(house.peers.connect(&partner)));
    let event = |id: &str| house.event(source, id, &json!({"email": id}));
    let short = |id: &str| {
        let mut event = event(id);
        event.dedupe_window = 1;
        event
    };
    house.publish(&[event("once")]).await;
    house.when_is("once", "succeeded").await;
    // With it in one claim: two to six others whose windows are over before they are claimed.
    for round in 0..5 {
        let others = (0..round + 2).map(|number| short(&format!("{round}/{number}")));
        house.peers.set_automation_down(true);
        house.bring_together(round + 3);
        house.publish(&std::iter::once(event("once")).chain(others).collect::<Vec<_>>()).await;
        house.taken(round + 3).await;
        house.peers.set_automation_down(false);
        house.acknowledged().await;
    }
    house.counted("patchbay_events_duplicate_total 5").await;
    house.when_all_are("succeeded", 1 + 2 + 3 + 4 + 5 + 6).await;
    assert_eq!(partner.emails().iter().filter(|email| *email == "once").count(), 1);
}

#[tokio::test]
async fn each_automation_on_a_source_runs_once() {
    let (house, partner) = (House::new().await, Partner::new().await);
    let connection = house.peers.connect(&partner);
    let (one, source) = house.peers.publish(import(connection));
    let other = house.peers.publish_on(source, json!({"steps": launch(connection)}));
    let event = house.event(source, "e", &json!({"email": "ann@a.test"}));
    house.publish(&[event.clone(), event]).await;
    let runs = house.when_all_are("succeeded", 2).await;
    let mut automations: Vec<Vec<u8>> = runs.iter().map(|run| run.automation_id.to_vec()).collect();
    automations.sort();
    assert_eq!(automations, [one.as_bytes().to_vec(), other.as_bytes().to_vec()]);
    let of_other = ListRunsRequest { automation_id: other.as_bytes().to_vec().into(), ..of_workspace() };
    assert_eq!(house.list(of_other).await.unwrap().runs.len(), 1);
    assert_eq!(partner.calls().len(), 2);
    house.acknowledged().await;
}

#[tokio::test]
async fn what_starts_no_run_is_counted_and_acknowledged() {
    let (house, partner) = (House::new().await, Partner::new().await);
    let connection = house.peers.connect(&partner);
    let (paused, paused_source) = house.peers.publish(import(connection));
    house.peers.set_automation(paused, "paused");
    let (deleted, deleted_source) = house.peers.publish(import(connection));
    house.peers.set_automation(deleted, "deleted");
    let picky_source = SourceId::generate();
    let trigger = json!({"filter": "trigger.age >= 18"});
    house.peers.publish_on(picky_source, json!({"trigger": trigger, "steps": import(connection)}));
    house.fire(paused_source, "a", json!({})).await;
    house.fire(deleted_source, "b", json!({})).await;
    house.fire(SourceId::generate(), "c", json!({})).await;
    house.fire(picky_source, "d", json!({"age": 17})).await;
    house.fire(picky_source, "e", json!({"age": 18, "email": "ann@a.test"})).await;
    house.when_is("e", "succeeded").await;
    house.acknowledged().await;
    house.counted("patchbay_events_discarded_total{reason=\"paused\"} 1").await;
    house.counted("patchbay_events_discarded_total{reason=\"no_automation\"} 2").await;
    house.counted("patchbay_events_discarded_total{reason=\"trigger_filter\"} 1").await;
    assert_eq!((house.runs().await.len(), partner.calls().len()), (1, 1));
    assert_eq!(house.dead_letters(WORKSPACE).await, []);
}

#[tokio::test]
async fn a_filter_sees_how_the_event_arrived() {
    let (house, partner) = (House::new().await, Partner::new().await);
    let connection = house.peers.connect(&partner);
    let source = SourceId::generate();
    for kind in ["application/json", "text/plain"] {
        let trigger = json!({"filter": format!("trigger_meta.content_type == '{kind}'")});
        house.peers.publish_on(source, json!({"trigger": trigger, "steps": import(connection)}));
    }
    house.fire(source, "e", json!({"email": "ann@a.test"})).await;
    house.when_is("e", "succeeded").await;
    house.counted("patchbay_events_discarded_total{reason=\"trigger_filter\"} 1").await;
}

#[tokio::test]
async fn a_paused_automation_goes_on_with_what_began_before() {
    let (house, partner) = (House::new().await, Partner::new().await);
    let (automation, source) = house.peers.publish(import(house.peers.connect(&partner)));
    partner.script([Answer::Holds]);
    partner.otherwise(Answer::Done);
    house.fire(source, "before", json!({"email": "ann@a.test"})).await;
    partner.asked(1).await;
    house.peers.set_automation(automation, "paused");
    house.fire(source, "after", json!({"email": "ann@a.test"})).await;
    house.counted("patchbay_events_discarded_total{reason=\"paused\"} 1").await;
    partner.release();
    house.when_is("before", "succeeded").await;
    assert_eq!(house.runs().await.len(), 1);
}

#[tokio::test]
async fn many_events_become_as_many_runs() {
    let (house, partner) = (House::new().await, Partner::new().await);
    let (_, source) = house.peers.publish(launch(house.peers.connect(&partner)));
    house.fire_many(source, 700).await;
    house.when_all_are("succeeded", 700).await;
    assert_eq!(partner.emails(), names(700));
    house.acknowledged().await;
}
