//! The automation engine: what happened goes in, what is to be done comes out.
//!
//! The caller performs the effects in their order, and each [`Effect::Record`] durably before the next effect begins.
//! A crash between any two of them is mended by giving the run as it was last recorded and [`Input::TakenOver`].

use std::time::Duration;

use crate::{Plan, Repeat};

/// How often a run may be taken over from a dead process before a person must look.
const MOST_TAKEOVERS: u32 = 5;

/// Where a run stands: all that the engine remembers of it. It is recorded as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// What the run does now.
    pub phase: Phase,
    /// The index of the step that is being done.
    pub step: usize,
    /// Whether a try with this generation, before the one under way, may have been done without anybody knowing.
    pub in_doubt: bool,
    /// Tries of this step, the one under way included.
    pub attempts: u32,
    /// Part of the step key: raised only after a *known* failure, so that a partner who knows the key does a step once.
    pub generation: u32,
    /// How often it was taken over from a dead process.
    pub takeovers: u32,
}

/// What a run does now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// An executor owns it and does its step.
    Running,
    /// It waits for a time to come.
    Waiting,
    /// It waits behind its step's connection.
    Behind,
    /// A person must say whether the step was done.
    OutcomeUnknown,
    /// It is over.
    Ended(End),
}

/// How a run ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Every step was done.
    Succeeded,
    /// A step failed for good; it is a dead letter for this reason.
    Failed(DeadReason),
    /// A person gave it up.
    Cancelled,
}

/// Why a person must look at a failed run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeadReason {
    /// The failure can't be healed by trying again.
    StepFailed,
    /// Every try failed.
    RetriesExhausted,
    /// Processes died again and again while it ran.
    TakenOverTooOften,
}

impl DeadReason {
    /// The stable word.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::StepFailed => "step_failed",
            Self::RetriesExhausted => "retries_exhausted",
            Self::TakenOverTooOften => "taken_over_too_often",
        }
    }
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// The run is about to be claimed; `permitted` tells whether its first step has a permit.
    Claimed {
        /// A permit is held.
        permitted: bool,
    },
    /// A waiting run is due, or its turn behind its connection came.
    Due {
        /// A permit is held.
        permitted: bool,
    },
    /// The process that had it is dead; another read it from the store.
    TakenOver {
        /// A permit is held.
        permitted: bool,
    },
    /// The try under way came to an end.
    Answered {
        /// How.
        answer: Answer,
        /// A permit for the next step is held, where there is a next step and this one was done.
        permitted: bool,
    },
    /// A person gives leave to go on from the step that failed or whose outcome is unknown.
    Released,
    /// A person gives the run up.
    Cancelled,
}

/// How a try came to an end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// The partner did it.
    Done,
    /// It failed, surely: the partner did nothing.
    Failed(Next),
    /// Nobody knows whether the partner did it.
    Unknown(Next),
    /// It was not begun, because its connection takes no calls now: no try is used up.
    NotTried,
}

/// What a failure allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Trying again can't help.
    GiveUp,
    /// Trying again may help, not before this has passed.
    Retry {
        /// Asked for by the partner; zero where it asked for nothing.
        not_before: Duration,
    },
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Make the run, as `advance` returned it, durable, together with this.
    Record(Record),
    /// Try the step.
    Call(Call),
}

/// What is recorded together with the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Record {
    /// It is new.
    Opened,
    /// It goes on.
    Progress,
    /// This step is done, with its output.
    Finished {
        /// The index of the step.
        step: usize,
    },
    /// It waits this long.
    Wait {
        /// From now.
        delay: Duration,
    },
    /// It waits behind the connection of its step.
    Behind,
    /// It waits for a person.
    OutcomeUnknown,
    /// It is over.
    Ended(End),
}

/// One try of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Call {
    /// The index of the step.
    pub step: usize,
    /// From 1.
    pub attempt: u32,
    /// Part of the step key.
    pub generation: u32,
}

impl Run {
    /// A run that nothing happened to yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { phase: Phase::Running, step: 0, in_doubt: false, attempts: 0, generation: 0, takeovers: 0 }
    }
}

impl Default for Run {
    fn default() -> Self {
        Self::new()
    }
}

/// Decides. The run that comes back is what the first [`Effect::Record`] records; without effects nothing changed.
#[must_use]
pub fn advance(mut run: Run, plan: &Plan, input: &Input) -> (Run, Vec<Effect>) {
    let effects = match *input {
        Input::Claimed { permitted } => begin(&mut run, Record::Opened, permitted),
        Input::Due { permitted } => match run.phase {
            Phase::Waiting | Phase::Behind => begin(&mut run, Record::Progress, permitted),
            Phase::Running | Phase::OutcomeUnknown | Phase::Ended(_) => Vec::new(),
        },
        Input::TakenOver { permitted } => match run.phase {
            Phase::Running | Phase::Waiting | Phase::Behind => take_over(&mut run, plan, permitted),
            Phase::OutcomeUnknown | Phase::Ended(_) => Vec::new(),
        },
        Input::Answered { answer, permitted } => match run.phase {
            Phase::Running => answered(&mut run, plan, answer, permitted),
            Phase::Waiting | Phase::Behind | Phase::OutcomeUnknown | Phase::Ended(_) => Vec::new(),
        },
        Input::Released => release(&mut run),
        Input::Cancelled => match run.phase {
            Phase::Waiting | Phase::Behind | Phase::OutcomeUnknown => end(&mut run, End::Cancelled),
            Phase::Running | Phase::Ended(_) => Vec::new(),
        },
    };
    (run, effects)
}

/// Marks the current step as begun and tries it, or lines up behind its connection.
fn begin(run: &mut Run, record: Record, permitted: bool) -> Vec<Effect> {
    if !permitted {
        run.phase = Phase::Behind;
        return vec![Effect::Record(if matches!(record, Record::Progress) { Record::Behind } else { record })];
    }
    run.phase = Phase::Running;
    run.attempts += 1;
    vec![Effect::Record(record), call(run)]
}

const fn call(run: &Run) -> Effect {
    Effect::Call(Call { step: run.step, attempt: run.attempts, generation: run.generation })
}

fn take_over(run: &mut Run, plan: &Plan, permitted: bool) -> Vec<Effect> {
    run.takeovers += 1;
    // A run that still waits was only taken from the store when its process died: no try was under way.
    if run.phase == Phase::Running && run.attempts > 0 {
        run.in_doubt = true;
        if may_repeat(run, plan) == Repeat::Never {
            run.phase = Phase::OutcomeUnknown;
            return vec![Effect::Record(Record::OutcomeUnknown)];
        }
    }
    if run.takeovers >= MOST_TAKEOVERS {
        return end(run, End::Failed(DeadReason::TakenOverTooOften));
    }
    begin(run, Record::Progress, permitted)
}

fn answered(run: &mut Run, plan: &Plan, answer: Answer, permitted: bool) -> Vec<Effect> {
    match answer {
        Answer::Done => {
            let finished = run.step;
            if finished + 1 == plan.steps.len() {
                return end(run, End::Succeeded);
            }
            *run = Run { step: finished + 1, takeovers: run.takeovers, ..Run::new() };
            begin(run, Record::Finished { step: finished }, permitted)
        }
        Answer::Failed(next) => {
            // While a try before it may have been done, another key could do the step a second time.
            if !run.in_doubt {
                run.generation += 1;
            }
            try_again(run, plan, next)
        }
        Answer::Unknown(next) => {
            run.in_doubt = true;
            if may_repeat(run, plan) == Repeat::Never {
                run.phase = Phase::OutcomeUnknown;
                return vec![Effect::Record(Record::OutcomeUnknown)];
            }
            try_again(run, plan, next)
        }
        Answer::NotTried => {
            // The try that was marked did not begin, so nothing about the partner became unknown by it.
            run.attempts = run.attempts.saturating_sub(1);
            run.phase = Phase::Behind;
            vec![Effect::Record(Record::Behind)]
        }
    }
}

fn try_again(run: &mut Run, plan: &Plan, next: Next) -> Vec<Effect> {
    let Next::Retry { not_before } = next else {
        return end(run, End::Failed(DeadReason::StepFailed));
    };
    let delay = plan.steps.get(run.step).and_then(|step| step.retry.delay_after(run.attempts));
    let Some(delay) = delay else {
        return end(run, End::Failed(DeadReason::RetriesExhausted));
    };
    run.phase = Phase::Waiting;
    vec![Effect::Record(Record::Wait { delay: delay.max(not_before) })]
}

/// A person's leave: the same step again, with a full count of tries. A try whose outcome was unknown keeps its
/// generation, so that a partner who knows the key still does it once.
fn release(run: &mut Run) -> Vec<Effect> {
    match run.phase {
        Phase::OutcomeUnknown | Phase::Ended(End::Failed(_)) => {}
        Phase::Running | Phase::Waiting | Phase::Behind | Phase::Ended(End::Succeeded | End::Cancelled) => {
            return Vec::new();
        }
    }
    run.phase = Phase::Waiting;
    run.attempts = 0;
    run.takeovers = 0;
    vec![Effect::Record(Record::Wait { delay: Duration::ZERO })]
}

fn end(run: &mut Run, end: End) -> Vec<Effect> {
    run.phase = Phase::Ended(end);
    vec![Effect::Record(Record::Ended(end))]
}

fn may_repeat(run: &Run, plan: &Plan) -> Repeat {
    plan.steps.get(run.step).map_or(Repeat::Never, |step| step.repeat)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Retry, StepPlan};

    fn plan(repeat: Repeat, delays: &[u64]) -> Plan {
        let retry = Retry { delays: delays.iter().copied().map(Duration::from_secs).collect() };
        Plan { steps: vec![StepPlan { repeat, retry }] }
    }

    fn running() -> Run {
        Run { attempts: 1, ..Run::new() }
    }

    const RETRY: Next = Next::Retry { not_before: Duration::ZERO };

    #[test]
    fn a_claim_with_a_permit_is_recorded_before_the_call() {
        let (run, effects) = advance(Run::new(), &plan(Repeat::Never, &[]), &Input::Claimed { permitted: true });
        assert_eq!(run, running());
        let call = Call { step: 0, attempt: 1, generation: 0 };
        assert_eq!(effects, [Effect::Record(Record::Opened), Effect::Call(call)]);
    }

    #[test]
    fn a_claim_without_a_permit_lines_up_unstarted() {
        let (run, effects) = advance(Run::new(), &plan(Repeat::Never, &[]), &Input::Claimed { permitted: false });
        assert_eq!(run, Run { phase: Phase::Behind, ..Run::new() });
        assert_eq!(effects, [Effect::Record(Record::Opened)]);
    }

    #[test]
    fn a_known_failure_raises_the_generation_and_waits() {
        let answered = Input::Answered { answer: Answer::Failed(RETRY), permitted: false };
        let (run, effects) = advance(running(), &plan(Repeat::Never, &[5, 30]), &answered);
        assert_eq!((run.generation, run.phase), (1, Phase::Waiting));
        assert_eq!(effects, [Effect::Record(Record::Wait { delay: Duration::from_secs(5) })]);
    }

    #[test]
    fn a_partner_may_ask_for_a_longer_wait() {
        let next = Next::Retry { not_before: Duration::from_secs(60) };
        let answered = Input::Answered { answer: Answer::Failed(next), permitted: false };
        let (_, effects) = advance(running(), &plan(Repeat::Never, &[5]), &answered);
        assert_eq!(effects, [Effect::Record(Record::Wait { delay: Duration::from_secs(60) })]);
    }

    #[test]
    fn used_up_tries_end_the_run() {
        let answered = Input::Answered { answer: Answer::Failed(RETRY), permitted: false };
        let (_, effects) = advance(running(), &plan(Repeat::Never, &[]), &answered);
        assert_eq!(effects, [Effect::Record(Record::Ended(End::Failed(DeadReason::RetriesExhausted)))]);
    }

    #[test]
    fn an_unknown_outcome_without_leave_waits_for_a_person() {
        for input in
            [Input::TakenOver { permitted: true }, Input::Answered { answer: Answer::Unknown(RETRY), permitted: false }]
        {
            let (run, effects) = advance(running(), &plan(Repeat::Never, &[5]), &input);
            assert_eq!(run.phase, Phase::OutcomeUnknown);
            assert_eq!(effects, [Effect::Record(Record::OutcomeUnknown)]);
        }
    }

    #[test]
    fn an_unknown_outcome_with_leave_is_repeated_with_the_same_key() {
        let (run, effects) = advance(running(), &plan(Repeat::Allowed, &[5]), &Input::TakenOver { permitted: true });
        let call = Call { step: 0, attempt: 2, generation: 0 };
        assert_eq!(effects, [Effect::Record(Record::Progress), Effect::Call(call)]);
        assert_eq!(run.takeovers, 1);
    }

    #[test]
    fn a_run_taken_over_too_often_is_dead() {
        let run = Run { takeovers: MOST_TAKEOVERS - 1, ..running() };
        let (_, effects) = advance(run, &plan(Repeat::Allowed, &[5]), &Input::TakenOver { permitted: true });
        assert_eq!(effects, [Effect::Record(Record::Ended(End::Failed(DeadReason::TakenOverTooOften)))]);
    }

    #[test]
    fn an_ended_run_does_nothing_more() {
        let run = Run { phase: Phase::Ended(End::Succeeded), ..running() };
        for input in [
            Input::Due { permitted: true },
            Input::TakenOver { permitted: true },
            Input::Answered { answer: Answer::Done, permitted: true },
            Input::Cancelled,
            Input::Released,
        ] {
            assert_eq!(advance(run.clone(), &plan(Repeat::Allowed, &[5]), &input), (run.clone(), Vec::new()));
        }
    }

    #[test]
    fn a_call_that_was_not_made_uses_up_no_try() {
        let answered = Input::Answered { answer: Answer::NotTried, permitted: false };
        let (run, effects) = advance(running(), &plan(Repeat::Never, &[5]), &answered);
        assert_eq!(run, Run { phase: Phase::Behind, ..Run::new() });
        assert_eq!(effects, [Effect::Record(Record::Behind)]);
    }
}
