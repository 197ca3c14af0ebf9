//! The parameters of a call, read leniently where Altcraft is lenient.

use serde_json::{Map, Value};

use crate::altcraft::envelope::Refusal;

/// The members of the body. A `null` counts as absent.
#[derive(Debug)]
pub(crate) struct Parameters(Map<String, Value>);

impl Parameters {
    /// Reads a body; an empty one has no parameters.
    pub(crate) fn parse(body: &[u8]) -> Result<Self, Refusal> {
        if body.is_empty() {
            return Ok(Self(Map::new()));
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

    /// A whole number, also when it is written as a string.
    pub(crate) fn integer(&self, name: &str) -> Result<Option<i64>, Refusal> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let number = match value {
            Value::String(text) => text.trim().parse().ok(),
            other => other.as_i64(),
        };
        number.map(Some).ok_or_else(|| Refusal::bad(format!("Incorrect request: {name} is not a whole number")))
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

    /// A switch that is off when absent.
    pub(crate) fn flag(&self, name: &str) -> Result<bool, Refusal> {
        match self.get(name) {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(_) => Err(Refusal::bad(format!("Incorrect request: {name} is neither true nor false"))),
        }
    }

    /// Takes an object out.
    pub(crate) fn take_object(&mut self, name: &str) -> Result<Map<String, Value>, Refusal> {
        match self.0.remove(name) {
            None | Some(Value::Null) => Err(missing(name)),
            Some(Value::Object(members)) => Ok(members),
            Some(_) => Err(Refusal::bad(format!("Incorrect request: {name} is not an object"))),
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

pub(crate) fn missing(name: &str) -> Refusal {
    Refusal::bad(format!("Incorrect request: {name} is required"))
}
