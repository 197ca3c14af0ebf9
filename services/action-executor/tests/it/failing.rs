//! How failures of the partner end, or don't end, a run.

use patchbay_proto::executor::v1::{Run, StepError};
use serde_json::{Value, json};

use crate::{
    house::{House, Setup, import, launch},
    partner::{Answer, Partner},
    peers::WORKSPACE,
};

async fn fired(house: &House, partner: &Partner, steps: fn(i64) -> Value) {
    let (_, source) = house.peers.publish(steps(house.peers.connect(partner)));
    house.fire(source, "e", json!({"email": "ann@a.test"})).await;
}

fn error(run: &Run) -> (&str, &str, Option<u32>) {
    let StepError { class, message, partner_status } = run.steps[0].error.as_ref().unwrap();
    (class, message, *partner_status)
}

#[tokio::test]
async fn a_failure_of_the_partner_is_tried_again_until_it_succeeds() {
    let mut setup = Setup::default();
    setup.config.retry_delays = vec![std::time::Duration::from_millis(150); 3];
    let (house, partner) = (House::with(setup).await, Partner::new().await);
    partner.script([Answer::unavailable(), Answer::unavailable(), Answer::unavailable()]);
    fired(&house, &partner, launch).await;

    let waiting = house.when_is("e", "waiting").await;
    let what = waiting.waiting.clone().unwrap();
    assert_eq!((what.r#for.as_str(), what.connection_id), ("retry", 0));
    assert_eq!(what.reason, "the last try failed");
    assert!(what.until > waiting.started_at, "{waiting:?}");
    assert_eq!((waiting.steps[0].status.as_str(), waiting.steps[0].attempts), ("waiting", 1));
    assert_eq!(error(&waiting), ("partner", "the partner answered 503, a failure of its own", Some(503)));

    let run = house.when_is("e", "succeeded").await;
    assert_eq!((run.steps[0].attempts, run.steps[0].error.clone()), (4, None));
    assert_eq!(partner.calls().len(), 4);
    assert_eq!(house.dead_letters(WORKSPACE).await, []);
}

#[tokio::test]
async fn used_up_tries_make_a_dead_letter_that_a_replay_takes_back() {
    let (house, partner) = (House::new().await, Partner::new().await);
    partner.otherwise(Answer::unavailable());
    fired(&house, &partner, import).await;
    let failed = house.when_is("e", "failed").await;
    assert_eq!((failed.steps[0].attempts, failed.attempt, partner.calls().len()), (5, 1, 5));
    let dead = house.dead_letters(WORKSPACE).await;
    let [letter] = &dead[..] else { panic!("{dead:?}") };
    let shown = (letter.kind.as_str(), letter.reason.as_str(), letter.error.as_str(), letter.event_id.as_str());
    assert_eq!(shown, ("run", "retries_exhausted", "the partner answered 503, a failure of its own", "e"));
    assert_eq!(letter.run_id, failed.id);

    partner.otherwise(Answer::Done);
    let replayed = house.replay(&failed).await.unwrap();
    assert_eq!((replayed.id.clone(), replayed.attempt, replayed.finished_at), (failed.id, 2, 0));
    let run = house.when_is("e", "succeeded").await;
    assert_eq!((run.id, run.attempt, run.steps[0].attempts), (replayed.id, 2, 1));
    assert_eq!(house.dead_letters(WORKSPACE).await, []);
    assert_eq!(partner.calls().len(), 6);
}

#[tokio::test]
async fn a_refusal_fails_the_run_at_once() {
    let (house, partner) = (House::new().await, Partner::new().await);
    partner.script([Answer::refuses(402, "the tariff has no more profiles")]);
    fired(&house, &partner, launch).await;
    let run = house.when_is("e", "failed").await;
    assert_eq!(error(&run), ("partner", "the tariff has no more profiles", Some(200)));
    assert_eq!((run.steps[0].status.as_str(), run.steps[0].attempts, partner.calls().len()), ("failed", 1, 1));
    assert_eq!(house.dead_letters(WORKSPACE).await[0].reason, "step_failed");
}

#[tokio::test]
async fn a_step_has_retries_of_its_own() {
    let (house, partner) = (House::new().await, Partner::new().await);
    partner.otherwise(Answer::unavailable());
    let connection = house.peers.connect(&partner);
    for (retry, tries) in [(json!("none"), 1), (json!({"max_attempts": 3}), 3), (json!({"delays": ["1ms"]}), 2)] {
        let mut steps = import(connection);
        steps[0]["retry"] = retry;
        let (_, source) = house.peers.publish(steps);
        let id = format!("{tries}");
        house.fire(source, &id, json!({"email": "ann@a.test"})).await;
        assert_eq!(house.when_is(&id, "failed").await.steps[0].attempts, tries);
    }
}

#[tokio::test]
async fn an_unknown_outcome_waits_for_a_person() {
    let (house, partner) = (House::new().await, Partner::new().await);
    partner.script([Answer::HangsUp]);
    fired(&house, &partner, launch).await;
    let run = house.when_is("e", "outcome_unknown").await;
    let what = run.waiting.clone().unwrap();
    assert_eq!((what.r#for.as_str(), what.until, run.finished_at), ("decision", 0, 0));
    assert_eq!((run.steps[0].status.as_str(), run.steps[0].attempts), ("outcome_unknown", 1));
    assert_eq!(error(&run).0, "connection");
    house.acknowledged().await;
    assert_eq!((partner.calls().len(), house.dead_letters(WORKSPACE).await.len()), (1, 0));
}

#[tokio::test]
async fn a_replay_of_an_unknown_outcome_calls_again() {
    let (house, partner) = (House::new().await, Partner::new().await);
    partner.script([Answer::HangsUp]);
    fired(&house, &partner, launch).await;
    let unknown = house.when_is("e", "outcome_unknown").await;
    house.replay(&unknown).await.unwrap();
    let run = house.when_is("e", "succeeded").await;
    assert_eq!((run.id, run.attempt, partner.calls().len()), (unknown.id, 2, 2));
}

#[tokio::test]
async fn an_unknown_outcome_can_be_cancelled() {
    let (house, partner) = (House::new().await, Partner::new().await);
    partner.script([Answer::HangsUp]);
    fired(&house, &partner, launch).await;
    let unknown = house.when_is("e", "outcome_unknown").await;
    let run = house.cancel(&unknown).await.unwrap();
    assert_eq!((run.status.as_str(), run.id.clone(), run.waiting.clone()), ("cancelled", unknown.id, None));
    assert!(run.finished_at >= run.started_at);
    assert_eq!(house.get(&run).await, run);
    assert_eq!(partner.calls().len(), 1);
}

#[tokio::test]
async fn what_is_safe_to_repeat_is_repeated() {
    let (house, partner) = (House::new().await, Partner::new().await);
    partner.script([Answer::HangsUp, Answer::Says(502, json!({}))]);
    fired(&house, &partner, import).await;
    let run = house.when_is("e", "succeeded").await;
    assert_eq!((run.steps[0].attempts, partner.calls().len()), (3, 3));
}

#[tokio::test]
async fn an_automation_may_allow_to_repeat() {
    let (house, partner) = (House::new().await, Partner::new().await);
    partner.script([Answer::HangsUp]);
    let mut steps = launch(house.peers.connect(&partner));
    steps[0]["repeat_unknown"] = json!(true);
    let (_, source) = house.peers.publish(steps);
    house.fire(source, "e", json!({"email": "ann@a.test"})).await;
    house.when_is("e", "succeeded").await;
    assert_eq!(partner.calls().len(), 2);
}

#[tokio::test]
async fn an_answer_that_comes_too_late_is_an_unknown_outcome() {
    let mut setup = Setup::default();
    setup.config.lease = std::time::Duration::from_millis(600);
    let (house, partner) = (House::with(setup).await, Partner::new().await);
    partner.script([Answer::Holds]);
    fired(&house, &partner, launch).await;
    let run = house.when_is("e", "outcome_unknown").await;
    assert_eq!((error(&run).0, partner.calls().len()), ("timeout", 1));
}

#[tokio::test]
async fn a_partner_that_is_not_there_is_a_known_failure() {
    let house = House::new().await;
    // Its port is free again when it is dropped.
    let gone = Partner::new().await;
    let connection = house.peers.connect(&gone);
    drop(gone);
    let (_, source) = house.peers.publish(launch(connection));
    house.fire(source, "e", json!({"email": "ann@a.test"})).await;
    let run = house.when_is("e", "failed").await;
    assert_eq!((error(&run).0, run.steps[0].attempts), ("connection", 5));
}
