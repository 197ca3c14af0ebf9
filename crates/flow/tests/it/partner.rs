//! A partner that remembers what it did.

use std::collections::BTreeSet;

use patchbay_flow::{Answer, Call, Repeat};

use crate::script::Reply;

/// Knows step keys where the plan counts on that, and does as it is told otherwise.
#[derive(Debug)]
pub(crate) struct Partner {
    /// One entry a time that it did something: the step.
    done: Vec<usize>,
    /// The step keys that it did already.
    keys: BTreeSet<(usize, u32)>,
}

impl Partner {
    pub(crate) const fn new() -> Self {
        Self { done: Vec::new(), keys: BTreeSet::new() }
    }

    /// Takes a call, and says what the caller sees.
    pub(crate) fn take(&mut self, call: Call, repeat: Repeat, reply: Reply) -> Answer {
        match reply {
            Reply::Done => {
                self.perform(call, repeat);
                Answer::Done
            }
            Reply::Failed(next) => Answer::Failed(next),
            Reply::Lost { done, next } => {
                if done {
                    self.perform(call, repeat);
                }
                Answer::Unknown(next)
            }
            Reply::NotTried => Answer::NotTried,
        }
    }

    /// How often it did a step.
    pub(crate) fn times(&self, step: usize) -> usize {
        self.done.iter().filter(|done| **done == step).count()
    }

    fn perform(&mut self, call: Call, repeat: Repeat) {
        let new = self.keys.insert((call.step, call.generation));
        if new || repeat == Repeat::Never {
            self.done.push(call.step);
        }
    }
}
