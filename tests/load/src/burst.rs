//! More than can be completed, for a while: what is accepted, how much memory that takes, and how fast it is worked off.

use std::time::Duration;

use serde::Serialize;

use crate::generator::Pace;
use crate::latency::{Milliseconds, rounded};
use crate::options::Burst;
use crate::phase::{Load, Phase};
use crate::report::mebibytes;

/// At least so many connections post: with few of them, waiting for answers would slow the burst down.
const CONNECTIONS: u64 = 256;

/// An open-loop phase far above saturation, and the time after it.
#[derive(Debug, Serialize)]
pub(crate) struct Told {
    pub(crate) rate: u64,
    pub(crate) duration_s: u64,
    pub(crate) connections: u64,
    /// Orders that were due.
    pub(crate) offered: u64,
    pub(crate) accepted_per_s: f64,
    /// While it lasted.
    pub(crate) completed_per_s: f64,
    /// Answered otherwise than accepted.
    pub(crate) refused: u64,
    /// Never posted, since answers came too slowly.
    pub(crate) given_up: u64,
    pub(crate) ack_ms: Milliseconds,
    /// What was still to do when it ended, and how fast that was done.
    pub(crate) left: u64,
    pub(crate) drain_s: f64,
    pub(crate) drained_per_s: Option<f64>,
    /// Of all processes, through the warm-up, the burst and the drain.
    pub(crate) peak_rss_mb: f64,
    pub(crate) lost: u64,
    pub(crate) duplicates: u64,
}

/// An order whose time is over when the burst is over is not posted any more, so that the drain is one.
pub(crate) const fn load(burst: Burst, rate: u64, connections: u64) -> Load {
    let pace = Pace::Open { rate, patience: Duration::ZERO };
    let connections = if connections > CONNECTIONS { connections } else { CONNECTIONS };
    Load { pace, connections, duration: Duration::from_secs(burst.seconds) }
}

impl Told {
    pub(crate) fn of(burst: Burst, rate: u64, connections: u64, phase: &Phase) -> Self {
        Self {
            rate,
            connections,
            duration_s: burst.seconds,
            offered: rate * burst.seconds,
            accepted_per_s: rounded(phase.accepted_per_s, 1),
            completed_per_s: rounded(phase.completed_per_s, 1),
            refused: phase.refused,
            given_up: phase.given_up,
            ack_ms: phase.ack,
            left: phase.after.arrivals,
            drain_s: rounded(phase.after.seconds, 2),
            drained_per_s: phase.after.per_s().map(|per_s| rounded(per_s, 1)),
            peak_rss_mb: mebibytes(phase.peak_memory),
            lost: phase.lost,
            duplicates: phase.duplicates,
        }
    }
}
