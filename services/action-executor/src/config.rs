//! What can be set.

use std::time::Duration;

use patchbay_runtime::config::duration;
use serde::Deserialize;

/// Section `executor` of the configuration.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Runs in memory at once.
    pub in_flight: usize,
    /// Bytes of events in memory at once.
    pub in_flight_bytes: usize,
    /// How long a dead process keeps its runs.
    #[serde(deserialize_with = "duration::deserialize")]
    pub lease: Duration,
    /// How often waiting runs are looked at, besides when something tells that they can go on.
    #[serde(deserialize_with = "duration::deserialize")]
    pub poll: Duration,
    /// How long an event may wait in memory for a permit before its run waits in the store.
    #[serde(deserialize_with = "duration::deserialize")]
    pub permit_patience: Duration,
    /// The waits between tries, where a step has none of its own.
    #[serde(deserialize_with = "duration::deserialize_list")]
    pub retry_delays: Vec<Duration>,
    /// Failures in a row after which a connection takes no calls for a while.
    pub circuit_failures: u32,
    /// The first such while; it doubles.
    #[serde(deserialize_with = "duration::deserialize")]
    pub circuit_wait: Duration,
    /// The longest such while.
    #[serde(deserialize_with = "duration::deserialize")]
    pub circuit_wait_most: Duration,
    /// How long a credential is held in memory.
    #[serde(deserialize_with = "duration::deserialize")]
    pub credential_hold: Duration,
    /// How long runs under way may take to end when the process is told to.
    #[serde(deserialize_with = "duration::deserialize")]
    pub drain: Duration,
    /// Batches of ended runs older than this are told again.
    #[serde(deserialize_with = "duration::deserialize")]
    pub retell_after: Duration,
}

/// Section `retention` of the configuration.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retention {
    /// Days that finished runs are kept.
    pub runs_days: u32,
    /// Days that an event id is remembered.
    pub dedupe_days: u32,
    /// Bytes of SQLite's file above which the oldest finished runs are removed; 0 is no bound.
    pub max_bytes: u64,
    /// How often what is old or too much is looked for.
    #[serde(deserialize_with = "duration::deserialize")]
    pub sweep_every: Duration,
}

const DAY: Duration = Duration::from_secs(86_400);

impl Retention {
    /// How long finished runs are kept.
    #[must_use]
    pub fn runs(&self) -> Duration {
        DAY * self.runs_days
    }

    /// How long an event id is remembered.
    #[must_use]
    pub fn dedupe(&self) -> Duration {
        DAY * self.dedupe_days
    }
}
