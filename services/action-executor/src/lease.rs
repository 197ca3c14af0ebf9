//! How long this process may still believe that its runs are its own.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use patchbay_runtime::Clock;
use patchbay_types::IncarnationId;

/// The lease of one life of one executor. Measured on the clock that counts from boot, so that a process that was
/// frozen knows it at once.
#[derive(Debug)]
pub(crate) struct Lease {
    owner: IncarnationId,
    length: Duration,
    clock: Clock,
    until_micros: AtomicU64,
}

impl Lease {
    pub(crate) fn new(length: Duration, clock: Clock) -> Self {
        Self { owner: IncarnationId::generate(), length, clock, until_micros: AtomicU64::new(0) }
    }

    /// Who holds it.
    pub(crate) const fn owner(&self) -> IncarnationId {
        self.owner
    }

    /// How long it is from a renewal on.
    pub(crate) const fn length(&self) -> Duration {
        self.length
    }

    /// Notes a renewal that was asked for at `asked` since boot.
    pub(crate) fn renewed(&self, asked: Duration) {
        let until = u64::try_from((asked + self.length).as_micros()).unwrap_or(u64::MAX);
        self.until_micros.fetch_max(until, Ordering::Relaxed);
    }

    /// What is left of it.
    pub(crate) fn remaining(&self) -> Duration {
        Duration::from_micros(self.until_micros.load(Ordering::Relaxed)).saturating_sub(self.clock.since_boot())
    }

    /// The longest call that can begin at any time: renewals come every fifth of the lease.
    pub(crate) fn longest_call(&self) -> Duration {
        self.length * 2 / 3
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_by_itself_and_is_renewed_from_the_time_of_asking() {
        let clock = Clock::adjustable();
        let lease = Lease::new(Duration::from_secs(15), clock.clone());
        assert_eq!(lease.remaining(), Duration::ZERO);
        let asked = clock.since_boot();
        clock.advance(Duration::from_secs(5));
        lease.renewed(asked);
        assert!(lease.remaining() <= Duration::from_secs(10));
        assert!(lease.remaining() > Duration::from_secs(9));
        clock.advance(Duration::from_secs(10));
        assert_eq!(lease.remaining(), Duration::ZERO);
    }
}
