//! A partner, compiled.

use std::{collections::BTreeMap, fmt, sync::Arc, time::Duration};

use patchbay_flow::expression::{Expression, Template, from_json_value, to_json_value};

use crate::{
    Field, FieldFault, FieldType, Operation,
    manifest::{closest, document::ActionKind},
    outcome::ErrorClass,
};

/// Who the partner is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Partner {
    /// The stable key, such as `altcraft`.
    pub key: String,
    /// The stable number of the Universal API.
    pub id: u64,
    /// What people read.
    pub title: String,
    /// The title by language, where it differs.
    pub titles: BTreeMap<String, String>,
    /// What the partner is; may be empty.
    pub description: String,
    /// Kinds of apps it belongs to.
    pub categories: Vec<String>,
    /// Regions of the Universal API.
    pub region: Vec<u32>,
    /// Whether new connections are discouraged.
    pub deprecated: bool,
    /// The version of the manifest.
    pub version: String,
}

/// A compiled manifest. Share it by `Arc`; nothing in it changes.
#[derive(Debug)]
pub struct Connector {
    pub(crate) partner: Arc<Partner>,
    pub(crate) fields: Vec<Field>,
    pub(crate) concurrency: Option<u32>,
    pub(crate) test: Option<Arc<Operation>>,
    pub(crate) operations: Vec<Arc<Operation>>,
}

/// What all calls to one partner have in common.
#[derive(Debug)]
pub(crate) struct Http {
    pub(crate) base_url: Template,
    pub(crate) timeout: Duration,
    pub(crate) success: Expression,
    pub(crate) errors: Vec<ErrorRule>,
    pub(crate) idempotency: Option<http::HeaderName>,
    pub(crate) auth: Auth,
    /// Names of the connection's fields that no failure may show.
    pub(crate) secret_fields: Vec<String>,
}

#[derive(Debug)]
pub(crate) enum Auth {
    None,
    Bearer(Template),
    Header(http::HeaderName, Template),
}

#[derive(Debug)]
pub(crate) struct ErrorRule {
    pub(crate) when: Expression,
    pub(crate) action: ActionKind,
    pub(crate) class: Option<ErrorClass>,
    pub(crate) message: Option<Template>,
    pub(crate) known: Option<bool>,
}

impl Connector {
    /// Who the partner is.
    #[must_use]
    pub fn partner(&self) -> &Partner {
        &self.partner
    }

    /// What a person fills in for a connection, in the order of the form.
    #[must_use]
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// What can be done at the partner, in the order of the manifest.
    #[must_use]
    pub fn operations(&self) -> &[Arc<Operation>] {
        &self.operations
    }

    /// The operation with this key, without the partner before it.
    #[must_use]
    pub fn operation(&self, key: &str) -> Option<&Arc<Operation>> {
        self.operations.iter().find(|operation| operation.key() == key)
    }

    /// A call without input that proves a connection, when the manifest has one. It is no operation of the catalog.
    #[must_use]
    pub fn test(&self) -> Option<&Arc<Operation>> {
        self.test.as_ref()
    }

    /// How many calls one connection may have in flight, when the manifest bounds it.
    #[must_use]
    pub fn budget_concurrency(&self) -> Option<u32> {
        self.concurrency
    }

    /// The names of the fields that are sealed and never shown.
    #[must_use]
    pub fn secret_fields(&self) -> Vec<&str> {
        let secret = self.fields.iter().filter(|field| field.kind == FieldType::Secret);
        secret.map(|field| field.name.as_str()).collect()
    }

    /// Checks the fields of a connection; they are data, never templates.
    ///
    /// # Errors
    /// Every field that is missing, unknown, of a wrong type, or no host where one is wanted.
    pub fn validate_connection(&self, fields: &BTreeMap<String, serde_json::Value>) -> Result<(), Vec<FieldFault>> {
        let mut faults = Vec::new();
        for name in fields.keys().filter(|name| !self.fields.iter().any(|field| field.name == **name)) {
            faults.push(unknown_field(name, &self.fields));
        }
        for field in &self.fields {
            let given = fields.get(&field.name).filter(|value| !value.is_null()).or(field.default.as_ref());
            match given.map_or(Ok(None), |value| field.coerce(&from_json_value(value))) {
                Err(fault) => faults.push(fault),
                Ok(value) if field.required && crate::field::is_empty(value.as_ref()) => {
                    faults.push(FieldFault::missing(&field.name, "required"));
                }
                Ok(_) => {}
            }
        }
        if faults.is_empty() { Ok(()) } else { Err(faults) }
    }

    /// The same fields with the defaults of those that were not given, each in its type. Fields that can't be
    /// brought into their type stay as they are.
    #[must_use]
    pub fn with_defaults(&self, fields: &BTreeMap<String, serde_json::Value>) -> BTreeMap<String, serde_json::Value> {
        let mut complete = fields.clone();
        for field in &self.fields {
            let given = fields.get(&field.name).filter(|value| !value.is_null()).or(field.default.as_ref());
            let Some(given) = given else { continue };
            let coerced = field.coerce(&from_json_value(given)).ok().flatten();
            let value = coerced.and_then(|value| to_json_value(&value).ok()).unwrap_or_else(|| given.clone());
            complete.insert(field.name.clone(), value);
        }
        complete
    }
}

pub(crate) fn unknown_field(name: &str, fields: &[Field]) -> FieldFault {
    let hint = closest(name, fields.iter().map(|field| field.name.as_str()));
    let hint = hint.unwrap_or_else(|| {
        let known: Vec<_> = fields.iter().map(|field| format!("`{}`", field.name)).collect();
        format!("there are {}", known.join(", "))
    });
    FieldFault::new(name, format!("unknown field, {hint}"))
}

impl fmt::Display for Partner {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.title)
    }
}
