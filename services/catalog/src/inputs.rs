//! What is filled in so far, as fields and lists look at it.

use std::collections::{BTreeMap, BTreeSet};

use patchbay_connector::{Connector, Field, List};
use patchbay_flow::expression::{Value, from_json_value, to_json_value};
use patchbay_types::{Fault, json::harmless};
use serde_json::{Map, Value as Json};

use crate::domain::{Found, Inputs};

/// The most bytes of an input.
const LARGEST: usize = 1024 * 1024;

/// Reads a JSON object; nothing is the empty one.
pub(crate) fn read(text: &[u8]) -> Result<Map<String, Json>, Fault> {
    if text.is_empty() {
        return Ok(Map::new());
    }
    if text.len() > LARGEST {
        return Err(Fault::invalid(format!("the input is larger than {LARGEST} bytes")).with_field("input"));
    }
    let parsed = serde_json::from_slice(&harmless(text));
    parsed.map_err(|_| Fault::invalid("the input is not a JSON object").with_field("input"))
}

/// What is filled in so far, with the defaults of what is not.
#[derive(Debug)]
pub(crate) struct Known {
    /// Each value in its field's type, as far as it can be brought into it.
    pub(crate) values: Value,
    /// Fields whose value nobody knows yet, because a template makes it, or it is wrong.
    unusable: BTreeSet<String>,
}

impl Known {
    pub(crate) fn new(given: &Map<String, Json>, fields: &[Field]) -> Self {
        let mut values: BTreeMap<&str, Value> =
            given.iter().map(|(name, value)| (name.as_str(), from_json_value(value))).collect();
        let mut unusable = BTreeSet::new();
        for field in fields {
            let given = given.get(field.name()).filter(|value| !value.is_null());
            let Some(value) = given.or_else(|| field.default()) else { continue };
            match field.coerce(&from_json_value(value)) {
                Ok(coerced) if !is_template(value) => {
                    values.insert(field.name(), coerced.unwrap_or_default());
                }
                _ => {
                    unusable.insert(field.name().to_owned());
                }
            }
        }
        Self { values: Value::from_pairs(values), unusable }
    }

    /// What a list depends on, or the fields that it waits for.
    pub(crate) fn inputs_of(&self, list: &List) -> Result<Inputs, Vec<String>> {
        let mut inputs = Inputs::new();
        let mut missing = Vec::new();
        for name in list.depends_on() {
            let value = self.values.get_attr(name).ok().and_then(|value| to_json_value(&value).ok());
            match value.filter(|value| !is_empty(value)) {
                Some(value) if !self.unusable.contains(name) && !is_template(&value) => {
                    inputs.insert(name.clone(), value);
                }
                _ => missing.push(name.clone()),
            }
        }
        if missing.is_empty() { Ok(inputs) } else { Err(missing) }
    }
}

/// What a list depends on, taken from what was given for it alone. Values may be texts, as a query has them.
pub(crate) fn given_for(list: &List, connector: &Connector, given: &Map<String, Json>) -> Result<Inputs, Fault> {
    let fields = fields_near(connector, list.name());
    let mut inputs = Inputs::new();
    for name in list.depends_on() {
        let Some(value) = given.get(name).filter(|value| !is_empty(value)) else {
            let message = format!("the list `{}` depends on `{name}`; give its value", list.name());
            return Err(Fault::invalid(message).with_field(name));
        };
        let field = fields.iter().find(|field| field.name() == name);
        let coerced = match field {
            None => value.clone(),
            Some(field) => {
                let coerced = field.coerce(&from_json_value(value));
                let coerced = coerced.map_err(|fault| Fault::invalid(fault.message).with_field(name))?;
                coerced.and_then(|value| to_json_value(&value).ok()).unwrap_or_default()
            }
        };
        inputs.insert(name.clone(), coerced);
    }
    Ok(inputs)
}

/// The fields of all operations of a partner, those of operations that use the list first: they say what type the
/// values have that it depends on.
fn fields_near<'a>(connector: &'a Connector, list: &str) -> Vec<&'a Field> {
    let actions = connector.operations().iter().map(|operation| {
        let uses = operation.custom_fields().is_some_and(|custom| custom.list() == list);
        (uses || operation.fields().iter().any(|field| field.list() == Some(list)), operation.fields())
    });
    let triggers = connector
        .triggers()
        .iter()
        .map(|trigger| (trigger.fields().iter().any(|field| field.list() == Some(list)), trigger.fields()));
    let mut all: Vec<(bool, &[Field])> = actions.chain(triggers).collect();
    all.sort_by_key(|(uses, _)| !uses);
    all.into_iter().flat_map(|(_, fields)| fields).collect()
}

impl Found {
    pub(crate) fn fields(&self) -> &[Field] {
        match self {
            Self::Action(operation) => operation.fields(),
            Self::Trigger(trigger) => trigger.fields(),
        }
    }
}

fn is_empty(value: &Json) -> bool {
    value.is_null() || value.as_str().is_some_and(|text| text.trim().is_empty())
}

fn is_template(value: &Json) -> bool {
    match value {
        Json::String(text) => text.contains("{{") || text.contains("{%"),
        Json::Array(items) => items.iter().any(is_template),
        Json::Object(entries) => entries.values().any(is_template),
        Json::Null | Json::Bool(_) | Json::Number(_) => false,
    }
}
