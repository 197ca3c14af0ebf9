//! The one place that asks for the time.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use patchbay_types::Timestamp;

/// Tells the time. A clock made by [`Clock::adjustable`] can be turned forward, for tests.
#[derive(Debug, Clone, Default)]
pub struct Clock {
    ahead_micros: Option<Arc<AtomicI64>>,
}

impl Clock {
    /// The machine's clock.
    #[must_use]
    pub const fn system() -> Self {
        Self { ahead_micros: None }
    }

    /// The machine's clock, until it is turned.
    #[must_use]
    pub fn adjustable() -> Self {
        Self { ahead_micros: Some(Arc::default()) }
    }

    /// Turns an adjustable clock, and all its clones, forward. Does nothing to the machine's clock.
    pub fn advance(&self, by: Duration) {
        if let Some(ahead) = &self.ahead_micros {
            ahead.fetch_add(i64::try_from(by.as_micros()).unwrap_or(i64::MAX), Ordering::Relaxed);
        }
    }

    /// Now, in wall-clock time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        #[expect(clippy::disallowed_methods, reason = "this is the clock")]
        let now = SystemTime::now();
        let micros = now.duration_since(UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_micros());
        Timestamp::from_micros(i64::try_from(micros).unwrap_or(i64::MAX) + self.ahead())
    }

    /// Time since the machine started, its sleep included: it never jumps, so leases are measured with it.
    #[must_use]
    pub fn since_boot(&self) -> Duration {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
        let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
        let nanos = u32::try_from(time.tv_nsec).unwrap_or(0);
        Duration::new(seconds, nanos) + Duration::from_micros(u64::try_from(self.ahead()).unwrap_or(0))
    }

    fn ahead(&self) -> i64 {
        self.ahead_micros.as_ref().map_or(0, |ahead| ahead.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_adjustable_clock_is_turned_for_all_clones() {
        let clock = Clock::adjustable();
        let clone = clock.clone();
        let before = clone.now();
        clock.advance(Duration::from_secs(3600));
        assert!(clone.now().since(before) >= Duration::from_secs(3600));
    }

    #[test]
    fn time_since_boot_never_goes_back() {
        let clock = Clock::system();
        let first = clock.since_boot();
        assert!(clock.since_boot() >= first);
    }
}
