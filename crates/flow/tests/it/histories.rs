use std::collections::VecDeque;

use patchbay_flow::{DeadReason, End, Next, Phase, Plan, Repeat, Run};
use proptest::{prelude::*, test_runner::Config};

use crate::{
    rules::judge,
    script::{Death, Decision, RETRY, Reply, Script, script, single},
    world::{Sight, World},
};

proptest! {
    #![proptest_config(Config { cases: 4_000, max_shrink_iters: 20_000, failure_persistence: None, ..Config::default() })]

    #[test]
    fn every_history_keeps_the_rules(script in script()) {
        let mut world = World::new(script);
        let rest = world.live();
        prop_assert!(rest.is_some(), "it never comes to rest: {:?}", world.sights);
        judge(&world, &rest.unwrap());
    }
}

/// Lives a script to its rest, and judges it.
fn lived(script: Script) -> (World, Run) {
    let mut world = World::new(script);
    let rest = world.live().unwrap();
    judge(&world, &rest);
    (world, rest)
}

/// The generations of the calls, in order.
fn generations(world: &World) -> Vec<u32> {
    let calls = world.sights.iter().filter_map(|sight| match sight {
        Sight::Called(call) => Some(call.generation),
        _ => None,
    });
    calls.collect()
}

const SUCCEEDED: Phase = Phase::Ended(End::Succeeded);
const DIES: Option<Death> = Some(Death::Crash);

fn three_steps(repeat: Repeat) -> Plan {
    let step = single(repeat, 0).steps.remove(0);
    Plan { steps: vec![step; 3] }
}

#[test]
fn a_smooth_run_does_every_step_once() {
    let (world, rest) = lived(Script::smooth(three_steps(Repeat::Never)));
    assert_eq!(rest.phase, SUCCEEDED);
    assert_eq!([0, 1, 2].map(|step| world.partner.times(step)), [1, 1, 1]);
}

#[test]
fn a_known_failure_that_follows_a_doubtful_try_keeps_the_key() {
    let replies = [Reply::Lost { done: true, next: RETRY }, Reply::Failed(RETRY), Reply::Done];
    let plan = single(Repeat::Allowed, 2);
    let (world, rest) = lived(Script { replies: replies.into(), ..Script::smooth(plan) });
    assert_eq!(rest.phase, SUCCEEDED);
    assert_eq!(generations(&world), [0, 0, 0]);
    assert_eq!(world.partner.times(0), 1);
}

#[test]
fn known_failures_alone_raise_the_generation_each() {
    let replies = [Reply::Failed(RETRY), Reply::NotTried, Reply::Failed(RETRY), Reply::Done];
    let plan = single(Repeat::Never, 2);
    let (world, rest) = lived(Script { replies: replies.into(), ..Script::smooth(plan) });
    assert_eq!(rest.phase, SUCCEEDED);
    assert_eq!(generations(&world), [0, 1, 1, 2]);
}

#[test]
fn a_waiting_run_whose_process_died_right_after_taking_it_goes_on() {
    // Before the record, before the call, after the call, before the record, after the taking.
    let deaths = VecDeque::from([None, None, None, None, DIES]);
    let plan = single(Repeat::Never, 1);
    let replies = [Reply::Failed(RETRY)];
    let (_, rest) = lived(Script { replies: replies.into(), deaths, ..Script::smooth(plan) });
    assert_eq!(rest.phase, SUCCEEDED);
}

#[test]
fn a_run_that_gets_no_permit_when_it_is_taken_over_lines_up_again() {
    // Opened behind; taken and lost; taken over without a permit; its turn comes.
    let (permits, deaths) = (VecDeque::from([false, false]), VecDeque::from([None, DIES]));
    let (_, rest) = lived(Script { permits, deaths, ..Script::smooth(single(Repeat::Never, 0)) });
    assert_eq!(rest.phase, SUCCEEDED);
}

#[test]
fn a_run_whose_turn_comes_without_a_permit_lines_up_again() {
    let permits = VecDeque::from([false, false]);
    let (_, rest) = lived(Script { permits, ..Script::smooth(single(Repeat::Never, 0)) });
    assert_eq!(rest.phase, SUCCEEDED);
}

#[test]
fn a_lost_answer_waits_for_a_person_and_is_repeated_with_the_same_key_on_release() {
    let replies = [Reply::Lost { done: false, next: RETRY }];
    let plan = single(Repeat::Never, 3);
    let (world, rest) = lived(Script { replies: replies.into(), ..Script::smooth(plan.clone()) });
    assert_eq!((rest.phase, generations(&world)), (Phase::OutcomeUnknown, vec![0]));

    let decisions = VecDeque::from([Some(Decision::Release)]);
    let (world, rest) = lived(Script { replies: replies.into(), decisions, ..Script::smooth(plan) });
    assert_eq!((rest.phase, generations(&world)), (SUCCEEDED, vec![0, 0]));
}

#[test]
fn a_process_that_wakes_up_after_its_run_was_taken_does_nothing() {
    let deaths = VecDeque::from([None, None, Some(Death::Freeze)]);
    let plan = single(Repeat::Allowed, 0);
    let (world, rest) = lived(Script { deaths, ..Script::smooth(plan) });
    assert_eq!((rest.phase, world.partner.times(0)), (SUCCEEDED, 1));
}

#[test]
fn a_run_that_kills_every_process_is_a_dead_letter_until_a_person_lets_it_go_on() {
    // Each process dies before its call.
    let deaths = [None, DIES].into_iter().chain([None, None, DIES].repeat(4)).collect::<VecDeque<_>>();
    let plan = single(Repeat::Allowed, 0);
    let (_, rest) = lived(Script { deaths: deaths.clone(), ..Script::smooth(plan.clone()) });
    assert_eq!(rest.phase, Phase::Ended(End::Failed(DeadReason::TakenOverTooOften)));

    let decisions = VecDeque::from([Some(Decision::Release)]);
    let (_, rest) = lived(Script { deaths, decisions, ..Script::smooth(plan) });
    assert_eq!(rest.phase, SUCCEEDED);
}

#[test]
fn a_failure_for_good_ends_the_run_and_calls_no_later_step() {
    let replies = [Reply::Done, Reply::Failed(Next::GiveUp)];
    let plan = three_steps(Repeat::Allowed);
    let (world, rest) = lived(Script { replies: replies.into(), ..Script::smooth(plan) });
    assert_eq!(rest.phase, Phase::Ended(End::Failed(DeadReason::StepFailed)));
    assert_eq!(world.partner.times(2), 0);
}

#[test]
fn a_person_who_cancels_a_waiting_run_ends_it() {
    let (replies, decisions) = ([Reply::Failed(RETRY)], VecDeque::from([Some(Decision::Cancel)]));
    let plan = single(Repeat::Never, 1);
    let (world, rest) = lived(Script { replies: replies.into(), decisions, ..Script::smooth(plan) });
    assert_eq!((rest.phase, world.partner.times(0)), (Phase::Ended(End::Cancelled), 0));
}
