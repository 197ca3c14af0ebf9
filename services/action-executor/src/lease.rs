//! How long this process may still believe that its runs are its own.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use patchbay_runtime::Clock;
use patchbay_types::IncarnationId;

/// How often a call that waits for the lease looks at it.
const LOOK: Duration = Duration::from_millis(50);

/// The lease of one executor. Measured on the clock that counts from boot, so that a process that was frozen knows it
/// at once.
///
/// Whoever the database declared dead holds nothing any more and begins again as somebody new: an incarnation ends once
/// and never comes back, so that what was begun under it can't be taken for what is begun after it.
#[derive(Debug)]
pub(crate) struct Lease {
    length: Duration,
    clock: Clock,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    owner: IncarnationId,
    /// Since boot.
    until: Duration,
    /// Since when it was held without a gap, since boot.
    since: Duration,
}

impl Lease {
    pub(crate) fn new(length: Duration, clock: Clock) -> Self {
        let state = State { owner: IncarnationId::generate(), until: Duration::ZERO, since: Duration::ZERO };
        Self { length, clock, state: Mutex::new(state) }
    }

    /// Who holds it.
    pub(crate) fn owner(&self) -> IncarnationId {
        self.state().owner
    }

    /// How long it is from a renewal on.
    pub(crate) const fn length(&self) -> Duration {
        self.length
    }

    /// Notes a renewal that was asked for at `asked` since boot.
    pub(crate) fn renewed(&self, asked: Duration) {
        let mut state = self.state();
        if asked >= state.until {
            state.since = asked;
        }
        state.until = state.until.max(asked + self.length);
    }

    /// Notes that this process goes on as somebody new, which was asked for at `asked` since boot.
    pub(crate) fn begun(&self, owner: IncarnationId, asked: Duration) {
        *self.state() = State { owner, until: asked + self.length, since: asked };
    }

    /// What is left of the lease of `owner`; nothing when this process is somebody else by now.
    pub(crate) fn remaining(&self, owner: IncarnationId) -> Option<Duration> {
        let state = self.state();
        (state.owner == owner).then(|| state.until.saturating_sub(self.clock.since_boot()))
    }

    /// Waits until more than `call` is left of the lease of `owner`. False when that lease is over for good.
    pub(crate) async fn covers(&self, owner: IncarnationId, call: Duration) -> bool {
        while let Some(remaining) = self.remaining(owner) {
            if remaining > call {
                return true;
            }
            tokio::time::sleep(LOOK).await;
        }
        false
    }

    /// For how long it has been held without a gap. After a gap, which everybody has when the database was away, all
    /// others need a moment to renew theirs before anybody may call them dead.
    pub(crate) fn held_for(&self) -> Duration {
        let (state, now) = (self.state(), self.clock.since_boot());
        if now < state.until { now.saturating_sub(state.since) } else { Duration::ZERO }
    }

    /// The longest call that can begin at any time: renewals come every fifth of the lease.
    pub(crate) fn longest_call(&self) -> Duration {
        self.length * 2 / 3
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LENGTH: Duration = Duration::from_secs(15);

    #[test]
    fn ends_by_itself_and_is_renewed_from_the_time_of_asking() {
        let clock = Clock::adjustable();
        let lease = Lease::new(LENGTH, clock.clone());
        let remaining = || lease.remaining(lease.owner());
        assert_eq!(remaining(), Some(Duration::ZERO));
        let asked = clock.since_boot();
        clock.advance(Duration::from_secs(5));
        lease.renewed(asked);
        assert!(remaining() <= Some(Duration::from_secs(10)));
        assert!(remaining() > Some(Duration::from_secs(9)));
        clock.advance(Duration::from_secs(10));
        assert_eq!(remaining(), Some(Duration::ZERO));
    }

    #[test]
    fn is_held_from_the_first_renewal_after_a_gap() {
        let clock = Clock::adjustable();
        let lease = Lease::new(LENGTH, clock.clone());
        lease.renewed(clock.since_boot());
        clock.advance(Duration::from_secs(10));
        lease.renewed(clock.since_boot());
        assert!(lease.held_for() >= Duration::from_secs(10));
        clock.advance(LENGTH);
        assert_eq!(lease.held_for(), Duration::ZERO);
        lease.renewed(clock.since_boot());
        assert!(lease.held_for() < Duration::from_secs(1));
    }

    #[tokio::test]
    async fn an_incarnation_that_ended_covers_nothing() {
        let clock = Clock::adjustable();
        let lease = Lease::new(LENGTH, clock.clone());
        let before = lease.owner();
        lease.renewed(clock.since_boot());
        assert!(lease.covers(before, Duration::from_secs(1)).await);
        let after = IncarnationId::generate();
        lease.begun(after, clock.since_boot());
        assert!(!lease.covers(before, Duration::from_secs(1)).await);
        assert!(lease.covers(after, Duration::from_secs(1)).await);
    }
}
