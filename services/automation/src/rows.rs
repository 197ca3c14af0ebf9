//! Rows of the tables, read back into the domain.

use patchbay_store::{Error, payload};
use patchbay_types::{AutomationId, ConnectionId, ParseIdError, SourceId, Timestamp, WorkspaceId};

use crate::domain::{Automation, Published, Source, Status};

/// `queries/automation.sql`.
pub(crate) type AutomationRow = (i64, Vec<u8>, String, i64, Vec<u8>, i64, Vec<u8>, i64, i64);
/// `queries/source.sql`.
pub(crate) type SourceRow = (i64, Vec<u8>, Vec<u8>, String, i64, String, Vec<u8>, i64, i64);
/// `queries/automations_since.sql`.
pub(crate) type PublishedRow = (i64, Vec<u8>, String, i64, i64, Vec<u8>, Vec<u8>, i64);

pub(crate) fn automation(row: AutomationRow) -> Result<Automation, Error> {
    let (workspace, id, status, version, document, edits, source, created_at, updated_at) = row;
    Ok(Automation {
        id: AutomationId::from_slice(&id).map_err(damaged)?,
        workspace: WorkspaceId::new(workspace),
        status: parse_status(&status)?,
        version,
        document: payload::unpack(&document)?.into(),
        edits,
        source: SourceId::from_slice(&source).map_err(damaged)?,
        created_at: Timestamp::from_micros(created_at),
        updated_at: Timestamp::from_micros(updated_at),
    })
}

pub(crate) fn source(row: SourceRow) -> Result<Source, Error> {
    let (workspace, id, owner, operation, connection, mode, parameters, deleted, revision) = row;
    Ok(Source {
        id: SourceId::from_slice(&id).map_err(damaged)?,
        workspace: WorkspaceId::new(workspace),
        owner: AutomationId::from_slice(&owner).map_err(damaged)?,
        operation,
        connection: (connection != 0).then(|| ConnectionId::new(connection)),
        mode,
        parameters: payload::unpack(&parameters)?,
        deleted: deleted != 0,
        revision,
    })
}

pub(crate) fn published(row: PublishedRow) -> Result<Published, Error> {
    let (workspace, id, status, deleted, version, source, document, revision) = row;
    Ok(Published {
        id: AutomationId::from_slice(&id).map_err(damaged)?,
        workspace: WorkspaceId::new(workspace),
        status: parse_status(&status)?,
        deleted: deleted != 0,
        version,
        source: SourceId::from_slice(&source).map_err(damaged)?,
        document: payload::unpack(&document)?.into(),
        revision,
    })
}

fn parse_status(text: &str) -> Result<Status, Error> {
    Status::parse(text).ok_or_else(|| Error::Damaged(format!("{text:?} is not a status")))
}

#[expect(clippy::needless_pass_by_value, reason = "handed to map_err")]
fn damaged(error: ParseIdError) -> Error {
    Error::Damaged(error.to_string())
}
