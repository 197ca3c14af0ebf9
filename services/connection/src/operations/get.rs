//! One connection, as people may see it.

use patchbay_types::{ConnectionId, WorkspaceId};

use super::{Connections, rules};
use crate::{Error, domain::Connection};

impl Connections {
    pub(crate) async fn get(&self, workspace: WorkspaceId, id: ConnectionId) -> Result<Connection, Error> {
        let found = self.store.get(workspace, id).await?;
        found.ok_or_else(|| rules::no_connection(id).into())
    }
}
