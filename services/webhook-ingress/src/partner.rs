//! Triggers of partners: a request is verified as its partner signs it, and every item of it that the trigger wants is an
//! event.

use std::{collections::HashMap, time::Duration};

use axum::http::HeaderName;
use bytes::Bytes;
use patchbay_broker::Message;
use patchbay_connector::{Fired, Refused, Unread};
use patchbay_flow::expression::{self, Value};
use patchbay_types::{Fault, fault::Code, json};

use crate::{
    arrival::Arrival,
    domain::{Partner, Source},
    event::{Event, Refusal},
    identity,
};

/// The most bytes that the events of one request may have: every event carries what is known of the request.
const MAX_BYTES: usize = 64 * 1024 * 1024;

/// The messages that fire the trigger: none when it wants none of the items. `credential` holds the fields of the
/// connection, where they are looked at. Items without an id of their own are the same event within `dedupe_window`.
pub(crate) fn messages(
    source: &Source,
    partner: &Partner,
    arrival: &Arrival,
    credential: Option<&[u8]>,
    dedupe_window: Duration,
) -> Result<Vec<Message>, Refusal> {
    let connection = credential.map_or(Ok(Value::UNDEFINED), expression::parse_json).map_err(|_| unreadable())?;
    let webhook = partner.webhook()?;
    let headers = &arrival.head.headers;
    let verified = webhook.verify(&connection, headers, &arrival.body, arrival.received_at);
    verified.map_err(|refused| Refusal::Unverified(unverified(&refused, &partner.proofs)))?;
    let body = arrival.json()?.value()?;
    let fired = webhook.fire(&connection, &partner.parameters, headers, &body);
    let items = fired.map_err(unread)?;
    let meta = arrival.meta(&partner.proofs)?;
    let events = events(source, items, dedupe_window)?;
    let bytes = events.iter().fold(0, |sum: usize, event| sum.saturating_add(event.payload.len() + meta.len()));
    if bytes > MAX_BYTES {
        let message = format!("the events of the request have {bytes} bytes, more than the {MAX_BYTES} that are taken");
        return Err(Fault::new(Code::TooLarge, message).into());
    }
    let received_at = arrival.received_at;
    Ok(events.into_iter().map(|event| event.into_message(source, received_at, meta.clone())).collect())
}

fn events(source: &Source, items: Vec<Fired>, dedupe_window: Duration) -> Result<Vec<Event>, Fault> {
    let mut seen: HashMap<Bytes, u64> = HashMap::new();
    let mut events = Vec::with_capacity(items.len());
    for item in items {
        let tree = expression::to_json_value(&item.payload);
        let payload = Bytes::from(json::canonical(&tree.map_err(|error| Fault::invalid(error.to_string()))?));
        let event = match item.event_id.filter(|id| !id.is_empty()) {
            Some(id) => Event { id: identity::of_partner(id), payload, ..Event::default() },
            None => {
                let ordinal = seen.entry(payload.clone()).or_default();
                let id = identity::digest(&source.id, *ordinal, &payload);
                *ordinal += 1;
                Event { id, dedupe_window, payload, ..Event::default() }
            }
        };
        events.push(event);
    }
    Ok(events)
}

/// Says which header it is about; [`Refused::Wrong`] alone does not.
fn unverified(refused: &Refused, proofs: &[HeaderName]) -> Fault {
    let message = match refused {
        Refused::Wrong => {
            let names: Vec<_> = proofs.iter().map(|name| format!("`{name}`")).collect();
            format!("{refused}; look at the header {}", names.join(", "))
        }
        Refused::NoSecret | Refused::Header(_) | Refused::Time { .. } => refused.to_string(),
    };
    Fault::new(Code::Unauthenticated, message)
}

/// What the trigger can't read is wrong for good, but too many items can be sent in parts.
fn unread(unread: Unread) -> Fault {
    match unread {
        Unread::Wrong(fault) => {
            let message = format!("the body is not what the trigger reads: {}", fault.message);
            Fault::new(Code::InvalidArgument, message).with_field(fault.field)
        }
        Unread::TooMany { most } => {
            let message = format!("the body has more than the {most} items that are taken at once; send it in parts");
            Fault::new(Code::TooLarge, message).with_field("batch")
        }
    }
}

fn unreadable() -> Fault {
    Fault::new(Code::Internal, "the connection of this hook can't be read")
}
