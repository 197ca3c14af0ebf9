//! The trigger `webhook.received`: any body is one event.

use std::time::Duration;

use patchbay_broker::Message;
use patchbay_types::Fault;
use uuid::Uuid;

use crate::{
    arrival::{Arrival, Json},
    domain::{Dedupe, Source},
    event::Event,
    identity,
};

/// The message that fires the trigger, or why there is none. An equal body is the same event within `dedupe_window`.
pub(crate) fn message(
    source: &Source,
    dedupe: &Dedupe,
    arrival: &Arrival,
    dedupe_window: Duration,
) -> Result<Message, Fault> {
    let body = arrival.json()?;
    let meta = arrival.meta(&[])?;
    let (id, dedupe_window) = match dedupe {
        Dedupe::Broken(reason) => return Err(Fault::invalid(reason.as_str())),
        Dedupe::Auto => match identity::given(&arrival.head.headers)? {
            Some(id) => (valid(&body, id)?, Duration::ZERO),
            None => (identity::digest(&source.id, 0, &body.canonical()?), dedupe_window),
        },
        Dedupe::Off => (valid(&body, Uuid::new_v4().to_string())?, Duration::ZERO),
        Dedupe::Expression(expression) => {
            body.validate()?;
            (identity::evaluate(expression, &body.text, &meta)?, Duration::ZERO)
        }
    };
    Ok(Event { id, dedupe_window, payload: body.text, ..Event::default() }.into_message(
        source,
        arrival.received_at,
        meta,
    ))
}

/// The id, when the body is JSON: only a digest reads it on its own account.
fn valid(body: &Json, id: String) -> Result<String, Fault> {
    body.validate()?;
    Ok(id)
}
