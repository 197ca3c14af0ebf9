//! The section `broker`.

use std::{path::Path, time::Duration};

use anyhow::Context;
use patchbay_broker::{embedded, rabbitmq};
use patchbay_runtime::config::duration;
use serde::Deserialize;

use crate::failure::Failure;

/// The longest prefix of names: RabbitMQ's names have 255 bytes at most.
const LONGEST_PREFIX: usize = 64;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Broker {
    /// May hold a password.
    pub(super) url: String,
    /// The file of the authority that signed the broker's certificate. Empty: those that the system trusts.
    authority: String,
    delivery_limit: u32,
    segment_bytes: u64,
    max_bytes: u64,
    memory_bytes: usize,
    free_bytes: u64,
    prefix: String,
    #[serde(deserialize_with = "duration::deserialize")]
    connect_timeout: Duration,
    #[serde(deserialize_with = "duration::deserialize")]
    heartbeat: Duration,
    #[serde(deserialize_with = "duration::deserialize")]
    confirm_timeout: Duration,
    #[serde(deserialize_with = "duration::deserialize")]
    reconnect_wait: Duration,
    #[serde(deserialize_with = "duration::deserialize")]
    reconnect_wait_most: Duration,
    #[serde(deserialize_with = "duration::deserialize")]
    stuck_after: Duration,
    held_bytes: usize,
}

/// The broker that an address names, and how it is opened.
pub(crate) enum Queue {
    Embedded(embedded::Options),
    RabbitMq(rabbitmq::Options),
}

/// What an address names.
enum Named<'url> {
    Directory(&'url str),
    Server { has_tls: bool },
}

impl Broker {
    pub(super) fn is_embedded(&self) -> bool {
        self.url.starts_with("embedded:")
    }

    /// How it is opened. Reads the file of `broker.authority`.
    pub(crate) fn queue(&self) -> anyhow::Result<Queue> {
        match self.named()? {
            Named::Directory(directory) => Ok(Queue::Embedded(self.embedded(directory))),
            Named::Server { .. } => Ok(Queue::RabbitMq(self.rabbitmq()?)),
        }
    }

    fn named(&self) -> anyhow::Result<Named<'_>> {
        let expected = "expected embedded://DIRECTORY or amqp://USER:PASSWORD@HOST/VHOST";
        match self.url.split_once("://") {
            Some(("embedded", directory)) if !directory.is_empty() => Ok(Named::Directory(directory)),
            Some((scheme @ ("amqp" | "amqps"), rest)) if !rest.is_empty() => {
                Ok(Named::Server { has_tls: scheme == "amqps" })
            }
            Some(("kafka", _)) => anyhow::bail!("broker.url: kafka:// is not in this version; {expected}"),
            // The address may hold a password, so it is not repeated.
            _ => anyhow::bail!("broker.url is not the address of a broker; {expected}"),
        }
    }

    fn embedded(&self, directory: &str) -> embedded::Options {
        let mut options = embedded::Options::new(Path::new(directory));
        options.segment_bytes = self.segment_bytes;
        options.max_bytes = self.max_bytes;
        options.memory_bytes = self.memory_bytes;
        options.reserve_bytes = self.free_bytes;
        options.delivery_limit = self.delivery_limit;
        options
    }

    fn rabbitmq(&self) -> anyhow::Result<rabbitmq::Options> {
        let mut options = rabbitmq::Options::new(self.url.clone());
        if !self.authority.is_empty() {
            let authority = rabbitmq::Authority::load(Path::new(&self.authority));
            options.authority = Some(authority.context(
                "broker.authority can't be used\n\
                 hint: name a PEM file with the certificate of the authority that signed the broker's",
            )?);
        }
        options.prefix.clone_from(&self.prefix);
        options.delivery_limit = self.delivery_limit;
        options.connect_timeout = self.connect_timeout;
        options.heartbeat = self.heartbeat;
        options.confirm_timeout = self.confirm_timeout;
        options.reconnect_wait = self.reconnect_wait;
        options.reconnect_wait_most = self.reconnect_wait_most;
        options.stuck_after = self.stuck_after;
        options.held_bytes = self.held_bytes;
        Ok(options)
    }

    /// Looks at everything but files.
    pub(super) fn check(&self) -> Result<(), Failure> {
        let named = self.named().map_err(Failure::Usage)?;
        if !self.authority.is_empty() && !matches!(named, Named::Server { has_tls: true }) {
            return Err(Failure::usage(
                "broker.authority is set, but broker.url is not an address with TLS\n\
                 hint: set broker.url to amqps://USER:PASSWORD@HOST:PORT/VHOST, or leave broker.authority empty",
            ));
        }
        let is_positive = [
            ("delivery_limit", self.delivery_limit > 0),
            ("segment_bytes", self.segment_bytes > 0),
            ("max_bytes", self.max_bytes > 0),
            ("held_bytes", self.held_bytes > 0),
            ("connect_timeout", !self.connect_timeout.is_zero()),
            ("confirm_timeout", !self.confirm_timeout.is_zero()),
            ("reconnect_wait", !self.reconnect_wait.is_zero()),
            ("stuck_after", !self.stuck_after.is_zero()),
        ];
        if let Some((key, _)) = is_positive.iter().find(|(_, holds)| !holds) {
            return Err(Failure::usage(format!("broker.{key} must be more than 0")));
        }
        if self.heartbeat < Duration::from_secs(1) {
            return Err(Failure::usage("broker.heartbeat must be at least 1s"));
        }
        if self.reconnect_wait_most < self.reconnect_wait {
            return Err(Failure::usage("broker.reconnect_wait_most must not be less than broker.reconnect_wait"));
        }
        let is_plain = |character: char| character.is_ascii_alphanumeric() || "._-".contains(character);
        if self.prefix.is_empty() || self.prefix.len() > LONGEST_PREFIX || !self.prefix.chars().all(is_plain) {
            return Err(Failure::usage(format!(
                "broker.prefix must be 1 to {LONGEST_PREFIX} letters, digits, dots, dashes or underscores"
            )));
        }
        Ok(())
    }
}
