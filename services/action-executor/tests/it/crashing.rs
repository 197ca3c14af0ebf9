//! What a crash, an end, or absent owners of definitions leave behind.

use std::time::Duration;

use serde_json::json;

use crate::{
    forgetful::Forgetful,
    house::{House, Setup, import, launch, names},
    partner::{Answer, Partner},
    peers::WORKSPACE,
};

#[tokio::test]
async fn a_crash_loses_nothing_and_repeats_only_what_may_be_repeated() {
    let mut setup = Setup::default();
    // Longer than it takes from the failure to the crash.
    setup.config.retry_delays = vec![Duration::from_secs(2)];
    let mut house = House::with(setup).await;
    let (launched, imported, failing) = (Partner::new().await, Partner::new().await, Partner::new().await);
    launched.otherwise(Answer::Holds);
    imported.otherwise(Answer::Holds);
    failing.script([Answer::unavailable()]);
    let (_, launch_source) = house.peers.publish(launch(house.peers.connect_in(WORKSPACE, &launched, Some(2))));
    let (_, import_source) = house.peers.publish(import(house.peers.connect_in(WORKSPACE, &imported, Some(2))));
    let (_, failing_source) = house.peers.publish(launch(house.peers.connect(&failing)));
    house.fire_many(launch_source, 10).await;
    let imports =
        names(10).into_iter().map(|name| house.event(import_source, &format!("i{name}"), &json!({"email": name})));
    house.publish(&imports.collect::<Vec<_>>()).await;
    house.fire(failing_source, "failing", json!({"email": "ann@a.test"})).await;
    launched.asked(2).await;
    imported.asked(2).await;
    house.when_is("failing", "waiting").await;
    house.acknowledged().await;

    house.crash();
    launched.release();
    imported.release();
    house.begin().await;

    house.when_is("failing", "succeeded").await;
    for name in names(10) {
        house.when_is(&format!("i{name}"), "succeeded").await;
        house.when(&name, "ended or unknown", |run| run.status == "succeeded" || run.status == "outcome_unknown").await;
    }
    let runs = house.runs().await;
    assert_eq!(runs.len(), 21);
    let unknown: Vec<_> = runs.iter().filter(|run| run.status == "outcome_unknown").collect();
    assert_eq!(unknown.len(), 2);
    for run in unknown {
        let step = house.get(run).await.steps.remove(0);
        let given: serde_json::Value = serde_json::from_slice(&step.input).unwrap();
        assert_eq!((step.attempts, &given["email"]), (1, &json!(run.event_id)), "what a person needs to look it up");
    }
    assert_eq!(launched.emails(), names(10), "no launch is repeated");
    let mut repeated = imported.emails();
    assert_eq!(repeated.len(), 12, "what was under way is repeated");
    repeated.dedup();
    assert_eq!(repeated, names(10));
    assert_eq!(failing.calls().len(), 2);
    assert_eq!(house.dead_letters(WORKSPACE).await, []);
}

#[tokio::test]
async fn crashes_at_any_moment_neither_lose_nor_double() {
    let (mut house, launched, imported) = (House::new().await, Partner::new().await, Partner::new().await);
    let (_, launch_source) = house.peers.publish(launch(house.peers.connect(&launched)));
    let (_, import_source) = house.peers.publish(import(house.peers.connect(&imported)));
    house.setup.broker = Forgetful::over;
    house.crash();
    house.begin().await;
    // Nothing is ever acknowledged, so these are no more than a consumer may have of one tenant.
    house.fire_many(launch_source, 60).await;
    house.fire_many(import_source, 60).await;
    for calls in [1, 20, 40] {
        imported.asked(calls).await;
        house.crash();
        house.begin().await;
    }
    patchbay_testing::wait_for("all runs to stand still", crate::house::PATIENCE, || async {
        let runs = house.runs().await;
        assert!(runs.len() <= 120, "more runs than events");
        let still = runs.iter().filter(|run| run.status == "succeeded" || run.status == "outcome_unknown");
        (still.count() == 120).then_some(())
    })
    .await;
    let mut launches = launched.emails();
    let calls = launches.len();
    launches.dedup();
    assert_eq!(launches.len(), calls, "no launch is repeated");
    let runs = house.runs().await;
    let unknown = runs.iter().filter(|run| run.status == "outcome_unknown").count();
    assert!(calls + unknown >= 60, "{calls} launches, {unknown} unknown");
    let mut imports = imported.emails();
    imports.dedup();
    assert_eq!(imports, names(60));
}

#[tokio::test]
async fn an_acknowledgement_that_is_lost_starts_no_second_run() {
    let mut house = House::with(Setup { broker: Forgetful::over, ..Setup::default() }).await;
    let partner = Partner::new().await;
    let (_, source) = house.peers.publish(launch(house.peers.connect(&partner)));
    house.fire_many(source, 20).await;
    house.when_all_are("succeeded", 20).await;
    house.crash();
    house.setup.broker = |real| real;
    house.begin().await;
    house.counted("patchbay_events_duplicate_total 20").await;
    house.acknowledged().await;
    house.when_all_are("succeeded", 20).await;
    assert_eq!(partner.emails(), names(20));
}

#[tokio::test]
async fn a_finished_step_is_not_repeated_after_a_crash() {
    let (mut house, first, second) = (House::new().await, Partner::new().await, Partner::new().await);
    second.otherwise(Answer::Holds);
    let mut steps = launch(house.peers.connect(&first));
    steps.as_array_mut().unwrap().extend(import(house.peers.connect(&second)).as_array().unwrap().clone());
    let (_, source) = house.peers.publish(steps);
    house.fire(source, "e", json!({"email": "ann@a.test"})).await;
    second.asked(1).await;
    house.crash();
    second.release();
    house.begin().await;
    let run = house.when_is("e", "succeeded").await;
    assert_eq!((run.steps[0].attempts, run.steps[1].attempts), (1, 2));
    assert_eq!(run.steps[0].output, r#"{"profile_id":"profile of ann@a.test"}"#);
    assert_eq!((first.calls().len(), second.calls().len()), (1, 2));
}

#[tokio::test]
async fn a_run_that_dies_with_its_process_again_and_again_becomes_a_dead_letter() {
    let (mut house, partner) = (House::new().await, Partner::new().await);
    partner.otherwise(Answer::Holds);
    let (_, source) = house.peers.publish(import(house.peers.connect(&partner)));
    house.fire(source, "e", json!({"email": "ann@a.test"})).await;
    for life in 1..=5 {
        partner.asked(life).await;
        house.crash();
        house.begin().await;
    }
    house.when_is("e", "failed").await;
    assert_eq!(house.dead_letters(WORKSPACE).await[0].reason, "taken_over_too_often");
    assert_eq!(partner.calls().len(), 5);
}

#[tokio::test]
async fn events_wait_while_the_owners_of_definitions_cannot_be_reached() {
    let (house, partner) = (House::new().await, Partner::new().await);
    let (_, source) = house.peers.publish(launch(house.peers.connect(&partner)));
    for down in [crate::peers::Peers::set_automation_down, crate::peers::Peers::set_connection_down] {
        down(&house.peers, true);
        let before = house.runs().await.len();
        // Who waits with one event does not take more.
        house.bring_together(before + 5);
        house.fire_many(source, before + 5).await;
        house.taken(before + 5).await;
        assert_eq!(house.runs().await.len(), before);
        down(&house.peers, false);
        house.when_all_are("succeeded", before + 5).await;
        house.acknowledged().await;
    }
    assert_eq!(partner.emails(), names(10));
}

#[tokio::test]
async fn an_end_waits_for_calls_under_way_and_keeps_what_they_gave() {
    let (mut house, partner) = (House::new().await, Partner::new().await);
    partner.otherwise(Answer::Holds);
    let connection = house.peers.connect_in(WORKSPACE, &partner, Some(2));
    let (_, source) = house.peers.publish(launch(connection));
    house.fire_many(source, 5).await;
    partner.asked(2).await;
    house.ground().tasks.shutdown().begin();
    house.fire(source, "late", json!({"email": "late"})).await;
    partner.release();
    house.end().await;
    assert_eq!(partner.calls().len(), 2, "nothing new is begun");
    house.begin().await;
    house.when_all_are("succeeded", 6).await;
    let mut all = names(5);
    all.push("late".to_owned());
    assert_eq!(partner.emails(), all);
}
