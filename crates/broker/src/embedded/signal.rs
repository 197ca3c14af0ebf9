//! Wakes a thread: level-triggered, so a signal before the wait is not lost.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

#[derive(Debug, Default)]
struct State {
    raised: bool,
    stopped: bool,
}

#[derive(Debug, Default)]
pub(super) struct Signal {
    state: Mutex<State>,
    condition: Condvar,
}

impl Signal {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// There is work. Cheap when that is known already.
    pub(super) fn raise(&self) {
        let mut state = self.state();
        if !state.raised {
            state.raised = true;
            self.condition.notify_all();
        }
    }

    /// The thread is to end.
    pub(super) fn stop(&self) {
        self.state().stopped = true;
        self.condition.notify_all();
    }

    /// Waits for work; `false` when the thread is to end.
    pub(super) fn wait(&self) -> bool {
        let mut state = self
            .condition
            .wait_while(self.state(), |state| !state.raised && !state.stopped)
            .unwrap_or_else(PoisonError::into_inner);
        state.raised = false;
        !state.stopped
    }

    /// Lets time pass, less when the thread is to end.
    pub(super) fn pause(&self, duration: Duration) {
        drop(self.condition.wait_timeout_while(self.state(), duration, |state| !state.stopped));
    }
}
