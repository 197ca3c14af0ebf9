//! Where each secret of this service is sealed for.

use patchbay_types::{ConnectionId, WorkspaceId};
use patchbay_vault::Context;

use super::Connections;
use crate::{Error, store::UsedKey};

/// A field's value, sealed.
#[derive(Debug)]
pub(crate) struct SealedSecret {
    pub(crate) field: String,
    pub(crate) key: UsedKey,
    pub(crate) sealed: Vec<u8>,
}

impl Connections {
    /// Seals the JSON text of a field's value.
    pub(super) fn seal(
        &self,
        workspace: WorkspaceId,
        id: ConnectionId,
        field: String,
        plaintext: &[u8],
    ) -> Result<SealedSecret, Error> {
        let sealed = self.keys.seal(&field_context(workspace, id, &field), plaintext)?;
        Ok(SealedSecret { field, key: self.sealing_key(), sealed })
    }

    /// The key that seals, as it is noted beside what it sealed.
    pub(super) fn sealing_key(&self) -> UsedKey {
        let fingerprint = self.keys.sealing_fingerprint();
        let id = self.keys.fingerprints().into_iter().next().map(|(id, _)| id);
        UsedKey { id: id.unwrap_or_default(), fingerprint: fingerprint.to_string() }
    }
}

pub(super) fn field_context(workspace: WorkspaceId, id: ConnectionId, field: &str) -> Context {
    Context { workspace: workspace.get(), row: format!("connection_connections/{id}"), field: field.to_owned() }
}

/// Hook keys belong to the installation, not to a workspace.
pub(super) fn hook_key_context(generation: u32) -> Context {
    Context { workspace: 0, row: format!("connection_hook_keys/{generation}"), field: "key".to_owned() }
}
