//! Filters of our own, and the bounded ones that stand in for built-in filters whose result can outgrow memory.

use minijinja::{
    Environment, Error, ErrorKind, State, Value,
    value::{Kwargs, Rest, ValueOrKwargs},
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
    environment.add_filter("lower", |value: &Value| of_text(value, |text| text.to_lowercase()));
    environment.add_filter("upper", |value: &Value| of_text(value, |text| text.to_uppercase()));
    environment.add_filter("title", |value: &Value| of_text(value, |text| minijinja::filters::title(text.into())));
    environment.add_filter("capitalize", |value: &Value| of_text(value, capitalize));
    environment.add_filter("digits", |value: &Value| of_text(value, digits));
    environment.add_filter("string", |value: &Value| of_text(value, str::to_owned));
    environment.add_filter("trim", trim);
    environment.add_filter("replace", replace);
    environment.add_filter("join", join);
    environment.add_filter("int", int);
    environment.add_filter("float", float);
    environment.add_filter("list", list);
    environment.add_filter("tojson", tojson);
    environment.add_filter("format", format);
}

/// Whether there is nothing to filter. Nothing stays nothing, so that a field that was not there does not become an empty
/// text or a zero on its way to a partner, where it would wipe what is there. `default` is the filter that fills it.
fn is_nothing(value: &Value) -> bool {
    value.is_undefined() || value.is_none()
}

fn of_text(value: &Value, filter: impl FnOnce(&str) -> String) -> Result<Value, Error> {
    if is_nothing(value) {
        return Ok(value.clone());
    }
    Ok(Value::from(filter(&text(value)?)))
}

fn capitalize(text: &str) -> String {
    let mut characters = text.chars();
    let first = characters.next().map(char::to_uppercase);
    first.into_iter().flatten().collect::<String>() + &characters.as_str().to_lowercase()
}

/// Takes white space, or the given characters, from both ends.
fn trim(value: &Value, characters: Option<&Value>) -> Result<Value, Error> {
    let characters: Option<Vec<char>> = characters.map(text).transpose()?.map(|text| text.chars().collect());
    of_text(value, |text| match &characters {
        Some(characters) => text.trim_matches(characters.as_slice()).to_owned(),
        None => text.trim().to_owned(),
    })
}

fn int(
    state: &State<'_, '_>,
    value: &Value,
    default: Option<Value>,
    base: Option<u32>,
    named: Kwargs,
) -> Result<Value, Error> {
    if is_nothing(value) && default.is_none() && !named.has("default") {
        return Ok(value.clone());
    }
    minijinja::filters::int(state, value, default, base, named)
}

fn float(state: &State<'_, '_>, value: &Value, default: Option<Value>, named: Kwargs) -> Result<Value, Error> {
    if is_nothing(value) && default.is_none() && !named.has("default") {
        return Ok(value.clone());
    }
    minijinja::filters::float(state, value, default, named)
}

fn list(state: &mut State<'_, '_>, value: Value) -> Result<Value, Error> {
    if is_nothing(&value) { Ok(value) } else { minijinja::filters::list(state, value) }
}

/// Keeps only the digits 0 to 9, as for a phone number.
fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

fn tojson(value: &Value) -> Result<Value, Error> {
    if value.is_undefined() {
        return Ok(Value::UNDEFINED);
    }
    let json = super::to_json(value).map_err(|error| invalid(error.to_string()))?;
    Ok(Value::from(String::from_utf8_lossy(&json).into_owned()))
}

fn replace(value: &Value, from: &Value, to: &Value) -> Result<Value, Error> {
    let (from, to) = (text(from)?, text(to)?);
    if is_nothing(value) {
        return Ok(value.clone());
    }
    let value = text(value)?;
    let matches = value.matches(from.as_str()).count();
    if matches.saturating_mul(to.len()).saturating_add(value.len()) > MAX_TEXT_BYTES {
        return Err(too_large());
    }
    Ok(Value::from(value.replace(from.as_str(), &to)))
}

fn join(value: &Value, separator: Option<&Value>) -> Result<Value, Error> {
    if is_nothing(value) {
        return Ok(value.clone());
    }
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
    Ok(Value::from(joined))
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
