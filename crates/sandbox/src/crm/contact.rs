//! A contact, and how a body changes it.

use std::fmt;

use patchbay_types::Timestamp;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

use crate::crm::refusal::Refusal;
use crate::crm::time;

/// The id of a contact: a number, written as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ContactId(pub(crate) u64);

impl ContactId {
    /// Reads an id exactly as it is shown.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let plain = !text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse().ok().filter(|_| plain).map(Self)
    }
}

impl fmt::Display for ContactId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl Serialize for ContactId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A contact as it is read.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Contact {
    pub(crate) id: ContactId,
    email: String,
    first_name: Option<String>,
    last_name: Option<String>,
    phone: Option<String>,
    custom_fields: Map<String, Value>,
    created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
    /// Members that the CRM does not know: kept as they were given.
    #[serde(flatten)]
    others: Map<String, Value>,
}

impl Contact {
    /// A new contact. It needs an email.
    pub(crate) fn create(id: ContactId, members: Map<String, Value>, now: Timestamp) -> Result<Self, Refusal> {
        let mut contact = Self {
            id,
            email: String::new(),
            first_name: None,
            last_name: None,
            phone: None,
            custom_fields: Map::new(),
            created_at: now,
            updated_at: now,
            others: Map::new(),
        };
        contact.change(members, now)?;
        if contact.email.is_empty() {
            return Err(Refusal::field("email", "is required"));
        }
        Ok(contact)
    }

    /// Takes the members over: a `null` empties a field, custom fields are merged. What only the CRM gives (`id`,
    /// `created_at`) is ignored, so that a contact can be sent back as it was read.
    pub(crate) fn change(&mut self, members: Map<String, Value>, now: Timestamp) -> Result<(), Refusal> {
        self.updated_at = now;
        for (name, value) in members {
            match name.as_str() {
                "id" | "created_at" => {}
                "email" => self.email = email(value)?,
                "first_name" => self.first_name = text("first_name", value)?,
                "last_name" => self.last_name = text("last_name", value)?,
                "phone" => self.phone = text("phone", value)?,
                "custom_fields" => self.merge_custom_fields(value)?,
                "updated_at" => self.updated_at = updated_at(&value)?.unwrap_or(now),
                _ => drop(self.others.insert(name, value)),
            }
        }
        Ok(())
    }

    fn merge_custom_fields(&mut self, value: Value) -> Result<(), Refusal> {
        let fields = match value {
            Value::Null => Map::new(),
            Value::Object(fields) => fields,
            _ => return Err(Refusal::field("custom_fields", "is not an object")),
        };
        for (name, value) in fields {
            if value.is_null() {
                self.custom_fields.remove(&name);
            } else {
                self.custom_fields.insert(name, value);
            }
        }
        Ok(())
    }
}

fn email(value: Value) -> Result<String, Refusal> {
    match text("email", value)? {
        None => Err(Refusal::field("email", "is required")),
        Some(text) if text.matches('@').count() != 1 => Err(Refusal::field("email", "is not an address with one @")),
        Some(text) => Ok(text),
    }
}

fn text(field: &'static str, value: Value) -> Result<Option<String>, Refusal> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text)),
        _ => Err(Refusal::field(field, "is not a string")),
    }
}

fn updated_at(value: &Value) -> Result<Option<Timestamp>, Refusal> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) => time::parse(text).map(Some).ok_or_else(wrong_time),
        _ => Err(wrong_time()),
    }
}

fn wrong_time() -> Refusal {
    Refusal::field("updated_at", "is not a time like 2026-01-31T08:00:00Z")
}
