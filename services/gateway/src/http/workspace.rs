//! `/v1/workspace`.

use axum::{Json, extract::State};
use patchbay_types::{Fault, WorkspaceId};
use serde::Serialize;

use super::{Answer, Shared, caller::Caller};
use crate::Error;

#[derive(Debug, Serialize)]
pub(super) struct Shown {
    id: WorkspaceId,
    name: String,
    plan: String,
}

pub(super) async fn show(State(gateway): Shared, caller: Caller) -> Answer<Json<Shown>> {
    let id = caller.workspace;
    let found = gateway.store.workspace(id).await.map_err(|error| Fault::from(Error::Store(error)))?;
    let workspace = found.ok_or_else(|| Fault::not_found(format_args!("workspace {id}")))?;
    Ok(Json(Shown { id, name: workspace.name, plan: workspace.plan }))
}
