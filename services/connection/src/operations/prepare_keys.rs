//! Before anything is served: are these the master keys that sealed what is stored?

use patchbay_vault::Fingerprint;
use zeroize::Zeroizing;

use super::{Connections, seal::hook_key_context};
use crate::{Error, store::UsedKey, telemetry};

const FIRST_GENERATION: u32 = 1;
const HOOK_KEY_BYTES: usize = 32;

impl Connections {
    /// Checks the master keys and makes the first hook key.
    ///
    /// # Errors
    /// When a stored secret could not be opened with these keys.
    pub(crate) async fn prepare_keys(&self) -> Result<(), Error> {
        let mut change = self.store.change_keys().await?;
        check(&change.in_use().await?, &self.keys.fingerprints())?;
        if change.has_hook_key().await? {
            return Ok(());
        }
        let mut key = Zeroizing::new([0; HOOK_KEY_BYTES]);
        getrandom::fill(key.as_mut_slice()).map_err(Error::Random)?;
        let sealed = self.keys.seal(&hook_key_context(FIRST_GENERATION), key.as_slice())?;
        change.insert_hook_key(FIRST_GENERATION, &self.sealing_key(), &sealed, self.clock.now()).await?;
        change.commit().await?;
        telemetry::hook_key_made(FIRST_GENERATION);
        Ok(())
    }
}

fn check(used: &[UsedKey], ring: &[(String, Fingerprint)]) -> Result<(), Error> {
    for UsedKey { id, fingerprint } in used {
        let (id, expected) = (id.clone(), fingerprint.clone());
        let Some((_, given)) = ring.iter().find(|(given, _)| *given == id) else {
            return Err(Error::MasterKeyMissing { id, expected, given: listed(ring) });
        };
        let given = given.to_string();
        if given != expected {
            return Err(Error::MasterKeyReplaced { id, expected, given });
        }
    }
    Ok(())
}

fn listed(ring: &[(String, Fingerprint)]) -> String {
    let keys: Vec<String> = ring.iter().map(|(id, fingerprint)| format!("`{id}` ({fingerprint})")).collect();
    keys.join(", ")
}

#[cfg(test)]
mod tests {
    use patchbay_vault::MasterKey;

    use super::*;

    fn used(key: &MasterKey) -> UsedKey {
        UsedKey { id: key.id().to_owned(), fingerprint: key.fingerprint().to_string() }
    }

    fn ring(keys: &[&MasterKey]) -> Vec<(String, Fingerprint)> {
        keys.iter().map(|key| (key.id().to_owned(), key.fingerprint())).collect()
    }

    #[test]
    fn takes_a_ring_that_has_all_used_keys() {
        let (old, new) = (MasterKey::generate("old").unwrap(), MasterKey::generate("new").unwrap());
        assert!(check(&[], &ring(&[&new])).is_ok());
        assert!(check(&[used(&old), used(&new)], &ring(&[&new, &old])).is_ok());
    }

    #[test]
    fn refuses_a_ring_without_a_used_key() {
        let (old, new) = (MasterKey::generate("old").unwrap(), MasterKey::generate("new").unwrap());
        let error = check(&[used(&old)], &ring(&[&new])).unwrap_err();
        assert!(matches!(&error, Error::MasterKeyMissing { id, .. } if id == "old"), "{error}");
    }

    #[test]
    fn refuses_another_key_under_the_same_id() {
        let (one, other) = (MasterKey::generate("key").unwrap(), MasterKey::generate("key").unwrap());
        let error = check(&[used(&one)], &ring(&[&other])).unwrap_err();
        assert!(matches!(&error, Error::MasterKeyReplaced { id, .. } if id == "key"), "{error}");
    }
}
