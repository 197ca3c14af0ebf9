//! JSON in and out of [`Value`].

use minijinja::Value;

use super::Error;

/// Reads JSON straight into a value. Integers stay integers (64 bits, signed or not), other numbers are doubles;
/// nesting is bounded to 128 levels by the parser.
///
/// # Errors
/// When it is no JSON. The message names line and column.
pub fn parse_json(json: &[u8]) -> Result<Value, Error> {
    serde_json::from_slice(json).map_err(|error| Error::Json(error.to_string()))
}

/// Writes a value as compact JSON; what is undefined is `null`.
///
/// # Errors
/// When a map has keys that are no text.
pub fn to_json(value: &Value) -> Result<Vec<u8>, Error> {
    serde_json::to_vec(value).map_err(|error| Error::Json(error.to_string()))
}

/// A value as a JSON tree; what is undefined is `null`.
///
/// # Errors
/// When a map has keys that are no text, or a number needs more than 64 bits.
pub fn to_json_value(value: &Value) -> Result<serde_json::Value, Error> {
    serde_json::to_value(value).map_err(|error| Error::Json(error.to_string()))
}

/// A JSON tree as a value.
#[must_use]
pub fn from_json_value(json: &serde_json::Value) -> Value {
    match json {
        serde_json::Value::Null => Value::from(()),
        serde_json::Value::Bool(bool) => Value::from(*bool),
        serde_json::Value::Number(number) => from_number(number),
        serde_json::Value::String(text) => Value::from(text.as_str()),
        serde_json::Value::Array(items) => Value::from(items.iter().map(from_json_value).collect::<Vec<_>>()),
        serde_json::Value::Object(entries) => {
            Value::from_pairs(entries.iter().map(|(key, value)| (key.as_str(), from_json_value(value))))
        }
    }
}

fn from_number(number: &serde_json::Number) -> Value {
    if let Some(integer) = number.as_i64() {
        return Value::from(integer);
    }
    if let Some(integer) = number.as_u64() {
        return Value::from(integer);
    }
    number.as_f64().map_or(Value::UNDEFINED, Value::from)
}
