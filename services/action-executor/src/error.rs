//! Why the executor can't be built.

/// Why the role could not be installed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Its tables.
    #[error("tables of runs can't be opened")]
    Store(#[from] patchbay_store::Error),
    /// The topic.
    #[error("topic of events can't be read")]
    Broker(#[from] patchbay_broker::Error),
    /// A setting.
    #[error("executor.{key}: {reason}")]
    Config {
        /// Which.
        key: &'static str,
        /// What is expected.
        reason: String,
    },
}
