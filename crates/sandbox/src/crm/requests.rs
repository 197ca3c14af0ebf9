//! What the CRM does for its callers. Bodies are parsed before the account is locked.

use std::sync::{Arc, Mutex};

use axum::http::StatusCode;
use patchbay_runtime::Clock;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::call::{Answer, Call};
use crate::crm::contact::{Contact, ContactId};
use crate::crm::page::Page;
use crate::crm::refusal::Refusal;
use crate::crm::webhooks::{Kind, Registration};
use crate::crm::{BODY_LIMIT, Crm, listing};
use crate::state::lock;

/// `POST /crm/contacts`. The time is taken under the lock, so that a later contact never has an earlier one.
pub(crate) fn create_contact(crm: &Mutex<Crm>, call: &Call, clock: &Clock) -> Result<Answer, Refusal> {
    let members = members(call)?;
    let contact = {
        let mut crm = lock(crm);
        let now = clock.now();
        let contact = Arc::new(Contact::create(crm.contacts.next_id(), members, now)?);
        crm.announce(Kind::Created, &contact, now)?;
        crm.contacts.insert(Arc::clone(&contact));
        contact
    };
    Ok(Answer::json(StatusCode::CREATED, &contact))
}

/// `GET /crm/contacts/{id}`.
pub(crate) fn get_contact(crm: &Mutex<Crm>, id: &str) -> Result<Answer, Refusal> {
    let contact = find(&lock(crm), id)?;
    Ok(Answer::json(StatusCode::OK, &contact))
}

/// `PATCH /crm/contacts/{id}`.
pub(crate) fn change_contact(crm: &Mutex<Crm>, id: &str, call: &Call, clock: &Clock) -> Result<Answer, Refusal> {
    let members = members(call)?;
    let mut crm = lock(crm);
    let now = clock.now();
    let mut contact = Contact::clone(&*find(&crm, id)?);
    contact.change(members, now)?;
    let answer = Answer::json(StatusCode::OK, &contact);
    if answer.body.len() > BODY_LIMIT {
        return Err(Refusal::too_large("the contact"));
    }
    crm.announce(Kind::Changed, &contact, now)?;
    crm.contacts.replace(Arc::new(contact));
    Ok(answer)
}

/// `GET /crm/contacts`.
pub(crate) fn list_contacts(crm: &Mutex<Crm>, call: &Call) -> Result<Answer, Refusal> {
    #[derive(Serialize)]
    struct Listing {
        items: Vec<Arc<Contact>>,
        page: usize,
        per_page: usize,
        total: usize,
    }
    let page = Page::read(call)?;
    let found = lock(crm).contacts.changed_since(page.updated_since, page.skip(), page.size);
    let listing = Listing { items: found.contacts, page: page.number, per_page: page.size, total: found.total };
    Ok(Answer::json(StatusCode::OK, &listing))
}

/// `POST /crm/webhooks`.
pub(crate) fn register_webhook(crm: &Mutex<Crm>, call: &Call) -> Result<Answer, Refusal> {
    let registration = Registration::read(members(call)?)?;
    let registered = lock(crm).webhooks.register(registration)?;
    let status = if registered.is_new { StatusCode::CREATED } else { StatusCode::OK };
    Ok(Answer::json(status, &registered.webhook))
}

/// `GET /crm/webhooks`.
pub(crate) fn list_webhooks(crm: &Mutex<Crm>) -> Result<Answer, Refusal> {
    let webhooks = lock(crm).webhooks.list();
    Ok(listing(&webhooks))
}

/// `DELETE /crm/webhooks/{id}`: what it has not heard yet, it will not hear.
pub(crate) fn delete_webhook(crm: &Mutex<Crm>, id: &str) -> Result<Answer, Refusal> {
    let mut crm = lock(crm);
    let Some(number) = crm.webhooks.remove(id) else {
        return Err(Refusal::not_found(format!("there is no webhook {id}")));
    };
    crm.outbox.forget(number);
    Ok(Answer::text(StatusCode::NO_CONTENT, ""))
}

fn find(crm: &Crm, id: &str) -> Result<Arc<Contact>, Refusal> {
    let contact = ContactId::parse(id).and_then(|id| crm.contacts.get(id));
    contact.cloned().ok_or_else(|| Refusal::not_found(format!("there is no contact {id}")))
}

/// The members of the body, which is a JSON object.
fn members(call: &Call) -> Result<Map<String, Value>, Refusal> {
    let Some(body) = call.body.as_ref().filter(|body| body.len() <= BODY_LIMIT) else {
        return Err(Refusal::too_large("the body"));
    };
    match serde_json::from_slice(body) {
        Ok(Value::Object(members)) => Ok(members),
        Ok(_) => Err(Refusal::body("the body is not a JSON object")),
        Err(error) => Err(Refusal::body(format!("the body is not JSON: {error}"))),
    }
}
