//! A new connection.

use patchbay_types::{ConnectionId, Fault, WorkspaceId};

use super::{Connections, rules};
use crate::{
    Error,
    domain::{Connection, Fields, NewConnection, Status},
    fields::{self, Parted},
    store::{Change, Row, UsedKey},
    telemetry,
};

impl Connections {
    pub(crate) async fn create(&self, new: NewConnection) -> Result<Connection, Error> {
        if new.workspace.get() <= 0 {
            return Err(Fault::invalid("the workspace is missing").with_field("workspace_id").into());
        }
        let connector = self.connector(&new.partner)?;
        let given_title = if new.title.trim().is_empty() { &connector.partner().title } else { &new.title };
        let title = rules::title(given_title)?;
        let concurrency = rules::concurrency(new.concurrency)?;
        let complete = fields::complete(connector, &new.given)?;
        let parted = fields::part(connector, complete, &Fields::new())?;

        let (workspace, at) = (new.workspace, self.clock.now());
        let row = Row { title: &title, status: Status::Active, shown: &parted.shown, concurrency, at };
        let mut change = self.store.change().await?;
        let id = change.insert(workspace, &new.partner, &row).await?;
        self.put_secrets(&mut change, workspace, id, &parted).await?;
        change.commit().await?;
        telemetry::created(workspace, id, &new.partner);
        Ok(Connection {
            id,
            workspace,
            partner: new.partner,
            title,
            status: Status::Active,
            shown: parted.shown,
            concurrency,
            created_at: at,
            updated_at: at,
        })
    }

    pub(super) async fn put_secrets(
        &self,
        change: &mut Change,
        workspace: WorkspaceId,
        id: ConnectionId,
        parted: &Parted,
    ) -> Result<(), Error> {
        for (field, plaintext) in &parted.fresh {
            let sealed = self.seal(workspace, id, field.clone(), plaintext)?;
            if let Some(expected) = change.put_secret(workspace, id, &sealed).await? {
                let UsedKey { id, fingerprint: given } = sealed.key;
                return Err(Error::MasterKeyReplaced { id, expected, given });
            }
        }
        Ok(())
    }
}
