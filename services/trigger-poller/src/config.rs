//! What can be set.

use std::time::Duration;

use patchbay_runtime::config::duration;
use serde::Deserialize;

use crate::Error;

/// The settings of the service.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// How often the poller asks what was published or changed.
    #[serde(deserialize_with = "duration::deserialize")]
    pub refresh: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self { refresh: Duration::from_secs(1) }
    }
}

impl Config {
    /// Whether every value can work.
    ///
    /// # Errors
    /// Which can't.
    pub fn check(&self) -> Result<(), Error> {
        if self.refresh.is_zero() {
            return Err(Error::Config("refresh must be more than 0s"));
        }
        Ok(())
    }
}
