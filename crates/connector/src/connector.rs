//! A partner, compiled.

use std::{collections::BTreeMap, fmt, sync::Arc};

use patchbay_egress::Response;
use patchbay_flow::expression::{Name, Scope, Template, Value, from_json_value, to_json_value};

use crate::{
    Budget, Field, FieldFault, FieldType, List, Operation, Trigger,
    call::{Http, parse_body},
    form::unknown_field,
    outcome::clean,
};

/// The longest name of a connection, in characters.
const MAX_LABEL_CHARS: usize = 200;

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
    pub(crate) http: Arc<Http>,
    pub(crate) budget: Budget,
    pub(crate) label: Option<Template>,
    pub(crate) lists: Vec<Arc<List>>,
    pub(crate) test: Option<Arc<Operation>>,
    pub(crate) operations: Vec<Arc<Operation>>,
    pub(crate) triggers: Vec<Arc<Trigger>>,
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

    /// What the partner tells about, in the order of the manifest.
    #[must_use]
    pub fn triggers(&self) -> &[Arc<Trigger>] {
        &self.triggers
    }

    /// The trigger with this key, without the partner before it.
    #[must_use]
    pub fn trigger(&self, key: &str) -> Option<&Arc<Trigger>> {
        self.triggers.iter().find(|trigger| trigger.key() == key)
    }

    /// The lists that fields are chosen from, by name.
    #[must_use]
    pub fn lists(&self) -> &[Arc<List>] {
        &self.lists
    }

    /// The list with this name.
    #[must_use]
    pub fn list(&self, name: &str) -> Option<&Arc<List>> {
        self.lists.iter().find(|list| list.name() == name)
    }

    /// A call without input that proves a connection, when the manifest has one. It is no operation of the catalog.
    #[must_use]
    pub fn test(&self) -> Option<&Arc<Operation>> {
        self.test.as_ref()
    }

    /// How many calls one connection may have in flight, when the manifest bounds it.
    #[must_use]
    pub fn budget_concurrency(&self) -> Option<u32> {
        self.budget.concurrency
    }

    /// How many calls the partner takes from one connection, where it says so.
    #[must_use]
    pub fn budget(&self) -> &Budget {
        &self.budget
    }

    /// How calls carry the credentials: `bearer`, `api_key`, `basic` or `none`.
    #[must_use]
    pub fn auth_kind(&self) -> &'static str {
        self.http.auth.kind()
    }

    /// The name of a new connection, from its fields and the answer of its test. `None` when the manifest has no
    /// name for it, or the answer gives none.
    #[must_use]
    pub fn label(&self, connection: &Value, answer: &Response) -> Option<String> {
        let template = self.label.as_ref()?;
        let test = [("status", Value::from(answer.status)), ("body", parse_body(&answer.body))];
        let scope = Scope::new().with(Name::Connection, connection.clone()).with(Name::Test, Value::from_pairs(test));
        let label = template.render_text(&scope, str::to_owned).ok()?;
        let label = clean(&label, MAX_LABEL_CHARS, &self.http.secrets(connection)).replace(['\n', '\t'], " ");
        let label = label.trim();
        (!label.is_empty()).then(|| label.to_owned())
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
            faults.push(unknown_field(name, self.fields.iter().map(|field| field.name.as_str())));
        }
        for field in &self.fields {
            let given = fields.get(&field.name).filter(|value| !value.is_null()).or(field.default.as_ref());
            match given.map_or(Ok(None), |value| field.coerce(&from_json_value(value))) {
                Err(fault) => faults.push(fault),
                Ok(value) if field.required && field.is_empty(value.as_ref()) => {
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

impl fmt::Display for Partner {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.title)
    }
}
