//! The keys that hook tokens are made with.

use super::{Connections, seal::hook_key_context};
use crate::{Error, domain::HookKey};

impl Connections {
    /// All of them, the oldest first; the last one signs.
    pub(crate) async fn hook_keys(&self) -> Result<Vec<HookKey>, Error> {
        let mut keys = Vec::new();
        for (generation, sealed) in self.store.hook_keys().await? {
            let generation = u32::try_from(generation)
                .map_err(|_| patchbay_store::Error::Damaged(format!("hook key generation {generation}")))?;
            let key = self.keys.open(&hook_key_context(generation), &sealed)?.expose().to_vec();
            keys.push(HookKey { generation, key });
        }
        Ok(keys)
    }
}
