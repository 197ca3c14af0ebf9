//! Credentials on loan from `connection`, to verify senders with: held for minutes, dropped when the connection changes,
//! zeroed when dropped.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use patchbay_proto::{
    Route,
    connection::internal::v1::{
        IssueCredentialRequest, connection_internal_service_client::ConnectionInternalServiceClient,
    },
};
use patchbay_runtime::Clock;
use patchbay_service::status;
use patchbay_types::{ConnectionId, Fault, fault::Code};
use zeroize::Zeroizing;

use crate::sources::{PEER_DEADLINE, no_such_hook};

/// How long a credential is held.
const HOLD: Duration = Duration::from_mins(5);
/// How soon a connection is asked for again, after a refusal or when a signature does not fit.
const AGAIN: Duration = Duration::from_secs(1);

/// A connection's fields as JSON, secrets among them.
pub(crate) struct Credential {
    pub(crate) fields: Zeroizing<Vec<u8>>,
    revision: i64,
}

impl fmt::Debug for Credential {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Credential(revision {}, ••)", self.revision)
    }
}

/// The credentials held now.
#[derive(Debug)]
pub(crate) struct Credentials {
    connection: ConnectionInternalServiceClient<Route>,
    clock: Clock,
    slots: Mutex<HashMap<ConnectionId, Arc<Slot>>>,
}

#[derive(Debug, Default)]
struct Slot {
    last: Mutex<Option<Last>>,
    /// One question at a time: who waited finds its answer.
    asking: tokio::sync::Mutex<()>,
}

/// What was last answered about a connection.
#[derive(Debug, Clone)]
struct Last {
    outcome: Result<Arc<Credential>, Fault>,
    /// The revision of the connection that was known then.
    revision: i64,
    /// Since boot.
    asked_at: Duration,
    /// When the owner could not be asked again, since boot.
    failed_at: Option<Duration>,
}

impl Credentials {
    pub(crate) fn new(connection: Route, clock: Clock) -> Self {
        Self { connection: ConnectionInternalServiceClient::new(connection), clock, slots: Mutex::default() }
    }

    /// The credential of a connection, not older than its revision.
    pub(crate) async fn get(&self, id: ConnectionId, revision: i64) -> Result<Arc<Credential>, Fault> {
        let slot = self.slot(id);
        if let Some(outcome) = self.held(&slot, revision) {
            return outcome;
        }
        let get = async {
            let _turn = slot.asking.lock().await;
            match self.held(&slot, revision) {
                Some(outcome) => outcome,
                None => self.ask(id, &slot, revision).await,
            }
        };
        tokio::time::timeout(PEER_DEADLINE, get).await.unwrap_or_else(|_| Err(unavailable()))
    }

    /// A newer credential than the one that a signature does not fit, if there is one and it is time to ask.
    pub(crate) async fn newer(
        &self,
        id: ConnectionId,
        refused: &Arc<Credential>,
    ) -> Result<Option<Arc<Credential>>, Fault> {
        let slot = self.slot(id);
        let get = async {
            let _turn = slot.asking.lock().await;
            if let Some(last) = slot.last() {
                if self.has_just_failed(&last) {
                    return Err(unavailable());
                }
                let is_fresh = self.since(last.asked_at) < AGAIN;
                match last.outcome {
                    Ok(held) if held.revision != refused.revision => return Ok(Some(held)),
                    Err(fault) if is_fresh => return Err(fault),
                    Ok(_) if is_fresh => return Ok(None),
                    Ok(_) | Err(_) => {}
                }
            }
            let newest = self.ask(id, &slot, refused.revision).await?;
            Ok((newest.revision != refused.revision).then_some(newest))
        };
        tokio::time::timeout(PEER_DEADLINE, get).await.unwrap_or_else(|_| Err(unavailable()))
    }

    /// Drops what was held too long.
    pub(crate) fn expire(&self) {
        let is_young = |slot: &Slot| slot.last().is_some_and(|last| self.since(last.asked_at) < HOLD);
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        slots.retain(|_, slot| Arc::strong_count(slot) > 1 || is_young(slot));
    }

    fn slot(&self, id: ConnectionId) -> Arc<Slot> {
        Arc::clone(self.slots.lock().unwrap_or_else(PoisonError::into_inner).entry(id).or_default())
    }

    /// The last answer, while it holds.
    fn held(&self, slot: &Slot, revision: i64) -> Option<Result<Arc<Credential>, Fault>> {
        let last = slot.last().filter(|last| last.revision >= revision)?;
        let holds = if last.outcome.is_ok() { HOLD } else { AGAIN };
        if self.since(last.asked_at) < holds {
            return Some(last.outcome);
        }
        self.has_just_failed(&last).then(|| Err(unavailable()))
    }

    fn has_just_failed(&self, last: &Last) -> bool {
        last.failed_at.is_some_and(|failed_at| self.since(failed_at) < AGAIN)
    }

    async fn ask(&self, id: ConnectionId, slot: &Slot, revision: i64) -> Result<Arc<Credential>, Fault> {
        let now = self.clock.since_boot();
        let request = IssueCredentialRequest { connection_id: id.get() };
        let outcome = match self.connection.clone().issue_credential(request).await {
            Ok(answer) => {
                let issued = answer.into_inner();
                Ok(Arc::new(Credential { fields: Zeroizing::new(issued.fields.into()), revision: issued.revision }))
            }
            Err(error) => {
                let fault = status::to_fault(&error);
                // Who signs wrongly while the owner is away must not take the credential from who signs well.
                if fault.code.retryable()
                    && let Some(last) = slot.last().filter(|last| last.outcome.is_ok() && last.revision >= revision)
                {
                    slot.put(Last { failed_at: Some(now), ..last });
                    return Err(unavailable());
                }
                Err(slot.failed(id, &fault))
            }
        };
        let revision = outcome.as_ref().map_or(revision, |credential| credential.revision.max(revision));
        slot.put(Last { outcome: outcome.clone(), revision, asked_at: now, failed_at: None });
        outcome
    }

    fn since(&self, at: Duration) -> Duration {
        self.clock.since_boot().saturating_sub(at)
    }
}

impl Slot {
    fn last(&self) -> Option<Last> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn put(&self, last: Last) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(last);
    }

    /// What senders are told, which is less than what operators read, once.
    fn failed(&self, id: ConnectionId, fault: &Fault) -> Fault {
        if fault.code == Code::NotFound {
            return no_such_hook();
        }
        if self.last().is_none_or(|last| last.outcome.is_ok()) {
            let reason = fault.message.as_str();
            tracing::warn!(connection = %id, code = fault.code.name(), reason, "senders of a hook can't be verified");
        }
        unavailable()
    }
}

fn unavailable() -> Fault {
    Fault::new(Code::Unavailable, "the connection of this hook can't be used now; send it again later")
}
