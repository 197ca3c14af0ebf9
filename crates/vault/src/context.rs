//! The place of a secret.

use crate::sealed::VERSION;

/// The layer of a sealed secret that is being authenticated.
#[derive(Clone, Copy)]
pub(crate) enum Layer {
    Key = 1,
    Content = 2,
}

/// Where a secret lives. What was sealed for one place opens in no other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Context {
    /// The workspace that owns the row.
    pub workspace: i64,
    /// The identity of the row, with its table where ids of several tables could meet.
    pub row: String,
    /// The column or field in the row.
    pub field: String,
}

impl Context {
    /// The bytes that both layers authenticate; see the crate's words for the layout.
    pub(crate) fn associated_data(&self, layer: Layer, key_id_length: u8, key_id: &str) -> Vec<u8> {
        let mut data = Vec::with_capacity(41 + key_id.len() + self.row.len() + self.field.len());
        data.extend_from_slice(b"patchbay.vault");
        data.extend_from_slice(&[layer as u8, VERSION, key_id_length]);
        data.extend_from_slice(key_id.as_bytes());
        data.extend_from_slice(&self.workspace.to_be_bytes());
        for part in [&self.row, &self.field] {
            data.extend_from_slice(&(part.len() as u64).to_be_bytes());
            data.extend_from_slice(part.as_bytes());
        }
        data
    }
}
