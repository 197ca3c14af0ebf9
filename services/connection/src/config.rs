//! What can be set of this service.

use std::time::Duration;

use patchbay_runtime::config::duration;
use serde::Deserialize;

use crate::Error;

/// Whoever asks for a test gives up after 30 s.
const LONGEST_TEST: Duration = Duration::from_secs(25);

/// Section `connection` of the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// How long the test of a connection may wait for the partner, where its connector allows no less; at most 25 s.
    #[serde(deserialize_with = "duration::deserialize")]
    pub test_timeout: Duration,
}

impl Default for Config {
    /// 15 s for a test.
    fn default() -> Self {
        Self { test_timeout: Duration::from_secs(15) }
    }
}

impl Config {
    /// Whether every value can work.
    ///
    /// # Errors
    /// Which can't.
    pub fn check(&self) -> Result<(), Error> {
        if self.test_timeout.is_zero() || self.test_timeout > LONGEST_TEST {
            return Err(Error::Config("test_timeout must be above zero and at most 25s"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_ends_before_whoever_asked_gives_up() {
        assert!(Config::default().check().is_ok());
        for test_timeout in [Duration::ZERO, Duration::from_secs(26)] {
            assert!(matches!(Config { test_timeout }.check(), Err(Error::Config(_))));
        }
    }
}
