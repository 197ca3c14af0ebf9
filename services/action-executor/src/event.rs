//! An event's data as a run keeps it: the payload and what is known of its arrival, in one stored form.

use bytes::Bytes;
use patchbay_flow::expression::{self, Name, Scope, Value};
use patchbay_proto::event::v1::TriggerFired;
use patchbay_store::payload;
use patchbay_types::{AutomationId, Timestamp};
use sha2::{Digest, Sha256};

/// The data of one event.
#[derive(Debug, Clone)]
pub(crate) struct EventData {
    /// JSON.
    pub(crate) payload: Bytes,
    /// JSON.
    pub(crate) meta: Bytes,
}

impl EventData {
    /// The stored form: the payload's length, the payload, what is known of its arrival.
    pub(crate) fn pack(&self) -> Vec<u8> {
        let length = u32::try_from(self.payload.len()).unwrap_or(u32::MAX);
        let mut bytes = Vec::with_capacity(4 + self.payload.len() + self.meta.len());
        bytes.extend_from_slice(&length.to_le_bytes());
        bytes.extend_from_slice(&self.payload);
        bytes.extend_from_slice(&self.meta);
        payload::pack(&bytes)
    }

    /// Reads the stored form.
    pub(crate) fn unpack(stored: &[u8]) -> Result<Self, String> {
        let bytes = Bytes::from(payload::unpack(stored).map_err(|error| error.to_string())?);
        let prefix = bytes.first_chunk::<4>().ok_or("event is cut short")?;
        let end = 4 + u32::from_le_bytes(*prefix) as usize;
        if end > bytes.len() {
            return Err("event is cut short".to_owned());
        }
        Ok(Self { payload: bytes.slice(4..end), meta: bytes.slice(end..) })
    }

    /// What expressions see of it; the arrival only when somebody looks.
    pub(crate) fn scope(&self, with_meta: bool, now: Timestamp) -> Result<Scope, String> {
        let trigger = expression::parse_json(&self.payload).map_err(|error| error.to_string())?;
        let mut scope = Scope::new().with(Name::Trigger, trigger).with(Name::Now, Value::from(now.to_string()));
        if with_meta && !self.meta.is_empty() {
            scope.set(Name::TriggerMeta, expression::parse_json(&self.meta).map_err(|error| error.to_string())?);
        }
        Ok(scope)
    }
}

/// Tells whether an automation saw an event: the first 16 bytes of SHA-256 over both.
pub(crate) fn seen_key(automation: AutomationId, event: &TriggerFired) -> [u8; 16] {
    let digest = Sha256::new()
        .chain_update(automation.as_bytes())
        .chain_update(&event.source_id)
        .chain_update(event.event_id.as_bytes());
    let digest = match event.event_source.as_str() {
        "" => digest.finalize(),
        // A byte that no text has keeps the two texts apart.
        producer => digest.chain_update([0xff]).chain_update(producer.as_bytes()).finalize(),
    };
    let mut key = [0; 16];
    key.copy_from_slice(&digest[..16]);
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_back_what_it_took() {
        let data = EventData { payload: Bytes::from_static(b"{\"a\":1}"), meta: Bytes::from_static(b"{}") };
        let read = EventData::unpack(&data.pack()).unwrap();
        assert_eq!((read.payload, read.meta), (data.payload, data.meta));
    }

    #[test]
    fn damaged_bytes_are_refused() {
        assert!(EventData::unpack(b"").is_err());
        assert!(EventData::unpack(&payload::pack(b"ab")).is_err());
        assert!(EventData::unpack(&payload::pack(&[9, 0, 0, 0, 1])).is_err());
    }

    #[test]
    fn events_of_the_same_id_are_told_apart_by_automation_and_source() {
        let event = |source: &'static [u8]| TriggerFired {
            source_id: Bytes::from_static(source),
            event_id: "1".to_owned(),
            ..TriggerFired::default()
        };
        let (one, other) = (AutomationId::generate(), AutomationId::generate());
        assert_eq!(seen_key(one, &event(b"s")), seen_key(one, &event(b"s")));
        assert_ne!(seen_key(one, &event(b"s")), seen_key(other, &event(b"s")));
        assert_ne!(seen_key(one, &event(b"s")), seen_key(one, &event(b"t")));
        let produced = TriggerFired { event_source: "shop".to_owned(), ..event(b"s") };
        assert_ne!(seen_key(one, &event(b"s")), seen_key(one, &produced));
    }
}
