//! The keys that a process holds.

use crate::{Error, Fingerprint, MasterKey};

/// Master keys in order: the first seals, each opens what it has sealed.
#[derive(Clone, Debug)]
pub struct KeyRing {
    /// Never empty; ids are unique.
    keys: Vec<MasterKey>,
}

impl KeyRing {
    /// A ring of these keys, the sealing one first.
    ///
    /// # Errors
    ///
    /// When there is no key, or an id is there twice.
    pub fn new(keys: Vec<MasterKey>) -> Result<Self, Error> {
        if keys.is_empty() {
            return Err(Error::NoKey);
        }
        for (position, key) in keys.iter().enumerate() {
            if keys[..position].iter().any(|earlier| earlier.id() == key.id()) {
                return Err(Error::DuplicateKey(key.id().to_owned()));
            }
        }
        Ok(Self { keys })
    }

    /// The fingerprint of the key that seals.
    pub fn sealing_fingerprint(&self) -> Fingerprint {
        self.sealing_key().fingerprint()
    }

    /// Id and fingerprint of every key, the sealing one first.
    pub fn fingerprints(&self) -> Vec<(String, Fingerprint)> {
        self.keys.iter().map(|key| (key.id().to_owned(), key.fingerprint())).collect()
    }

    pub(crate) fn sealing_key(&self) -> &MasterKey {
        &self.keys[0]
    }

    pub(crate) fn key(&self, id: &str) -> Option<&MasterKey> {
        self.keys.iter().find(|key| key.id() == id)
    }
}
