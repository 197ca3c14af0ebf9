//! Automations are shown.

use patchbay_types::{AutomationId, WorkspaceId};

use super::{Automations, absent};
use crate::{domain::Automation, error::Failure};

const DEFAULT_LIMIT: i64 = 50;
const LARGEST_LIMIT: i64 = 200;
/// A page ends before its documents take more than this, to stay within what a gRPC client takes.
const PAGE_BYTES: usize = 2 * 1024 * 1024;

/// Some automations, newest first.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) automations: Vec<Automation>,
    /// The next page begins after this one; nothing when there is none.
    pub(crate) next: Option<AutomationId>,
}

impl Automations {
    /// One automation.
    pub(crate) async fn get(&self, workspace: WorkspaceId, id: AutomationId) -> Result<Automation, Failure> {
        let automation = self.store.automation(workspace, id).await?;
        Ok(automation.ok_or_else(|| absent(id))?)
    }

    /// A page of a workspace's automations. A limit below 1 stands for the default; a larger one than allowed is lowered.
    pub(crate) async fn list(
        &self,
        workspace: WorkspaceId,
        before: Option<AutomationId>,
        limit: i64,
    ) -> Result<Page, Failure> {
        let limit = if limit < 1 { DEFAULT_LIMIT } else { limit.min(LARGEST_LIMIT) };
        let mut automations = self.store.automations(workspace, before, limit + 1).await?;
        let found = automations.len();
        let mut bytes = 0;
        let fitting = automations.iter().take_while(|automation| {
            bytes += automation.document.len();
            bytes <= PAGE_BYTES
        });
        let kept = fitting.count().clamp(1, usize::try_from(limit).unwrap_or(1));
        automations.truncate(kept);
        let next = if found > kept { automations.last().map(|automation| automation.id) } else { None };
        Ok(Page { automations, next })
    }
}
