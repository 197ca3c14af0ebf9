//! Why a peer can't be called, whatever happens.

/// What is wrong with a peer's address. Displayed whole: the reader configured it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Not an address.
    #[error(
        "`{text}` is not an address: {reason}; expected http://host:port or https://host:port, several separated by commas"
    )]
    Address {
        /// What it was.
        text: String,
        /// Why not.
        reason: &'static str,
    },
    /// Others could read what is sent.
    #[error(
        "{address} needs TLS, because it is not loopback; write https:// and set service_auth.certificate, \
         service_auth.key and service_auth.authority"
    )]
    NeedsTls {
        /// The address.
        address: String,
    },
    /// There is nothing to show to a peer that speaks TLS.
    #[error("{address} needs a certificate; set service_auth.certificate, service_auth.key and service_auth.authority")]
    NeedsCertificate {
        /// The address.
        address: String,
    },
}
