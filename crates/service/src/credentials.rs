//! Credentials on loan from `connection`: held for minutes, dropped when the connection changes, zeroed when dropped.

use std::{
    collections::HashMap,
    fmt,
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use patchbay_proto::{
    Route,
    connection::internal::v1::{
        IssueCredentialRequest, IssueCredentialResponse, ReportCredentialRequest,
        connection_internal_service_client::ConnectionInternalServiceClient,
    },
};
use patchbay_runtime::Clock;
use patchbay_types::{
    ConnectionId,
    fault::{Code, Fault},
};
use zeroize::Zeroizing;

use crate::status;

/// How long the owner may take to answer, the wait for one's turn included.
const PATIENCE: Duration = Duration::from_secs(5);
/// How soon the owner is asked again about a connection, after a fault or when a credential does not fit.
const AGAIN: Duration = Duration::from_secs(1);

/// What it takes to call a partner, or to know one: secrets are among it, so it says only its revision.
pub struct Credential {
    /// The connection's fields as a JSON object.
    pub fields: Zeroizing<Vec<u8>>,
    /// The revision of the connection that they are of.
    pub revision: i64,
}

impl From<IssueCredentialResponse> for Credential {
    fn from(issued: IssueCredentialResponse) -> Self {
        Self { fields: Zeroizing::new(issued.fields.into()), revision: issued.revision }
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Credential(revision {}, ••)", self.revision)
    }
}

/// The credentials held now. The owner gets one question at a time about a connection.
#[derive(Debug)]
pub struct Credentials {
    connection: ConnectionInternalServiceClient<Route>,
    clock: Clock,
    hold: Duration,
    slots: Mutex<HashMap<ConnectionId, Slot>>,
}

/// What the owner answered about a connection. Times are since boot, from when it was asked.
#[derive(Debug, Default)]
struct Slot {
    /// The newest revision that was known of when it answered.
    revision: i64,
    held: Option<(Arc<Credential>, Duration)>,
    /// Why the last question brought nothing.
    trouble: Option<(Fault, Duration)>,
    /// Who waited for it finds the answer.
    turn: Arc<tokio::sync::Mutex<()>>,
}

impl Credentials {
    /// `connection` leads to the owner's internal service. No credential is handed out longer than `hold` after it was
    /// asked for.
    #[must_use]
    pub fn new(connection: Route, clock: Clock, hold: Duration) -> Self {
        Self { connection: ConnectionInternalServiceClient::new(connection), clock, hold, slots: Mutex::default() }
    }

    /// The credential of a connection that is known to have this revision, or a later one.
    ///
    /// # Errors
    /// The owner's fault, which stands for a second; `Unavailable` when there is no answer in time.
    pub async fn get(&self, id: ConnectionId, revision: i64) -> Result<Arc<Credential>, Fault> {
        if let Some(known) = self.known(id, revision) {
            return known;
        }
        // Who finds a held credential does not carry the room that a question takes.
        let get = Box::pin(async {
            let turn = self.turn(id);
            let _turn = turn.lock().await;
            match self.known(id, revision) {
                Some(known) => known,
                None => self.ask(id, revision).await,
            }
        });
        in_time(id, get).await
    }

    /// A newer credential than the one that does not fit, if there is one. The owner is asked at most once a second;
    /// while it is away, what is held stays.
    ///
    /// # Errors
    /// The owner's fault, which stands for a second; `Unavailable` when there is no answer in time.
    pub async fn newer(&self, id: ConnectionId, unfit: &Credential) -> Result<Option<Arc<Credential>>, Fault> {
        let get = Box::pin(async {
            let turn = self.turn(id);
            let _turn = turn.lock().await;
            if let Some(known) = self.known_newer(id, unfit) {
                return known;
            }
            let newest = self.ask(id, unfit.revision).await?;
            Ok((newest.revision != unfit.revision).then_some(newest))
        });
        in_time(id, get).await
    }

    /// Drops a credential that the partner refused, and tells its owner.
    pub async fn report_refused(&self, id: ConnectionId, revision: i64) {
        if let Some(slot) = self.slots().get_mut(&id) {
            slot.held.take_if(|(held, _)| held.revision <= revision);
        }
        let request = ReportCredentialRequest { connection_id: id.get(), revision };
        let mut connection = self.connection.clone();
        let report = async {
            let reported = connection.report_refused_credential(request).await;
            reported.map_err(|error| status::to_fault(&error))
        };
        if let Err(fault) = in_time(id, report).await {
            tracing::warn!(connection = %id, error = fault.message, "refused credential can't be reported");
        }
    }

    /// Drops what was held too long. To be called every few seconds.
    pub fn expire(&self) {
        let now = self.clock.since_boot();
        self.slots().retain(|_, slot| {
            slot.held.take_if(|(_, at)| now.saturating_sub(*at) >= self.hold);
            let says_something = slot.held.is_some() || younger(slot.trouble.as_ref(), self.hold, now).is_some();
            says_something || Arc::strong_count(&slot.turn) > 1
        });
    }

    /// The last answer, while it stands.
    fn known(&self, id: ConnectionId, revision: i64) -> Option<Result<Arc<Credential>, Fault>> {
        let now = self.clock.since_boot();
        let slots = self.slots();
        let slot = slots.get(&id).filter(|slot| slot.revision >= revision)?;
        match younger(slot.held.as_ref(), self.hold, now) {
            Some(held) => Some(Ok(Arc::clone(held))),
            None => younger(slot.trouble.as_ref(), AGAIN, now).map(|fault| Err(fault.clone())),
        }
    }

    /// What the last answer says of a newer credential, unless it is time to ask.
    fn known_newer(&self, id: ConnectionId, unfit: &Credential) -> Option<Result<Option<Arc<Credential>>, Fault>> {
        let now = self.clock.since_boot();
        let slots = self.slots();
        let slot = slots.get(&id)?;
        if let Some(fault) = younger(slot.trouble.as_ref(), AGAIN, now) {
            return Some(Err(fault.clone()));
        }
        let held = younger(slot.held.as_ref(), self.hold, now)?;
        if held.revision != unfit.revision {
            return Some(Ok(Some(Arc::clone(held))));
        }
        younger(slot.held.as_ref(), AGAIN, now).map(|_| Ok(None))
    }

    async fn ask(&self, id: ConnectionId, revision: i64) -> Result<Arc<Credential>, Fault> {
        let now = self.clock.since_boot();
        let request = IssueCredentialRequest { connection_id: id.get() };
        let issued = self.connection.clone().issue_credential(request).await;
        let mut slots = self.slots();
        let slot = slots.entry(id).or_default();
        match issued {
            Ok(issued) => {
                let credential = Arc::new(Credential::from(issued.into_inner()));
                slot.revision = credential.revision.max(revision);
                slot.held = Some((Arc::clone(&credential), now));
                slot.trouble = None;
                Ok(credential)
            }
            Err(error) => {
                let fault = status::to_fault(&error);
                slot.failed(id, revision, &fault, now);
                Err(fault)
            }
        }
    }

    fn turn(&self, id: ConnectionId) -> Arc<tokio::sync::Mutex<()>> {
        Arc::clone(&self.slots().entry(id).or_default().turn)
    }

    /// Never held over a call.
    fn slots(&self) -> MutexGuard<'_, HashMap<ConnectionId, Slot>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Slot {
    fn failed(&mut self, id: ConnectionId, revision: i64, fault: &Fault, now: Duration) {
        // A credential that does not fit, while the owner is away, must not take the one that does from others.
        if !fault.code.retryable() || self.revision < revision {
            self.held = None;
            self.revision = revision;
        }
        if self.trouble.is_none() && fault.code != Code::NotFound {
            let reason = fault.message.as_str();
            tracing::warn!(connection = %id, code = fault.code.name(), reason, "connection lends no credential");
        }
        self.trouble = Some((fault.clone(), now));
    }
}

/// An answer, if it is younger than `age`.
fn younger<T>(answer: Option<&(T, Duration)>, age: Duration, now: Duration) -> Option<&T> {
    answer.filter(|(_, at)| now.saturating_sub(*at) < age).map(|(answer, _)| answer)
}

async fn in_time<T>(id: ConnectionId, answer: impl Future<Output = Result<T, Fault>>) -> Result<T, Fault> {
    tokio::time::timeout(PATIENCE, answer).await.unwrap_or_else(|_| {
        let message = format!("connection {id} could not be asked about in time; try again");
        Err(Fault::new(Code::Unavailable, message))
    })
}
