//! What can be set.

use std::time::Duration;

use patchbay_runtime::config::duration;
use serde::Deserialize;

use crate::Error;

/// Section `catalog` of the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// How long a list of an account counts as fresh. An older one is still shown while its partner is asked again.
    #[serde(deserialize_with = "duration::deserialize")]
    pub lists_keep: Duration,
    /// How long a partner may take for one list, all its pages together.
    #[serde(deserialize_with = "duration::deserialize")]
    pub list_timeout: Duration,
    /// The most options that are kept of one list.
    pub max_options: usize,
    /// How often the lists of deleted connections are dropped.
    #[serde(deserialize_with = "duration::deserialize")]
    pub sweep_every: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            lists_keep: Duration::from_hours(1),
            list_timeout: Duration::from_secs(20),
            max_options: 10_000,
            sweep_every: Duration::from_mins(1),
        }
    }
}

impl Config {
    /// Whether every value can work.
    ///
    /// # Errors
    /// Which can't.
    pub fn check(&self) -> Result<(), Error> {
        if self.list_timeout.is_zero() {
            return Err(Error::Config("list_timeout must be above zero"));
        }
        if self.max_options == 0 {
            return Err(Error::Config("max_options must be at least 1"));
        }
        if self.sweep_every.is_zero() {
            return Err(Error::Config("sweep_every must be above zero"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_what_cannot_work() {
        assert!(Config::default().check().is_ok());
        for config in [
            Config { list_timeout: Duration::ZERO, ..Config::default() },
            Config { max_options: 0, ..Config::default() },
            Config { sweep_every: Duration::ZERO, ..Config::default() },
        ] {
            assert!(config.check().is_err(), "{config:?}");
        }
    }

    #[test]
    fn reads_durations_and_refuses_unknown_keys() {
        let read = |json: &str| serde_json::from_str::<Config>(json);
        let expected = Config { lists_keep: Duration::from_mins(5), max_options: 7, ..Config::default() };
        assert_eq!(read(r#"{"lists_keep":"5m","max_options":7}"#).unwrap(), expected);
        assert!(read(r#"{"lists_kept":"5m"}"#).is_err());
    }
}
