//! What can go wrong with keys and sealed secrets. No message holds key material or content.

use std::path::PathBuf;

/// Why a secret could not be sealed or opened, or a key ring could not be had.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The secret was sealed by a key that this ring does not have.
    #[error("the secret is sealed with master key `{id}`, which is not in the key ring; add that key after the first")]
    UnknownKey {
        /// The id of the missing key.
        id: String,
    },
    /// Authentication failed: other bytes, another place, or another key under the same id.
    #[error("the sealed secret is damaged, belongs to another place, or its master key was replaced under the same id")]
    Damaged,
    /// The secret was sealed in a format that this program does not know.
    #[error("the sealed secret has format version {0}, which this program does not know")]
    Version(u8),
    #[error("a key ring needs at least one master key")]
    NoKey,
    #[error("master key id `{0}` is there twice")]
    DuplicateKey(String),
    #[error("the master key can't be read")]
    KeyText(#[from] KeyTextError),
    #[error("line {line} of key file {} can't be read", path.display())]
    KeyFileLine {
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        source: KeyTextError,
    },
    #[error("key file {} holds no usable keys", path.display())]
    KeyFile { path: PathBuf, source: Box<Error> },
    #[error("could not {verb} key file {}", path.display())]
    Io { verb: &'static str, path: PathBuf, source: std::io::Error },
    #[error("the operating system gave no random bytes")]
    Random(#[source] getrandom::Error),
    /// The cipher takes no more than 64 GiB at once.
    #[error("the secret is too large to seal")]
    TooLarge,
}

/// Why a text is not a master key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyTextError {
    #[error("a master key is written `id:base64`, and the colon is missing")]
    NoColon,
    #[error("a master key id has 1 to 64 letters, digits, dots, dashes or underscores")]
    Id,
    #[error("the part after the colon is not base64")]
    Base64,
    #[error("the key has {0} bytes instead of 32")]
    Length(usize),
}
