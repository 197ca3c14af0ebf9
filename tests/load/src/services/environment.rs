//! The file in which `make services-up` notes where the services are.

use std::path::PathBuf;

use super::{AMQP, POSTGRES};

/// Where the services are, as far as somebody said.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Addresses {
    pub(super) postgres: Option<String>,
    pub(super) amqp: Option<String>,
}

impl Addresses {
    /// Those of the file, if there is one.
    pub(super) fn noted() -> Self {
        let path: PathBuf =
            [env!("CARGO_MANIFEST_DIR"), "..", "..", "target", "services", "environment"].iter().collect();
        std::fs::read_to_string(path).map_or_else(|_| Self::default(), |text| Self::read(&text))
    }

    /// Reads lines `export NAME='value'`; others are no concern of ours.
    pub(super) fn read(text: &str) -> Self {
        let value = |name: &str| {
            let value =
                text.lines().find_map(|line| line.strip_prefix("export ")?.strip_prefix(name)?.strip_prefix('='))?;
            Some(value.trim().trim_matches('\'').to_owned()).filter(|value| !value.is_empty())
        };
        Self { postgres: value(POSTGRES), amqp: value(AMQP) }
    }

    /// What is missing is taken from `others`.
    pub(super) fn or(self, others: Self) -> Self {
        Self { postgres: self.postgres.or(others.postgres), amqp: self.amqp.or(others.amqp) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_lines_that_it_knows() {
        let text = "export PATCHBAY_TEST_POSTGRES_URL='postgres://me@127.0.0.1:1/x'\n\
                    export PATCHBAY_TEST_KAFKA_BROKERS='127.0.0.1:3'\n\
                    export PATCHBAY_TEST_AMQP_URL='amqp://me:a=b@127.0.0.1:2/v'\n";
        let expected = Addresses {
            postgres: Some("postgres://me@127.0.0.1:1/x".to_owned()),
            amqp: Some("amqp://me:a=b@127.0.0.1:2/v".to_owned()),
        };
        assert_eq!(Addresses::read(text), expected);
    }

    #[test]
    fn an_empty_or_missing_address_is_none() {
        for text in
            ["", "export PATCHBAY_TEST_AMQP_URL=''", "PATCHBAY_TEST_AMQP_URL=x", "export PATCHBAY_TEST_AMQP_URLS='x'"]
        {
            assert_eq!(Addresses::read(text), Addresses::default(), "{text}");
        }
    }
}
