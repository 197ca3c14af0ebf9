//! Envelope encryption of secrets: every secret has its own data key, and the data key is sealed by a master key.
//!
//! [`KeyRing::seal`] writes format 1, [`KeyRing::open`] reads it. Byte by byte:
//!
//! | bytes | what |
//! | --- | --- |
//! | 1 | version, `0x01` |
//! | 1 | length `n` of the key id, 1 to 64 |
//! | n | id of the master key, ASCII |
//! | 12 | random nonce of the key layer |
//! | 48 | the random 32-byte data key, sealed by AES-256-GCM under the master key: 32 bytes, then the 16-byte tag |
//! | 12 | random nonce of the content layer |
//! | rest | the secret, sealed by AES-256-GCM under the data key: as many bytes as the secret, then the 16-byte tag |
//!
//! Both layers authenticate the same facts, so that a ciphertext opens only in the place that it was sealed for and no
//! two places share an encoding. The associated data is, integers big-endian:
//!
//! | bytes | what |
//! | --- | --- |
//! | 14 | the ASCII text `patchbay.vault` |
//! | 1 | layer, `0x01` key or `0x02` content |
//! | 1 | version, `0x01` |
//! | 1 + n | length of the key id, key id |
//! | 8 | workspace |
//! | 8 + r | length of the row, row in UTF-8 |
//! | 8 + f | length of the field, field in UTF-8 |
//!
//! Nonces are random, therefore one master key may seal 2³² secrets at most (NIST SP 800-38D, 8.3); a data key seals
//! one. Rotation: put a new key first, keep the old ones until everything is sealed anew, then drop them. The
//! [`Fingerprint`] of a key may be stored and shown; comparing it at start tells a wrong key before it is used.

mod context;
mod error;
mod file;
mod key;
mod ring;
mod sealed;
mod secret;

pub use context::Context;
pub use error::{Error, KeyTextError};
pub use key::{Fingerprint, MasterKey};
pub use ring::KeyRing;
pub use secret::Secret;
