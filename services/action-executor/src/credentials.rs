//! Credentials on loan from `connection`: held for minutes, dropped when the connection changes, zeroed when dropped.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use patchbay_proto::{
    Route,
    connection::internal::v1::{
        IssueCredentialRequest, ReportCredentialRequest,
        connection_internal_service_client::ConnectionInternalServiceClient,
    },
};
use patchbay_runtime::Clock;
use patchbay_service::status;
use patchbay_types::{ConnectionId, Fault};
use zeroize::Zeroizing;

/// A connection's fields as JSON, secrets among them.
pub(crate) struct Credential {
    pub(crate) fields: Zeroizing<Vec<u8>>,
    pub(crate) revision: i64,
    issued: Duration,
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
    hold: Duration,
    held: Mutex<HashMap<ConnectionId, Arc<Credential>>>,
}

impl Credentials {
    pub(crate) fn new(connection: Route, clock: Clock, hold: Duration) -> Self {
        Self { connection: ConnectionInternalServiceClient::new(connection), clock, hold, held: Mutex::default() }
    }

    /// The credential of a connection, not older than its revision `at_least`.
    pub(crate) async fn get(&self, id: ConnectionId, at_least: i64) -> Result<Arc<Credential>, Fault> {
        let now = self.clock.since_boot();
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner).get(&id).cloned();
        if let Some(credential) = held
            && credential.revision >= at_least
            && now.saturating_sub(credential.issued) < self.hold
        {
            return Ok(credential);
        }
        let request = IssueCredentialRequest { connection_id: id.get() };
        let issued = self.connection.clone().issue_credential(request).await;
        let issued = issued.map_err(|error| status::to_fault(&error))?.into_inner();
        let fields = Zeroizing::new(issued.fields.to_vec());
        let credential = Arc::new(Credential { fields, revision: issued.revision, issued: now });
        self.held.lock().unwrap_or_else(PoisonError::into_inner).insert(id, Arc::clone(&credential));
        Ok(credential)
    }

    /// Drops what was held too long.
    pub(crate) fn expire(&self) {
        let now = self.clock.since_boot();
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.retain(|_, credential| now.saturating_sub(credential.issued) < self.hold);
    }

    /// Tells the owner that the partner refused this credential.
    pub(crate) async fn report_refused(&self, id: ConnectionId, revision: i64) {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
        let request = ReportCredentialRequest { connection_id: id.get(), revision };
        if let Err(error) = self.connection.clone().report_refused_credential(request).await {
            tracing::warn!(connection = %id, error = error.message(), "refused credential can't be reported");
        }
    }
}
