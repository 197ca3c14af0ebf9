//! What must hold of every history, judged by what an onlooker saw.

use std::{collections::BTreeSet, mem};

use patchbay_flow::{Answer, Call, End, Next, Phase, Plan, Record, Repeat, Run};

use crate::{
    partner::Partner,
    world::{Sight, World},
};

/// A run that is taken over this often is given up.
const MOST_TAKEOVERS: u32 = 5;

/// What an onlooker makes of the sights.
#[derive(Debug, Default)]
struct Judge {
    opened: u32,
    /// Since a person last let the run go on: those that got as far as a record.
    takeovers: u32,
    /// A takeover has recorded nothing yet.
    taken_over: bool,
    ended: Option<End>,
    /// Steps that a person let go on.
    released: BTreeSet<usize>,
    /// The index of the step that is being done: so many are finished.
    step: usize,
    current: Current,
}

/// What is known of the step that is being done.
#[derive(Debug, Default)]
struct Current {
    generation: u32,
    /// A call is out, or its answer is not recorded.
    open: Option<Call>,
    answer: Option<Answer>,
    /// Failures that were recorded since a person last let it go on.
    failures: u32,
    /// The last recorded answer was a known failure.
    failed_surely: bool,
    /// A call with this generation may have been done, and nobody knows.
    in_doubt: bool,
    /// A person gave leave after the last doubt.
    leave: bool,
    /// A process died: a try may have been marked and not made, which the engine can't tell from one that was made.
    died: bool,
    /// The next call must have a new generation.
    must_rise: bool,
}

/// Checks a history from its beginning to its rest.
pub(crate) fn judge(world: &World, rest: &Run) {
    let mut judge = Judge::default();
    for sight in &world.sights {
        judge.see(&world.script.plan, *sight);
    }
    judge.at_rest(&world.script.plan, &world.partner, rest);
}

impl Judge {
    fn see(&mut self, plan: &Plan, sight: Sight) {
        match sight {
            Sight::Called(call) => self.see_call(plan, call),
            Sight::Answered(answer) => self.current.answer = Some(answer),
            Sight::Recorded(record) => self.see_record(plan, record),
            Sight::TakenOver => {
                self.taken_over = true;
                self.current.die();
            }
            Sight::Released => {
                self.released.insert(self.step);
                (self.takeovers, self.ended) = (0, None);
                (self.current.failures, self.current.leave) = (0, true);
            }
        }
    }

    fn see_call(&mut self, plan: &Plan, call: Call) {
        assert_eq!(self.ended, None, "an ended run calls nobody");
        assert_eq!(call.step, self.step, "steps go in order, and none is called again after its end");
        assert_eq!(self.current.open, None, "one call at a time");
        let step = &plan.steps[call.step];
        if self.current.in_doubt {
            assert!(step.repeat == Repeat::Allowed || self.current.leave, "a doubtful try is repeated only with leave");
        }
        let tries = u32::try_from(step.retry.delays.len()).unwrap() + 1;
        assert!(call.attempt > self.current.failures, "every failure is counted");
        assert!(call.attempt <= tries + self.takeovers, "only a death gives a try beyond the retry's count");
        assert!(self.takeovers < MOST_TAKEOVERS, "a run whose processes die again and again is given up");
        self.current.see_generation(call.generation);
        self.current.open = Some(call);
    }

    fn see_record(&mut self, plan: &Plan, record: Record) {
        assert_eq!(self.ended, None, "an end is recorded once, and nothing after it");
        let tried = self.current.settle();
        self.takeovers += u32::from(mem::take(&mut self.taken_over));
        match record {
            Record::Opened => self.opened += 1,
            Record::Progress | Record::Behind | Record::OutcomeUnknown => {}
            Record::Finished { step } => {
                assert_eq!((step, tried), (self.step, Some(Answer::Done)), "a step is finished when it was done");
                self.step += 1;
                self.current = Current::default();
            }
            Record::Wait { delay } => {
                let Some(Answer::Failed(next) | Answer::Unknown(next)) = tried else { return };
                let Next::Retry { not_before } = next else { panic!("a failure for good is tried again") };
                assert!(delay >= not_before, "the partner's wish is kept");
                assert!(plan.steps[self.step].retry.delays.contains(&delay) || delay == not_before, "{delay:?}");
            }
            Record::Ended(end) => {
                let done = end == End::Succeeded;
                assert_eq!(done, tried == Some(Answer::Done), "a run succeeds when its last step was done");
                assert!(!done || self.step + 1 == plan.steps.len(), "a run succeeds when every step was done");
                self.ended = Some(end);
            }
        }
    }

    fn at_rest(&self, plan: &Plan, partner: &Partner, rest: &Run) {
        assert_eq!(self.opened, 1, "a run is opened once");
        match rest.phase {
            Phase::Ended(end) => assert_eq!(self.ended, Some(end), "the end is recorded"),
            Phase::OutcomeUnknown => assert!(self.current.in_doubt || self.current.died, "a person is asked in doubt"),
            Phase::Running | Phase::Waiting | Phase::Behind => panic!("it hangs: {rest:?}"),
        }
        for (index, step) in plan.steps.iter().enumerate() {
            let times = partner.times(index);
            if step.repeat == Repeat::Allowed || !self.released.contains(&index) {
                assert!(times <= 1, "step {index} was done {times} times");
            }
            if index < self.step || self.ended == Some(End::Succeeded) {
                assert!(times >= 1, "step {index} was finished without being done");
            }
        }
    }
}

impl Current {
    /// The generation rises after every known failure, except while another try with it is in doubt.
    fn see_generation(&mut self, generation: u32) {
        assert!(!self.must_rise || generation != self.generation, "a known failure raises the generation");
        if generation != self.generation {
            assert!(self.failed_surely && !self.in_doubt, "only a known failure raises the generation");
            assert_eq!(generation, self.generation + 1, "the generation rises by one");
            self.generation = generation;
        }
        (self.failed_surely, self.must_rise) = (false, false);
    }

    /// What came out of the call under way became durable. Gives it back.
    fn settle(&mut self) -> Option<Answer> {
        let answer = self.answer.take()?;
        self.open = None;
        match answer {
            Answer::Failed(_) => {
                self.failures += 1;
                self.failed_surely = true;
                self.must_rise = !self.in_doubt && !self.died;
            }
            Answer::Unknown(_) => {
                self.failures += 1;
                self.doubt();
            }
            Answer::Done | Answer::NotTried => {}
        }
        Some(answer)
    }

    /// What was not recorded is forgotten: a call under way may have been done.
    fn die(&mut self) {
        self.died = true;
        self.answer = None;
        if mem::take(&mut self.open).is_some() {
            self.doubt();
        }
    }

    fn doubt(&mut self) {
        (self.in_doubt, self.leave) = (true, false);
    }
}
