//! Who is told about contacts.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use url::Url;

use crate::crm::account::API_KEY;
use crate::crm::refusal::Refusal;

pub(crate) const WEBHOOKS_LIMIT: usize = 100;
const URL_LIMIT: usize = 2000;
const SECRET_LIMIT: usize = 1000;

/// Why the CRM takes no webhook with this URL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WebhookError {
    #[error("url is longer than {URL_LIMIT} characters")]
    TooLong,
    #[error("url is not an http or https url without user info")]
    Url,
    #[error("there are already {WEBHOOKS_LIMIT} webhooks")]
    TooMany,
}

/// What webhooks hear of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Kind {
    #[serde(rename = "contact.created")]
    Created,
    #[serde(rename = "contact.changed")]
    Changed,
}

/// A key of signatures.
#[derive(Clone)]
pub(crate) struct Secret(Arc<str>);

impl Secret {
    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(***)")
    }
}

/// One listener, as it is listed.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Webhook {
    pub(crate) id: String,
    pub(crate) url: Arc<str>,
    events: BTreeSet<Kind>,
    #[serde(skip)]
    pub(crate) secret: Secret,
}

/// A request for a webhook, checked.
#[derive(Debug)]
pub(crate) struct Registration {
    url: Arc<str>,
    events: BTreeSet<Kind>,
    secret: Secret,
}

impl Registration {
    /// New contacts, signed with the API key.
    pub(crate) fn of(url: &str) -> Result<Self, WebhookError> {
        check(url)?;
        Ok(Self { url: url.into(), events: BTreeSet::from([Kind::Created]), secret: Secret(API_KEY.into()) })
    }

    pub(crate) fn read(mut members: Map<String, Value>) -> Result<Self, Refusal> {
        let mut registration = match members.remove("url") {
            Some(Value::String(url)) => Self::of(&url)?,
            None | Some(Value::Null) => return Err(Refusal::field("url", "is required")),
            Some(_) => return Err(Refusal::field("url", "is not a string")),
        };
        if let Some(events) = members.remove("events").filter(|events| !events.is_null()) {
            registration.events = serde_json::from_value(events)
                .ok()
                .filter(|events: &BTreeSet<Kind>| !events.is_empty())
                .ok_or_else(|| Refusal::field("events", "is not a list of contact.created and contact.changed"))?;
        }
        match members.remove("secret") {
            None | Some(Value::Null) => {}
            Some(Value::String(secret)) if (1..=SECRET_LIMIT).contains(&secret.len()) => {
                registration.secret = Secret(secret.into());
            }
            Some(_) => return Err(Refusal::field("secret", "is not a string of 1 to 1000 bytes")),
        }
        Ok(registration)
    }
}

fn check(url: &str) -> Result<(), WebhookError> {
    if url.chars().count() > URL_LIMIT {
        return Err(WebhookError::TooLong);
    }
    let parsed = Url::parse(url).map_err(|_| WebhookError::Url)?;
    let has_user_info = !parsed.username().is_empty() || parsed.password().is_some();
    if has_user_info || !matches!(parsed.scheme(), "http" | "https") || url.contains(char::is_control) {
        return Err(WebhookError::Url);
    }
    Ok(())
}

/// A webhook after its registration.
#[derive(Debug)]
pub(crate) struct Registered {
    pub(crate) webhook: Webhook,
    /// Its URL was not registered before.
    pub(crate) is_new: bool,
}

/// All listeners by number, each URL once. Numbers are never given twice.
#[derive(Debug, Default)]
pub(crate) struct Webhooks {
    by_number: BTreeMap<u64, Webhook>,
    last_number: u64,
}

impl Webhooks {
    /// Adds a listener, or replaces the one with the same URL, which keeps its id.
    pub(crate) fn register(&mut self, registration: Registration) -> Result<Registered, WebhookError> {
        let Registration { url, events, secret } = registration;
        if let Some(webhook) = self.by_number.values_mut().find(|webhook| webhook.url == url) {
            webhook.events = events;
            webhook.secret = secret;
            return Ok(Registered { webhook: webhook.clone(), is_new: false });
        }
        if self.by_number.len() >= WEBHOOKS_LIMIT {
            return Err(WebhookError::TooMany);
        }
        self.last_number += 1;
        let webhook = Webhook { id: format!("wh_{}", self.last_number), url, events, secret };
        self.by_number.insert(self.last_number, webhook.clone());
        Ok(Registered { webhook, is_new: true })
    }

    /// Removes a listener and gives its number.
    pub(crate) fn remove(&mut self, id: &str) -> Option<u64> {
        let number = self.by_number.iter().find(|(_, webhook)| webhook.id == id).map(|(number, _)| *number)?;
        self.by_number.remove(&number).map(|_| number)
    }

    pub(crate) fn get(&self, number: u64) -> Option<&Webhook> {
        self.by_number.get(&number)
    }

    /// The numbers of those who hear of `kind`.
    pub(crate) fn listening(&self, kind: Kind) -> Vec<u64> {
        let listening = self.by_number.iter().filter(|(_, webhook)| webhook.events.contains(&kind));
        listening.map(|(number, _)| *number).collect()
    }

    pub(crate) fn list(&self) -> Vec<Webhook> {
        self.by_number.values().cloned().collect()
    }
}
