//! Other values for a connection.

use patchbay_types::{ConnectionId, WorkspaceId};

use super::{Connections, rules};
use crate::{
    Error,
    domain::{Connection, Edit, Fields, Status},
    fields::{self, Parted},
    store::Row,
    telemetry,
};

impl Connections {
    /// Changes what the edit names. Given any field, a connection that needed reauthorization is active again.
    pub(crate) async fn update(
        &self,
        workspace: WorkspaceId,
        id: ConnectionId,
        edit: Edit,
    ) -> Result<Connection, Error> {
        let title = edit.title.as_deref().map(rules::title).transpose()?;
        let concurrency = rules::concurrency(edit.concurrency)?;

        let mut change = self.store.change().await?;
        let before = change.get(workspace, id).await?.ok_or_else(|| rules::no_connection(id))?;
        let parted = self.merged(&before, edit.given)?;
        let status = match before.status {
            Status::NeedsReauthorization if parted.is_some() => Status::Active,
            unchanged => unchanged,
        };
        let after = Connection {
            title: title.unwrap_or(before.title),
            status,
            concurrency: concurrency.or(before.concurrency),
            shown: parted.as_ref().map_or(before.shown, |parted| parted.shown.clone()),
            updated_at: self.clock.now(),
            ..before
        };
        let row = Row {
            title: &after.title,
            status,
            shown: &after.shown,
            concurrency: after.concurrency,
            at: after.updated_at,
        };
        change.update(workspace, id, &row).await?;
        if let Some(parted) = parted {
            for field in &parted.absent {
                change.delete_secret(workspace, id, field).await?;
            }
            self.put_secrets(&mut change, workspace, id, &parted).await?;
        }
        change.commit().await?;
        telemetry::updated(workspace, id);
        Ok(after)
    }

    /// The connection's fields with those given over them; nothing when none are given.
    fn merged(&self, before: &Connection, given: Fields) -> Result<Option<Parted>, Error> {
        if given.is_empty() {
            return Ok(None);
        }
        let connector = self.connector(&before.partner)?;
        let mut merged = before.shown.clone();
        merged.extend(given);
        let complete = fields::complete(connector, &merged)?;
        fields::part(connector, complete, &before.shown).map(Some).map_err(Into::into)
    }
}
