//! Why the service did not do it.

use patchbay_types::fault::{Code, Fault};

/// Why the gateway could not start or did not do what it was asked. No message holds a secret.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A value of the configuration can't work.
    #[error("gateway configuration: {0}")]
    Config(&'static str),
    /// The caller must change something.
    #[error("request was refused: {0}")]
    Refused(Fault),
    /// The database did not do it.
    #[error("users can't be stored or read")]
    Store(#[from] patchbay_store::Error),
    /// The operating system gave no random bytes.
    #[error("no random bytes")]
    Random(#[source] getrandom::Error),
    /// A password could not be hashed, or its hash is damaged.
    #[error("password can't be hashed or compared: {0}")]
    Password(String),
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        Self::Refused(fault)
    }
}

impl Error {
    /// What a caller is told. The rest is for the log.
    #[must_use]
    pub fn fault(&self) -> Fault {
        match self {
            Self::Refused(fault) => fault.clone(),
            Self::Store(error) => error.fault(),
            Self::Config(_) | Self::Random(_) | Self::Password(_) => {
                Fault::new(Code::Internal, "something is wrong here; the log says what")
            }
        }
    }
}

/// What a caller is told, after the operator was told the rest.
impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        let fault = error.fault();
        match &error {
            Error::Refused(_) => {}
            Error::Store(store) => tracing::error!(reason = store.chain(), "gateway's tables can't be used"),
            Error::Config(_) | Error::Random(_) | Error::Password(_) => {
                tracing::error!(reason = %error, "request failed");
            }
        }
        fault
    }
}
