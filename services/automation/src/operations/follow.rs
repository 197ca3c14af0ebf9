//! Other services follow what is published.

use bytes::Bytes;
use patchbay_types::{AutomationId, Fault};

use super::Automations;
use crate::{domain::Changes, error::Failure};

impl Automations {
    /// Everything that changed after a revision.
    pub(crate) async fn changes_since(&self, revision: i64) -> Result<Changes, Failure> {
        if revision < 0 {
            return Err(Fault::invalid("a revision is not negative").with_field("revision").into());
        }
        Ok(self.store.changes_since(revision).await?)
    }

    /// The document of one version, also of a deleted automation.
    pub(crate) async fn version(&self, automation: AutomationId, version: i64) -> Result<Bytes, Failure> {
        let document = self.store.version(automation, version).await?;
        Ok(document.ok_or_else(|| {
            let message = format!("version {version} of automation {automation} does not exist");
            Fault::new(patchbay_types::fault::Code::NotFound, message)
        })?)
    }
}
