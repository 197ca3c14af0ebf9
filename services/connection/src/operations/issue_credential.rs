//! The one way for plaintext out of this service.

use patchbay_types::{ConnectionId, Fault, fault::Code};
use serde_json::Value;

use super::{Connections, rules, seal::field_context};
use crate::{
    Error,
    domain::{Credential, Fields, SealedCredential, Status},
    telemetry,
};

impl Connections {
    /// All fields of an active connection. One that turns out to be damaged is marked, so that a person mends it.
    pub(crate) async fn issue_credential(&self, id: ConnectionId) -> Result<Credential, Error> {
        let stored = self.store.credential(id).await?.ok_or_else(|| rules::no_connection(id))?;
        match stored.status {
            Status::Active => {}
            Status::NeedsReauthorization => return Err(needs_reauthorization(id).into()),
            Status::Disconnected | Status::Deleted => {
                let message = format!("connection {id} is {}", stored.status);
                return Err(Fault::new(Code::FailedPrecondition, message).into());
            }
        }
        let revision = stored.revision;
        match self.open(id, stored)? {
            Some(fields) => Ok(Credential { fields, revision }),
            None => {
                self.report_refused(id, revision).await?;
                Err(needs_reauthorization(id).into())
            }
        }
    }

    /// Nothing when what is stored is damaged.
    pub(super) fn open(&self, id: ConnectionId, stored: SealedCredential) -> Result<Option<Fields>, Error> {
        let Some(mut fields) = stored.shown else {
            telemetry::fields_damaged(id);
            return Ok(None);
        };
        for (field, sealed) in stored.secrets {
            let value = match self.keys.open(&field_context(stored.workspace, id, &field), &sealed) {
                Ok(secret) => serde_json::from_slice::<Value>(secret.expose()).ok(),
                Err(patchbay_vault::Error::Damaged) => None,
                Err(error) => return Err(error.into()),
            };
            let Some(value) = value else {
                telemetry::secret_damaged(id, &field);
                return Ok(None);
            };
            fields.insert(field, value);
        }
        Ok(Some(fields))
    }
}

fn needs_reauthorization(id: ConnectionId) -> Fault {
    let message = format!("connection {id} needs reauthorization; give it its credential again");
    Fault::new(Code::FailedPrecondition, message)
}
