//! Why the service can't be built.

/// Why the service can't be built.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A value of the configuration can't work.
    #[error("poller configuration: {0}")]
    Config(&'static str),
}
