//! How the public API presents itself.

use std::{net::SocketAddr, time::Duration};

use serde::Deserialize;

use crate::Error;

const SECONDS_PER_DAY: u64 = 86_400;

/// How the public API presents itself.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where others reach the public listener, such as `https://patchbay.example.com`: the base of hook URLs.
    pub public_url: Option<String>,
    /// How long a token of `/user/auth` is valid, in days.
    pub token_days: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self { public_url: None, token_days: 30 }
    }
}

impl Config {
    /// The same configuration, with `http://<address>` where no public URL is set.
    #[must_use]
    pub fn or_listening_on(mut self, address: SocketAddr) -> Self {
        self.public_url.get_or_insert_with(|| format!("http://{address}"));
        self
    }

    /// Whether every value can work. A public URL may still be missing.
    ///
    /// # Errors
    /// Which can't.
    pub fn check(&self) -> Result<(), Error> {
        self.token_life()?;
        if self.public_url.is_some() {
            self.base()?;
        }
        Ok(())
    }

    /// The public URL without a slash at its end.
    pub(crate) fn base(&self) -> Result<String, Error> {
        let url = self.public_url.as_deref().unwrap_or_default().trim_end_matches('/');
        let host = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"));
        if host.is_none_or(str::is_empty) {
            return Err(Error::Config("public_url must begin with http:// or https:// and a host"));
        }
        Ok(url.to_owned())
    }

    pub(crate) fn token_life(&self) -> Result<Duration, Error> {
        if !(1..=3650).contains(&self.token_days) {
            return Err(Error::Config("token_days must be between 1 and 3650"));
        }
        Ok(Duration::from_secs(self.token_days * SECONDS_PER_DAY))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_listen_address_stands_in_for_a_missing_public_url() {
        let address = SocketAddr::from(([127, 0, 0, 1], 8080));
        assert_eq!(Config::default().or_listening_on(address).base().unwrap(), "http://127.0.0.1:8080");
        let config = Config { public_url: Some("https://patchbay.example.com/".to_owned()), ..Config::default() };
        assert_eq!(config.or_listening_on(address).base().unwrap(), "https://patchbay.example.com");
    }

    #[test]
    fn refuses_what_is_no_public_url() {
        for url in [None, Some(""), Some("patchbay.example.com"), Some("https://"), Some("ftp://x")] {
            let config = Config { public_url: url.map(str::to_owned), ..Config::default() };
            assert!(config.base().is_err(), "{url:?}");
        }
    }
}
