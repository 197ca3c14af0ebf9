//! How a start or an exchange fails.

use std::sync::Arc;

/// Why the client could not be built.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A limit or a timeout of zero would refuse every exchange.
    #[error("egress option {0} must be above zero")]
    ZeroOption(&'static str),
    /// The TLS settings were refused.
    #[error("tls could not be set up")]
    Tls(#[from] rustls::Error),
}

/// What failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The URL is not one that can be called: not http or https, no host, user info, or not a URL at all.
    InvalidUrl,
    /// The guard refused the address, the host or a header.
    Forbidden,
    /// The name could not be resolved.
    Dns,
    /// No connection came about: refused, unreachable.
    Connect,
    /// The TLS handshake failed: an untrusted certificate, or a peer that speaks no TLS.
    Tls,
    /// Connecting or the whole exchange took longer than allowed.
    Timeout,
    /// The connection ended before the answer was complete.
    Reset,
    /// The request or the answer is larger than its limit.
    TooLarge,
    /// The answer is not HTTP.
    Protocol,
}

/// Whether the partner may have seen the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Sent {
    /// The exchange surely failed before the first byte of the request was written.
    No,
    /// Some or all of the request may have been written.
    Maybe,
}

/// Why an exchange brought no complete answer.
///
/// The message is safe to show to the owner of the connection: it holds the host, never the query, a header or a body.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message}")]
pub struct SendError {
    /// What failed.
    pub kind: Kind,
    /// Whether the partner may have seen the request.
    pub sent: Sent,
    message: String,
    source: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

impl SendError {
    /// An exchange that failed, for replays and tests: the client makes its own.
    pub fn new(kind: Kind, sent: Sent, message: impl Into<String>) -> Self {
        Self { kind, sent, message: message.into(), source: None }
    }

    /// A failure before the first byte of the request.
    pub(crate) fn unsent(kind: Kind, message: impl Into<String>) -> Self {
        Self::new(kind, Sent::No, message)
    }

    /// The same failure where a redirect led to it: somebody took the request before.
    pub(crate) fn after_a_hop(mut self) -> Self {
        self.sent = Sent::Maybe;
        self
    }

    pub(crate) fn caused_by(mut self, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        self.source = Some(Arc::new(source));
        self
    }
}
