//! The polled sources as this process knows them.

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use patchbay_proto::{
    Route,
    automation::internal::v1::{
        ChangesSinceRequest, ChangesSinceResponse, Source,
        automation_internal_service_client::AutomationInternalServiceClient,
    },
};
use patchbay_service::status;
use patchbay_types::{
    SourceId,
    fault::{Code, Fault},
};

/// The mode of triggers that are asked for on a schedule.
const POLL: &str = "poll";
/// How long `automation` may take to answer.
const PEER_DEADLINE: Duration = Duration::from_secs(5);
/// The largest answer of it, in bytes: definitions of all automations come with their sources.
const LARGEST_ANSWER: usize = 256 * 1024 * 1024;

/// Reads what changed, and remembers which sources are polled.
#[derive(Debug)]
pub(crate) struct Reader {
    automation: AutomationInternalServiceClient<Route>,
    revision: i64,
    polled: BTreeSet<SourceId>,
}

impl Reader {
    pub(crate) fn new(automation: Route) -> Self {
        let automation = AutomationInternalServiceClient::new(automation).max_decoding_message_size(LARGEST_ANSWER);
        Self { automation, revision: 0, polled: BTreeSet::new() }
    }

    /// Follows `automation` up to its newest revision. Returns how many sources are polled.
    pub(crate) async fn refresh(&mut self) -> Result<usize, Fault> {
        loop {
            let changes = self.ask().await?;
            if changes.revision == self.revision || changes.revision < 0 {
                return Ok(self.polled.len());
            }
            // A revision that went back is that of a restored database: everything is asked for again.
            if changes.revision < self.revision {
                self.revision = 0;
                self.polled.clear();
                continue;
            }
            self.revision = changes.revision;
            changes.sources.iter().for_each(|source| self.take(source));
        }
    }

    async fn ask(&mut self) -> Result<ChangesSinceResponse, Fault> {
        let request = ChangesSinceRequest { revision: self.revision };
        match tokio::time::timeout(PEER_DEADLINE, self.automation.changes_since(request)).await {
            Ok(Ok(answer)) => Ok(answer.into_inner()),
            Ok(Err(status)) => Err(status::to_fault(&status)),
            Err(_) => Err(Fault::new(Code::Unavailable, "automation does not answer in time")),
        }
    }

    fn take(&mut self, source: &Source) {
        let Ok(id) = SourceId::from_slice(&source.id) else {
            tracing::error!(revision = source.revision, "a source has no valid id");
            return;
        };
        if source.mode == POLL && !source.deleted {
            self.polled.insert(id);
        } else {
            self.polled.remove(&id);
        }
    }
}

/// What the last reading came to.
#[derive(Debug)]
pub(crate) struct Verdict(Mutex<Result<(), String>>);

impl Default for Verdict {
    fn default() -> Self {
        Self(Mutex::new(Err("not read yet".to_owned())))
    }
}

impl Verdict {
    pub(crate) fn set(&self, verdict: Result<(), String>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = verdict;
    }

    pub(crate) fn get(&self) -> Result<(), String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
