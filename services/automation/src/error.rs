//! Why something was not done.

use patchbay_types::Fault;

/// Why the role can't be installed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The tables can't be brought up to date or read.
    #[error("automation tables can't be used")]
    Store(#[from] patchbay_store::Error),
}

/// Why an operation did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The caller can do something about it.
    #[error("refused")]
    Refused(#[from] Fault),
    /// The database did not do it.
    #[error("store failed")]
    Store(#[from] patchbay_store::Error),
}
