//! Bringing values into types.

use patchbay_flow::expression::{Value, ValueKind, parse_json, to_text};

use super::{FieldType, moment};

/// Short codes count as well.
const MIN_PHONE_DIGITS: usize = 3;
/// ITU-T E.164 has 15, and some write what to dial before.
const MAX_PHONE_DIGITS: usize = 20;

/// Brings a value into a type, from JSON or from text. What is missing, an empty text where no text is wanted, and
/// null stand for nothing; only for a nullable boolean null is a value.
pub(super) fn coerce(kind: &FieldType, value: &Value) -> Result<Option<Value>, String> {
    if value.is_undefined() {
        return Ok(None);
    }
    if value.is_none() {
        return Ok((*kind == FieldType::NullableBoolean).then(|| value.clone()));
    }
    let wants_text = matches!(kind, FieldType::String | FieldType::Secret | FieldType::Any);
    if !wants_text && value.as_str().is_some_and(|text| text.trim().is_empty()) {
        return Ok(None);
    }
    let coerced = match kind {
        FieldType::Any => Some(value.clone()),
        FieldType::String | FieldType::Secret => to_string(value),
        FieldType::Integer => to_integer(value),
        FieldType::Decimal => to_decimal(value),
        FieldType::Boolean => to_boolean(value),
        FieldType::NullableBoolean => to_nullable_boolean(value),
        FieldType::DateTime => to_moment(value, moment::to_datetime),
        FieldType::Date => to_moment(value, moment::to_date),
        FieldType::Phone => to_phone(value),
        FieldType::File => to_file(value),
        FieldType::Object => to_object(value),
        FieldType::List(item) => return to_list(item, value).map(Some),
    };
    match coerced {
        Some(coerced) => Ok(Some(coerced)),
        None if *kind == FieldType::Secret => Err("expected a text".to_owned()),
        None => Err(format!("expected {}, found {}", kind.described(), found(value))),
    }
}

fn to_string(value: &Value) -> Option<Value> {
    if value.as_str().is_some() {
        return Some(value.clone());
    }
    (value.is_number() || is_boolean(value)).then(|| to_text(value).ok().map(Value::from)).flatten()
}

fn to_integer(value: &Value) -> Option<Value> {
    if let Some(text) = value.as_str() {
        let text = text.trim();
        return text.parse::<i64>().map(Value::from).or_else(|_| text.parse::<u64>().map(Value::from)).ok();
    }
    if !value.is_number() {
        return None;
    }
    if value.is_integer() {
        let fits = i64::try_from(value.clone()).is_ok() || u64::try_from(value.clone()).is_ok();
        return fits.then(|| value.clone());
    }
    // A double such as 7.0 that came from a program without integers.
    i64::try_from(value.clone()).ok().map(Value::from)
}

fn to_decimal(value: &Value) -> Option<Value> {
    if value.is_number() {
        return Some(value.clone());
    }
    let text = value.as_str()?.trim();
    if let Ok(integer) = text.parse::<i64>() {
        return Some(Value::from(integer));
    }
    text.parse::<f64>().ok().filter(|number| number.is_finite()).map(Value::from)
}

fn to_boolean(value: &Value) -> Option<Value> {
    if is_boolean(value) {
        return Some(value.clone());
    }
    let text = to_text(value).ok()?.trim().to_ascii_lowercase();
    match text.as_str() {
        "true" | "1" | "yes" => Some(Value::from(true)),
        "false" | "0" | "no" => Some(Value::from(false)),
        _ => None,
    }
}

fn to_nullable_boolean(value: &Value) -> Option<Value> {
    let is_null = value.as_str().is_some_and(|text| text.trim().eq_ignore_ascii_case("null"));
    if is_null { Some(Value::from(())) } else { to_boolean(value) }
}

/// Text in one of the usual forms, or a number of seconds or milliseconds since 1970.
fn to_moment(value: &Value, read: fn(&str) -> Option<String>) -> Option<Value> {
    if let Some(text) = value.as_str() {
        return read(text.trim()).map(Value::from);
    }
    let number = value.is_number().then(|| i64::try_from(value.clone()).ok()).flatten()?;
    read(&moment::from_number(number)?).map(Value::from)
}

/// Digits, with `+` before them when there is one; what people put between them is left out.
fn to_phone(value: &Value) -> Option<Value> {
    let text = if value.is_number() { to_text(value).ok()? } else { value.as_str()?.to_owned() };
    let mut phone = String::with_capacity(text.len());
    for character in text.trim().chars() {
        match character {
            '0'..='9' => phone.push(character),
            '+' if phone.is_empty() => phone.push(character),
            ' ' | '\u{a0}' | '-' | '(' | ')' | '.' => {}
            _ => return None,
        }
    }
    let digits = phone.trim_start_matches('+').len();
    (MIN_PHONE_DIGITS..=MAX_PHONE_DIGITS).contains(&digits).then(|| Value::from(phone))
}

fn to_file(value: &Value) -> Option<Value> {
    let text = value.as_str()?.trim();
    let known = ["https://", "http://", "data:"].iter().any(|scheme| text.starts_with(scheme));
    (known && !text.contains(char::is_whitespace)).then(|| Value::from(text))
}

fn to_object(value: &Value) -> Option<Value> {
    let value = match value.as_str() {
        Some(text) => parse_json(text.as_bytes()).ok()?,
        None => value.clone(),
    };
    is_map(&value).then_some(value)
}

fn to_list(kind: &FieldType, value: &Value) -> Result<Value, String> {
    let list = match value.as_str() {
        Some(text) if text.trim_start().starts_with('[') => {
            parse_json(text.as_bytes()).map_err(|error| format!("expected a list: {error}"))?
        }
        _ => value.clone(),
    };
    if !is_list(&list) {
        // One value stands for the list of it.
        return coerce(kind, &list).map(|item| Value::from(item.into_iter().collect::<Vec<_>>()));
    }
    let mut items = Vec::new();
    for (index, item) in list.try_iter().map_err(|error| error.to_string())?.enumerate() {
        let item = coerce(kind, &item).map_err(|message| format!("item {index}: {message}"))?;
        items.extend(item);
    }
    Ok(Value::from(items))
}

fn is_boolean(value: &Value) -> bool {
    matches!(value.kind(), ValueKind::Bool)
}

fn is_map(value: &Value) -> bool {
    matches!(value.kind(), ValueKind::Map)
}

fn is_list(value: &Value) -> bool {
    matches!(value.kind(), ValueKind::Seq | ValueKind::Iterable)
}

fn found(value: &Value) -> String {
    if is_map(value) {
        return "an object".to_owned();
    }
    if is_list(value) {
        return "a list".to_owned();
    }
    match value.as_str() {
        Some(text) => shown(text),
        None => to_text(value).unwrap_or_default(),
    }
}

pub(super) fn shown(text: &str) -> String {
    let start: String = text.chars().filter(|character| !character.is_control()).take(60).collect();
    if start.len() < text.len() { format!("`{start}…`") } else { format!("`{start}`") }
}
