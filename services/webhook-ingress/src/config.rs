//! How hooks are taken.

use std::time::Duration;

use patchbay_runtime::config::duration;
use serde::Deserialize;

use crate::Error;

/// How hooks are taken.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The largest body, in bytes.
    pub max_body_bytes: usize,
    /// How often sources are asked for what changed.
    #[serde(deserialize_with = "duration::deserialize")]
    pub refresh: Duration,
    /// How long an equal body counts as the same event, where the sender names none.
    #[serde(deserialize_with = "duration::deserialize")]
    pub dedupe_window: Duration,
    /// How long a sender may take for a body.
    #[serde(deserialize_with = "duration::deserialize")]
    pub body_deadline: Duration,
    /// Bytes of bodies held at once, over all requests.
    pub in_flight_bytes: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            max_body_bytes: 10 * 1024 * 1024,
            refresh: Duration::from_millis(250),
            dedupe_window: Duration::from_mins(10),
            body_deadline: Duration::from_secs(10),
            in_flight_bytes: 64 * 1024 * 1024,
        }
    }
}

impl Config {
    /// Whether every value can work.
    ///
    /// # Errors
    /// Which can't.
    pub fn check(&self) -> Result<(), Error> {
        if self.max_body_bytes == 0 {
            return Err(Error::Config("max_body_bytes must be at least 1"));
        }
        if self.in_flight_bytes < self.max_body_bytes {
            return Err(Error::Config("in_flight_bytes must be at least max_body_bytes"));
        }
        if self.refresh.is_zero() {
            return Err(Error::Config("refresh must be longer than nothing"));
        }
        Ok(())
    }
}
