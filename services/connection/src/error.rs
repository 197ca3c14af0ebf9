//! Why this service did not do it.

use patchbay_types::Fault;

/// Why the connection service could not start or did not do what it was asked. No message holds a secret.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A value of the configuration can't work.
    #[error("connection configuration: {0}")]
    Config(&'static str),
    /// The caller must change something.
    #[error("request was refused")]
    Refused(#[from] Fault),
    /// The database did not do it.
    #[error("connections can't be stored or read")]
    Store(#[from] patchbay_store::Error),
    /// A secret could not be sealed or opened.
    #[error("secret can't be sealed or opened")]
    Vault(#[from] patchbay_vault::Error),
    /// The operating system gave no random bytes.
    #[error("no random bytes for a hook key")]
    Random(#[source] getrandom::Error),
    /// A master key was replaced by another under the same id.
    #[error(
        "master key `{id}` has fingerprint {given}, but the stored secrets are sealed by one with fingerprint {expected}\n\
         hint: put the original key back, or give the new one another id and keep the original after it"
    )]
    MasterKeyReplaced {
        /// The id of both keys.
        id: String,
        /// Fingerprint of the key that sealed.
        expected: String,
        /// Fingerprint of the key in the ring.
        given: String,
    },
    /// A master key that sealed what is stored is not in the ring.
    #[error(
        "stored secrets are sealed by master key `{id}` with fingerprint {expected}, which is not among the given keys: {given}\n\
         hint: add that key after the first, or start with the database that belongs to the given keys"
    )]
    MasterKeyMissing {
        /// The id of the missing key.
        id: String,
        /// Its fingerprint.
        expected: String,
        /// Ids and fingerprints of the keys in the ring.
        given: String,
    },
}
