//! Filters of our own, and the bounded ones that stand in for built-in filters whose result can outgrow memory.

use minijinja::{
    Environment, Error, ErrorKind, State, Value,
    value::{Rest, ValueOrKwargs},
};

use super::value::to_text;

/// The most bytes that a text may have on its way through filters. Larger than a final value, because a filter
/// further on may shorten it.
const MAX_TEXT_BYTES: usize = 16 * 1024 * 1024;
const MAX_FORMAT_WIDTH_DIGITS: usize = 4;

/// Filters left out: their arguments alone decide how much they give, and nothing in a mapping needs them.
const LEFT_OUT: [&str; 4] = ["batch", "slice", "indent", "pprint"];

pub(super) fn install(environment: &mut Environment<'static>) {
    for name in LEFT_OUT {
        environment.remove_filter(name);
    }
    environment.add_filter("digits", digits);
    environment.add_filter("string", string);
    environment.add_filter("tojson", tojson);
    environment.add_filter("replace", replace);
    environment.add_filter("join", join);
    environment.add_filter("format", format);
}

/// Keeps only the digits 0 to 9, as for a phone number.
fn digits(value: &Value) -> Result<String, Error> {
    Ok(text(value)?.chars().filter(char::is_ascii_digit).collect())
}

fn string(value: &Value) -> Result<String, Error> {
    text(value)
}

fn tojson(value: &Value) -> Result<String, Error> {
    let json = super::to_json(value).map_err(|error| invalid(error.to_string()))?;
    Ok(String::from_utf8_lossy(&json).into_owned())
}

fn replace(value: &Value, from: &Value, to: &Value) -> Result<String, Error> {
    let (value, from, to) = (text(value)?, text(from)?, text(to)?);
    let matches = value.matches(from.as_str()).count();
    if matches.saturating_mul(to.len()).saturating_add(value.len()) > MAX_TEXT_BYTES {
        return Err(too_large());
    }
    Ok(value.replace(from.as_str(), &to))
}

fn join(value: &Value, separator: Option<&Value>) -> Result<String, Error> {
    let separator = separator.map(text).transpose()?.unwrap_or_default();
    let mut joined = String::new();
    for (index, item) in value.try_iter()?.enumerate() {
        if index > 0 {
            joined.push_str(&separator);
        }
        joined.push_str(&text(&item)?);
        if joined.len() > MAX_TEXT_BYTES {
            return Err(too_large());
        }
    }
    Ok(joined)
}

/// `"%05d"|format(7)`, with widths of at most four digits.
fn format(state: &mut State<'_, '_>, pattern: &Value, arguments: Rest<ValueOrKwargs>) -> Result<Value, Error> {
    let mut digits = 0;
    for character in text(pattern)?.chars() {
        digits = if character.is_ascii_digit() { digits + 1 } else { 0 };
        if digits > MAX_FORMAT_WIDTH_DIGITS || character == '*' {
            return Err(invalid("a format must have widths of at most four digits and no `*`".to_owned()));
        }
    }
    minijinja::filters::format(state, pattern, arguments)
}

fn text(value: &Value) -> Result<String, Error> {
    to_text(value).map_err(|error| invalid(error.to_string()))
}

fn invalid(message: String) -> Error {
    Error::new(ErrorKind::InvalidOperation, message)
}

fn too_large() -> Error {
    invalid("the text would be too large".to_owned())
}
