//! The parameters of a call, read leniently where Altcraft is lenient.

use serde_json::{Map, Value};

use crate::altcraft::envelope::Refusal;
use crate::altcraft::xml;

/// How many items a batch may have.
pub(crate) const ITEMS_LIMIT: usize = 10_000;

/// How many elements a list of names or ids may have.
const LIST_LIMIT: usize = 1000;

/// The members of the body. A `null` counts as absent.
#[derive(Debug, Clone)]
pub(crate) struct Parameters(Map<String, Value>);

impl Parameters {
    pub(crate) const fn new(members: Map<String, Value>) -> Self {
        Self(members)
    }

    /// Reads a body; an empty one has no parameters.
    pub(crate) fn parse(body: &[u8], is_xml: bool) -> Result<Self, Refusal> {
        if body.is_empty() {
            return Ok(Self(Map::new()));
        }
        if is_xml {
            let members = xml::parse(body);
            return members
                .map(Self)
                .map_err(|error| Refusal::bad(format!("Incorrect request: the body is not XML: {error}")));
        }
        match serde_json::from_slice(body) {
            Ok(Value::Object(members)) => Ok(Self(members)),
            Ok(_) => Err(Refusal::bad("Incorrect request: the body is not a JSON object")),
            Err(error) => Err(Refusal::bad(format!("Incorrect request: the body is not JSON: {error}"))),
        }
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    pub(crate) fn set(&mut self, name: &str, value: Value) {
        self.0.insert(name.to_owned(), value);
    }

    pub(crate) fn take(&mut self, name: &str) -> Option<Value> {
        self.0.remove(name).filter(|value| !value.is_null())
    }

    pub(crate) fn into_members(self) -> Map<String, Value> {
        self.0
    }

    /// A whole number, also when it is written as a string.
    pub(crate) fn integer(&self, name: &str) -> Result<Option<i64>, Refusal> {
        let Some(value) = self.get(name) else { return Ok(None) };
        integer(value).map(Some).ok_or_else(|| Refusal::bad(format!("Incorrect request: {name} is not a whole number")))
    }

    pub(crate) fn required_integer(&self, name: &str) -> Result<i64, Refusal> {
        self.integer(name)?.ok_or_else(|| missing(name))
    }

    /// A text, also when it is written as a number.
    pub(crate) fn text(&self, name: &str) -> Result<Option<String>, Refusal> {
        let Some(value) = self.get(name) else { return Ok(None) };
        scalar_text(value)
            .map(Some)
            .ok_or_else(|| Refusal::bad(format!("Incorrect request: {name} is neither a string nor a number")))
    }

    pub(crate) fn required_text(&self, name: &str) -> Result<String, Refusal> {
        self.text(name)?.filter(|text| !text.is_empty()).ok_or_else(|| missing(name))
    }

    /// A switch, or `None` when it is absent.
    pub(crate) fn switch(&self, name: &str) -> Result<Option<bool>, Refusal> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(*flag)),
            Some(_) => Err(Refusal::bad(format!("Incorrect request: {name} is neither true nor false"))),
        }
    }

    /// A switch that is off when absent.
    pub(crate) fn flag(&self, name: &str) -> Result<bool, Refusal> {
        Ok(self.switch(name)?.unwrap_or(false))
    }

    /// Takes an object out.
    pub(crate) fn take_object(&mut self, name: &str) -> Result<Map<String, Value>, Refusal> {
        match self.take(name) {
            None => Err(missing(name)),
            Some(Value::Object(members)) => Ok(members),
            Some(_) => Err(no_object(name)),
        }
    }

    /// An object that may be absent.
    pub(crate) fn object(&self, name: &str) -> Result<Option<&Map<String, Value>>, Refusal> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::Object(members)) => Ok(Some(members)),
            Some(_) => Err(no_object(name)),
        }
    }

    /// Takes the items of a batch out.
    pub(crate) fn take_items(&mut self, name: &str) -> Result<Vec<Value>, Refusal> {
        match self.take(name) {
            None => Err(missing(name)),
            Some(Value::Array(items)) if items.len() > ITEMS_LIMIT => {
                Err(Refusal::bad(format!("Incorrect request: {name} has more than {ITEMS_LIMIT} items")))
            }
            Some(Value::Array(items)) => Ok(items),
            Some(_) => Err(Refusal::bad(format!("Incorrect request: {name} is not a list"))),
        }
    }

    /// A list of whole numbers, empty when it is absent.
    pub(crate) fn integers(&self, name: &str) -> Result<Vec<i64>, Refusal> {
        let wrong = || Refusal::bad(format!("Incorrect request: {name} is not a list of whole numbers"));
        self.list(name)?.iter().map(|value| integer(value).ok_or_else(wrong)).collect()
    }

    /// A list of texts, empty when it is absent.
    pub(crate) fn texts(&self, name: &str) -> Result<Vec<String>, Refusal> {
        let wrong = || Refusal::bad(format!("Incorrect request: {name} is not a list of strings"));
        self.list(name)?.iter().map(|value| scalar_text(value).ok_or_else(wrong)).collect()
    }

    pub(crate) fn list(&self, name: &str) -> Result<&[Value], Refusal> {
        match self.get(name) {
            None => Ok(&[]),
            Some(Value::Array(values)) if values.len() > LIST_LIMIT => {
                Err(Refusal::bad(format!("Incorrect request: {name} has more than {LIST_LIMIT} elements")))
            }
            Some(Value::Array(values)) => Ok(values),
            Some(_) => Err(Refusal::bad(format!("Incorrect request: {name} is not a list"))),
        }
    }
}

/// A string or number as text.
pub(crate) fn scalar_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::String(text) => text.trim().parse().ok(),
        other => other.as_i64(),
    }
}

pub(crate) fn missing(name: &str) -> Refusal {
    Refusal::bad(format!("Incorrect request: {name} is required"))
}

fn no_object(name: &str) -> Refusal {
    Refusal::bad(format!("Incorrect request: {name} is not an object"))
}
