//! A small CRM: contacts with custom fields, lists by time of change, and signed webhooks.

mod account;
mod contact;
mod contacts;
mod courier;
mod outbox;
mod page;
mod refusal;
mod requests;
mod signature;
mod time;
mod webhooks;

use std::sync::{Arc, Mutex};

use axum::http::{Method, StatusCode};
use patchbay_runtime::Clock;
use patchbay_types::Timestamp;
use serde_json::json;

use crate::call::{Answer, Call};
use crate::crm::contact::Contact;
use crate::crm::contacts::Contacts;
use crate::crm::courier::Attempt;
use crate::crm::outbox::{Event, Lane, Outbox};
use crate::crm::refusal::Refusal;
use crate::crm::webhooks::{Kind, Registration, Webhooks};
use crate::ring::{ROWS_KEPT, Ring};

pub(crate) use courier::Deliveries;
pub use webhooks::WebhookError;

/// The largest body that the CRM takes, and the largest contact that it keeps, in bytes.
const BODY_LIMIT: usize = 1024 * 1024;

/// The account: contacts, who is told about them, and what was told.
#[derive(Debug)]
pub(crate) struct Crm {
    contacts: Contacts,
    webhooks: Webhooks,
    outbox: Outbox,
    attempts: Ring<Attempt>,
    last_event: u64,
}

impl Crm {
    /// An account without contacts; the first one has the id after `ids_from`.
    pub(crate) fn new(ids_from: u64) -> Self {
        Self {
            contacts: Contacts::new(ids_from),
            webhooks: Webhooks::default(),
            outbox: Outbox::new(),
            attempts: Ring::new(ROWS_KEPT),
            last_event: 0,
        }
    }

    /// Forgets contacts, what waits to be delivered, and what was. Ids go on. Webhooks stay: whoever listens registered
    /// once, when it was set up, and must still hear of the first contact after the reset.
    pub(crate) fn clear(&mut self) {
        self.contacts.clear();
        self.outbox.clear();
        self.attempts.clear();
    }

    /// All contacts, oldest first.
    pub(crate) fn contacts(&self) -> Vec<Arc<Contact>> {
        self.contacts.iter().map(Arc::clone).collect()
    }

    /// All tries to deliver, in the order of their ends.
    pub(crate) fn attempts(&self) -> Vec<Attempt> {
        self.attempts.iter().map(|(_, attempt)| attempt.clone()).collect()
    }

    /// Tells `url` about every new contact, signed with the API key.
    pub(crate) fn register_webhook(&mut self, url: &str) -> Result<(), WebhookError> {
        self.webhooks.register(Registration::of(url)?).map(drop)
    }

    /// Queues what webhooks shall hear of a contact. Refused before anything changed when they hear too slowly.
    fn announce(&mut self, kind: Kind, contact: &Contact, now: Timestamp) -> Result<(), Refusal> {
        let webhooks = self.webhooks.listening(kind);
        if webhooks.is_empty() {
            return Ok(());
        }
        let event = Arc::new(Event::new(self.last_event + 1, kind, contact, now));
        if !self.outbox.has_room(webhooks.len(), event.body.len()) {
            return Err(Refusal::busy());
        }
        self.last_event += 1;
        for webhook in webhooks {
            self.outbox.push(Lane { webhook, contact: contact.id }, &event);
        }
        Ok(())
    }
}

/// Answers one call.
pub(crate) fn answer(crm: &Mutex<Crm>, call: &Call, clock: &Clock) -> Answer {
    account::authenticate(call).and_then(|()| route(crm, call, clock)).unwrap_or_else(Refusal::into_answer)
}

fn route(crm: &Mutex<Crm>, call: &Call, clock: &Clock) -> Result<Answer, Refusal> {
    let path: Vec<&str> = call.route().split('/').skip(2).collect();
    match (&call.method, path.as_slice()) {
        (&Method::GET, ["me"]) => Ok(Answer::json(StatusCode::OK, &account::me())),
        (&Method::GET, ["custom-fields"]) => Ok(Answer::json(StatusCode::OK, &account::custom_fields())),
        (&Method::GET, ["contacts"]) => requests::list_contacts(crm, call),
        (&Method::POST, ["contacts"]) => requests::create_contact(crm, call, clock),
        (&Method::GET, ["contacts", id]) => requests::get_contact(crm, id),
        (&Method::PATCH, ["contacts", id]) => requests::change_contact(crm, id, call, clock),
        (&Method::GET, ["webhooks"]) => requests::list_webhooks(crm),
        (&Method::POST, ["webhooks"]) => requests::register_webhook(crm, call),
        (&Method::DELETE, ["webhooks", id]) => requests::delete_webhook(crm, id),
        (_, ["me" | "custom-fields" | "contacts" | "webhooks"] | ["contacts" | "webhooks", _]) => {
            Err(Refusal::method(&call.method))
        }
        _ => Err(Refusal::not_found(format!("the CRM has no path {}", call.path))),
    }
}

fn listing<T: serde::Serialize>(items: &[T]) -> Answer {
    Answer::json(StatusCode::OK, &json!({ "items": items }))
}
