//! A request becomes events, and every event a message: pure work, no waiting.

use std::time::Duration;

use bytes::Bytes;
use patchbay_broker::Message;
use patchbay_proto::event::v1::TriggerFired;
use patchbay_types::{Fault, Timestamp, fault::Code};
use prost::Message as _;

use crate::{
    arrival::Arrival,
    domain::{Kind, Source},
    partner, received,
};

/// What fires a trigger.
#[derive(Debug, Default)]
pub(crate) struct Event {
    pub(crate) id: String,
    /// The producer that the id is unique in, where a source has several; else empty.
    pub(crate) producer: String,
    /// How long the same id counts as the same event; zero is the whole horizon.
    pub(crate) dedupe_window: Duration,
    /// JSON, what expressions see as `trigger`.
    pub(crate) payload: Bytes,
}

/// Why nothing is fired.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// The sender could not prove who it is, perhaps only because the secret has changed.
    Unverified(Fault),
    /// Anything else.
    Fault(Fault),
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// The messages of a request: none when the trigger wants nothing of it. `credential` holds the fields of the connection,
/// where they are looked at. What has no id of its own is the same event as its equal within `dedupe_window`.
pub(crate) fn messages(
    source: &Source,
    arrival: &Arrival,
    credential: Option<&[u8]>,
    dedupe_window: Duration,
) -> Result<Vec<Message>, Refusal> {
    match &source.kind {
        Kind::Any(dedupe) => Ok(vec![received::message(source, dedupe, arrival, dedupe_window)?]),
        Kind::Partner(partner) => partner::messages(source, partner, arrival, credential, dedupe_window),
        Kind::Published(_) => Err(Fault::new(Code::NotFound, "this trigger takes no webhooks").into()),
        Kind::Unusable(fault) => Err(fault.clone().into()),
    }
}

impl Event {
    pub(crate) fn into_message(self, source: &Source, received_at: Timestamp, meta: Bytes) -> Message {
        let fired = TriggerFired {
            workspace_id: source.workspace.get(),
            source_id: source.id.clone(),
            event_id: self.id,
            accepted_at: received_at.as_micros(),
            payload: self.payload,
            meta,
            dedupe_window: i64::try_from(self.dedupe_window.as_micros()).unwrap_or(i64::MAX),
            event_source: self.producer,
        };
        let payload = fired.encode_to_vec().into();
        Message { key: fired.event_id.into(), payload, tenant: source.workspace.get(), ..Message::default() }
    }
}
