//! Why peers can't be sure of each other.

use std::{io, net::SocketAddr, path::PathBuf};

/// What is wrong with the token, the certificate or the address. Displayed whole: the reader configured it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Easily guessed.
    #[error("service_auth.token has {characters} characters; it needs at least {least}")]
    ShortToken {
        /// How long it is.
        characters: usize,
        /// How long it must be.
        least: usize,
    },
    /// It can't be sent in a header as it is.
    #[error("service_auth.token has a line break or another control character, or begins or ends with a space")]
    UnfitToken,
    /// A file of certificates or of a key.
    #[error("{} can't be read: {reason}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        reason: io::Error,
    },
    /// A file without what it is for.
    #[error("{} has no {what} in PEM", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
        /// A certificate, or a private key.
        what: &'static str,
    },
    /// A file that is PEM, with something else inside.
    #[error("the {what} in {} can't be used: {reason}", path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// A certificate, or a private key.
        what: &'static str,
        /// Why.
        reason: String,
    },
    /// The certificate would be refused by peers.
    #[error("the certificate in {} {reason}", path.display())]
    Certificate {
        /// The file.
        path: PathBuf,
        /// A sentence's end: `has expired at …`.
        reason: String,
    },
    /// Key and certificate are not a pair.
    #[error("the key in {} does not fit the certificate in {}", key.display(), certificate.display())]
    OtherKey {
        /// The file of the key.
        key: PathBuf,
        /// The file of the certificate.
        certificate: PathBuf,
    },
    /// Others could read what is sent.
    #[error(
        "listening for peers on {address} needs TLS, because it is not loopback; set service_auth.certificate, \
         service_auth.key and service_auth.authority"
    )]
    NeedsTls {
        /// Where to listen.
        address: SocketAddr,
    },
}
