//! The use cases, one file each.

mod browse;
mod fields;
mod options;
mod refresh;

use std::sync::Arc;

use patchbay_connector::{Catalog, Connector, List};
use patchbay_types::{
    ConnectionId, WorkspaceId,
    fault::{Code, Fault},
};

pub(crate) use fields::plain_field;

use crate::{domain::Account, lists::Lists, peers::Connections};

/// How many lists one request asks for at once.
const AT_ONCE: usize = 4;

/// What the use cases work with.
#[derive(Debug)]
pub(crate) struct Directory {
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) connections: Connections,
    pub(crate) lists: Arc<Lists>,
}

impl Directory {
    /// A connection of this workspace, with its connector.
    async fn account(&self, workspace: WorkspaceId, id: ConnectionId) -> Result<Account, Fault> {
        let connection = self.connections.get(workspace, id).await?;
        let connector = self.catalog.connector(&connection.partner).ok_or_else(|| {
            let message = format!("the app `{}` of connection {id} is not in this catalog", connection.partner);
            Fault::new(Code::FailedPrecondition, message)
        })?;
        Ok(Account { workspace, connection: id, version: connection.updated_at, connector: Arc::clone(connector) })
    }
}

/// A list of a partner by its name.
fn list_of<'a>(connector: &'a Connector, name: &str) -> Result<&'a Arc<List>, Fault> {
    connector.list(name).ok_or_else(|| {
        let name: String = name.chars().take(100).collect();
        let known: Vec<_> = connector.lists().iter().map(|list| format!("`{}`", list.name())).collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        let title = &connector.partner().title;
        Fault::new(Code::NotFound, format!("{title} has no list `{name}`; there are {known}"))
    })
}
