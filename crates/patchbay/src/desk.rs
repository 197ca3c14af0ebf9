//! What the commands `runs` and `deadletters` have in common: a database, and the workspaces in it.

use anyhow::{Context, anyhow};
use patchbay_runtime::Clock;
use patchbay_types::{Fault, WorkspaceId, fault::Code};

use crate::{cli, config::Config, database, failure::Failure};

/// Runs and dead letters of the workspaces that were asked for.
pub(crate) struct Desk {
    pub(crate) desk: patchbay_action_executor::Desk,
    pub(crate) workspaces: Vec<WorkspaceId>,
}

/// Does `work` on the database that the options name.
pub(crate) fn at<T>(options: &cli::Desk, work: impl AsyncFnOnce(&Desk) -> anyhow::Result<T>) -> Result<T, Failure> {
    let config = Config::load(&options.database)?;
    let done = database::on_existing(&config, async |engine| {
        patchbay_gateway::migrate(engine).await.context("database can't be brought up to date")?;
        let workspaces = match options.workspace {
            Some(workspace) => vec![workspace],
            None => patchbay_gateway::users::workspaces(engine).await.context("workspaces can't be read")?,
        };
        let desk = patchbay_action_executor::Desk::open(engine.clone(), Clock::system()).await;
        work(&Desk { desk: desk.context("runs can't be read")?, workspaces }).await
    })?;
    Ok(done)
}

/// What the first of these workspaces says that knows the thing.
pub(crate) async fn first<T>(
    workspaces: impl IntoIterator<Item = WorkspaceId>,
    ask: impl AsyncFn(WorkspaceId) -> Result<T, Fault>,
) -> anyhow::Result<T> {
    let mut unknown = None;
    for workspace in workspaces {
        match ask(workspace).await {
            Err(fault) if fault.code == Code::NotFound => unknown = Some(fault),
            answer => return answer.map_err(said),
        }
    }
    Err(unknown.map_or_else(|| anyhow!("there is no workspace in this database"), said))
}

pub(crate) fn said(fault: Fault) -> anyhow::Error {
    anyhow!(fault.message)
}
