//! One list of an account.

use std::sync::Arc;

use patchbay_connector::List;
use patchbay_types::{ConnectionId, Fault, Timestamp, WorkspaceId};

use super::{Directory, list_of};
use crate::{
    domain::{Entry, Kept, Question},
    inputs,
};

impl Directory {
    /// The options of a list, with the values that it depends on.
    pub(crate) async fn options(
        &self,
        workspace: WorkspaceId,
        connection: ConnectionId,
        list: &str,
        input: &[u8],
    ) -> Result<Arc<Kept>, Fault> {
        let given = inputs::read(input)?;
        let account = self.account(workspace, connection).await?;
        let list = Arc::clone(list_of(&account.connector, list)?);
        if list.is_static() {
            return Ok(Arc::new(fixed(&list)));
        }
        let inputs = inputs::given_for(&list, &account.connector, &given)?;
        let deadline = self.lists.deadline();
        self.lists.get(Question { account, list, inputs }, deadline).await
    }
}

/// A list that the manifest itself holds: nobody is asked for it, at no time.
pub(super) fn fixed(list: &List) -> Kept {
    let entry = |choice: &patchbay_connector::Choice| {
        let label = if choice.label.is_empty() { &choice.value } else { &choice.label };
        Entry { key: choice.value.clone(), label: label.clone(), kind: None, required: false }
    };
    let entries = list.choices().iter().map(entry).collect();
    Kept { entries, truncated: false, fetched_at: Timestamp::from_micros(0) }
}
