//! What the engine must know of an automation's version: nothing of partners, templates or databases.

use std::time::Duration;

/// The steps of one automation version, in order. There is at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// In the order in which they are done.
    pub steps: Vec<StepPlan>,
}

/// What decides how a step is tried again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepPlan {
    /// Whether a try whose outcome is unknown may be repeated.
    pub repeat: Repeat,
    /// How often and when a failed try is repeated.
    pub retry: Retry,
}

/// The leave to repeat a try of which nobody knows whether the partner did it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeat {
    /// No leave: a person must look.
    Never,
    /// The partner knows the step key and does it once, the operation does no harm when done twice, or the
    /// automation allows it.
    Allowed,
}

/// The waits between tries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retry {
    /// One a further try: an empty list is a single try.
    pub delays: Vec<Duration>,
}

impl Retry {
    /// The wait before the next try, after `attempts` of them; nothing when they are used up.
    #[must_use]
    pub fn delay_after(&self, attempts: u32) -> Option<Duration> {
        let index = usize::try_from(attempts.checked_sub(1)?).ok()?;
        self.delays.get(index).copied()
    }
}
