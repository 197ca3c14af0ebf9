//! What happens to a run, as a list of chances. Where a list is used up, all goes well.

use std::{collections::VecDeque, time::Duration};

use patchbay_flow::{Next, Plan, Repeat, Retry, StepPlan};
use proptest::prelude::*;

/// How the partner takes one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reply {
    /// Done, and said so.
    Done,
    /// Surely not done.
    Failed(Next),
    /// No answer arrives.
    Lost {
        /// Whether the partner did it all the same.
        done: bool,
        /// What the missing answer allows.
        next: Next,
    },
    /// The call was not made: the connection takes none.
    NotTried,
}

/// How a process dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Death {
    /// It forgets everything.
    Crash,
    /// It stands still, and wakes up when another has taken its run.
    Freeze,
}

/// What a person wants of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decision {
    Release,
    Cancel,
}

/// A whole history.
#[derive(Debug, Clone)]
pub(crate) struct Script {
    pub(crate) plan: Plan,
    /// One a call.
    pub(crate) replies: VecDeque<Reply>,
    /// One a moment at which a process may die: before each effect, after each call, after each taking of a row.
    pub(crate) deaths: VecDeque<Option<Death>>,
    /// One a wish for a permit.
    pub(crate) permits: VecDeque<bool>,
    /// One a look at the run by a person.
    pub(crate) decisions: VecDeque<Option<Decision>>,
    /// One a moment at which the broker may deliver the event again.
    pub(crate) redeliveries: VecDeque<bool>,
}

impl Script {
    /// Nothing goes wrong.
    pub(crate) fn smooth(plan: Plan) -> Self {
        Self {
            plan,
            replies: VecDeque::new(),
            deaths: VecDeque::new(),
            permits: VecDeque::new(),
            decisions: VecDeque::new(),
            redeliveries: VecDeque::new(),
        }
    }
}

pub(crate) const RETRY: Next = Next::Retry { not_before: Duration::ZERO };

/// A plan of one step, with this many further tries.
pub(crate) fn single(repeat: Repeat, retries: usize) -> Plan {
    let retry = Retry { delays: vec![Duration::from_secs(1); retries] };
    Plan { steps: vec![StepPlan { repeat, retry }] }
}

pub(crate) fn script() -> impl Strategy<Value = Script> {
    let replies = queue(reply(), 24);
    let deaths = queue(prop_oneof![8 => Just(None), 2 => Just(Some(Death::Crash)), 1 => Just(Some(Death::Freeze))], 40);
    let permits = queue(prop::bool::weighted(0.7), 24);
    let decisions =
        queue(prop_oneof![6 => Just(None), 5 => Just(Some(Decision::Release)), 1 => Just(Some(Decision::Cancel))], 24);
    let redeliveries = queue(prop::bool::weighted(0.2), 24);
    (plan(), replies, deaths, permits, decisions, redeliveries).prop_map(
        |(plan, replies, deaths, permits, decisions, redeliveries)| Script {
            plan,
            replies,
            deaths,
            permits,
            decisions,
            redeliveries,
        },
    )
}

fn queue<S: Strategy>(one: S, most: usize) -> impl Strategy<Value = VecDeque<S::Value>> {
    prop::collection::vec(one, 0..most).prop_map(VecDeque::from)
}

fn plan() -> impl Strategy<Value = Plan> {
    let delays = prop::collection::vec((0..10_u64).prop_map(Duration::from_secs), 0..4);
    let repeat = prop_oneof![Just(Repeat::Never), Just(Repeat::Allowed)];
    let step = (repeat, delays).prop_map(|(repeat, delays)| StepPlan { repeat, retry: Retry { delays } });
    prop::collection::vec(step, 1..4).prop_map(|steps| Plan { steps })
}

fn reply() -> impl Strategy<Value = Reply> {
    prop_oneof![
        4 => Just(Reply::Done),
        4 => next().prop_map(Reply::Failed),
        4 => (any::<bool>(), next()).prop_map(|(done, next)| Reply::Lost { done, next }),
        1 => Just(Reply::NotTried),
    ]
}

fn next() -> impl Strategy<Value = Next> {
    let asked = (0..20_u64).prop_map(|seconds| Next::Retry { not_before: Duration::from_secs(seconds) });
    prop_oneof![1 => Just(Next::GiveUp), 5 => asked]
}
