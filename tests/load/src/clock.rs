//! The clock that all processes of the benchmark share.

use rustix::time::{ClockId, clock_gettime};

pub(crate) const NANOS_A_SECOND: u64 = 1_000_000_000;

/// Nanoseconds of the machine's monotonic clock: comparable between processes.
pub(crate) fn now_nanos() -> u64 {
    let time = clock_gettime(ClockId::Monotonic);
    u64::try_from(time.tv_sec).unwrap_or(0) * NANOS_A_SECOND + u64::try_from(time.tv_nsec).unwrap_or(0)
}
