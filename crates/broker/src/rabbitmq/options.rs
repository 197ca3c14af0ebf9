//! How the adapter is set up.

use std::fmt::{self, Debug, Formatter};
use std::time::Duration;

use super::authority::Authority;

/// Where RabbitMQ is, and its bounds.
#[derive(Clone)]
pub struct Options {
    /// `amqp://user:password@host:port/vhost`, or `amqps://` for TLS.
    pub url: String,
    /// With `amqps://`: whom the broker's certificate must be from (those that the system trusts). Nobody else is believed then.
    pub authority: Option<Authority>,
    /// Before the name of every queue and exchange, with a point (`patchbay`).
    pub prefix: String,
    /// How often a message comes back to consumers (20) before it is moved to
    /// [`Topic::DeadLetter`](patchbay_proto::Topic::DeadLetter). The broker counts releases, and what a consumer that went away,
    /// or its connection, had not settled. Part of the queues: with another value than theirs, `open` fails.
    pub delivery_limit: u32,
    /// How long a connection may take (5 s).
    pub connect_timeout: Duration,
    /// After twice this silence a connection is given up (10 s; whole seconds, at least one).
    pub heartbeat: Duration,
    /// How long a publish waits for its confirm (10 s).
    pub confirm_timeout: Duration,
    /// The pause before the first try to connect again (100 ms), which doubles with each failure.
    pub reconnect_wait: Duration,
    /// The longest such pause (2 s).
    pub reconnect_wait_most: Duration,
    /// After this time (30 s) without a settlement, a consumer with a full prefetch gives back to the broker what it has; and one
    /// that gets nothing looks whether there is something.
    pub stuck_after: Duration,
    /// The most bytes (64 MiB) that one consumer has from the broker without having settled them.
    pub held_bytes: usize,
    /// A message with its key and headers is at most this large (16 MiB).
    pub max_message_bytes: usize,
}

impl Options {
    /// The defaults, for the broker at `url`.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            authority: None,
            prefix: "patchbay".into(),
            delivery_limit: 20,
            connect_timeout: Duration::from_secs(5),
            heartbeat: Duration::from_secs(10),
            confirm_timeout: Duration::from_secs(10),
            reconnect_wait: Duration::from_millis(100),
            reconnect_wait_most: Duration::from_secs(2),
            stuck_after: Duration::from_secs(30),
            held_bytes: 64 * 1024 * 1024,
            max_message_bytes: 16 * 1024 * 1024,
        }
    }
}

/// Without the address, which holds a password.
impl Debug for Options {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Options").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}
