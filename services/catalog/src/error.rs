//! Why something was not done.

/// Why the role can't be installed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A value of the configuration can't work.
    #[error("catalog configuration: {0}")]
    Config(&'static str),
    /// The tables can't be brought up to date.
    #[error("catalog tables can't be used")]
    Store(#[from] patchbay_store::Error),
}
