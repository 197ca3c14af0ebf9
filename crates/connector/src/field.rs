//! Fields that people fill in: their types, and how values are brought into them.

use std::fmt;

use patchbay_flow::expression::{Expression, Value, ValueKind, parse_json, to_text};
use serde::Deserialize;

use crate::{host, manifest::document::Validation};

const TYPES: &str = "`string`, `secret`, `integer`, `decimal`, `boolean`, `object`, `any` or `list of` one of these";

/// What a field holds.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum FieldType {
    /// Text.
    String,
    /// Text that is sealed and never shown.
    Secret,
    /// A whole number of 64 bits.
    Integer,
    /// A number.
    Decimal,
    /// True or false.
    Boolean,
    /// A map of keys to any values.
    Object,
    /// Text, number or anything else, kept as it is.
    Any,
    /// A list whose items are all of one type.
    List(Box<FieldType>),
}

impl TryFrom<String> for FieldType {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if let Some(item) = text.strip_prefix("list of ") {
            return Self::try_from(item.to_owned()).map(|item| Self::List(Box::new(item)));
        }
        Ok(match text.as_str() {
            "string" => Self::String,
            "secret" => Self::Secret,
            "integer" => Self::Integer,
            "decimal" => Self::Decimal,
            "boolean" => Self::Boolean,
            "object" => Self::Object,
            "any" => Self::Any,
            _ => return Err(format!("unknown type `{text}`, expected {TYPES}")),
        })
    }
}

impl fmt::Display for FieldType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::String => formatter.write_str("string"),
            Self::Secret => formatter.write_str("secret"),
            Self::Integer => formatter.write_str("integer"),
            Self::Decimal => formatter.write_str("decimal"),
            Self::Boolean => formatter.write_str("boolean"),
            Self::Object => formatter.write_str("object"),
            Self::Any => formatter.write_str("any"),
            Self::List(item) => write!(formatter, "list of {item}"),
        }
    }
}

/// One of the values that a field may take.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Choice {
    /// The value itself.
    pub value: String,
    /// What people read; the value when empty.
    #[serde(default)]
    pub label: String,
}

/// A field of a connection or of an operation.
#[derive(Debug)]
pub struct Field {
    pub(crate) name: String,
    pub(crate) label: String,
    pub(crate) help: String,
    pub(crate) kind: FieldType,
    pub(crate) required: bool,
    pub(crate) required_when: Option<Expression>,
    pub(crate) show_when: Option<Expression>,
    pub(crate) default: Option<serde_json::Value>,
    pub(crate) validate: Option<Validation>,
    pub(crate) options: Vec<Choice>,
}

/// Whether more has to be said, or something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultKind {
    /// It has to be given, but may be given later.
    Missing,
    /// What was given can't be taken.
    Wrong,
}

/// What is wrong with one field of a connection or a step.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {message}")]
pub struct FieldFault {
    /// Whether it is missing or wrong.
    pub kind: FaultKind,
    /// The field, as a path like `data.subscriptions[0].email`.
    pub field: String,
    /// What was expected; never the value of a secret.
    pub message: String,
}

impl FieldFault {
    pub(crate) fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { kind: FaultKind::Wrong, field: field.into(), message: message.into() }
    }

    pub(crate) fn missing(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { kind: FaultKind::Missing, field: field.into(), message: message.into() }
    }
}

impl Field {
    /// The name, as it stands in inputs.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What people read.
    #[must_use]
    pub fn label(&self) -> &str {
        &self.label
    }

    /// A longer explanation; may be empty.
    #[must_use]
    pub fn help(&self) -> &str {
        &self.help
    }

    /// What it holds.
    #[must_use]
    pub fn kind(&self) -> &FieldType {
        &self.kind
    }

    /// Whether it must be given whenever it is shown.
    #[must_use]
    pub fn required(&self) -> bool {
        self.required
    }

    /// The value that holds when none is given.
    #[must_use]
    pub fn default(&self) -> Option<&serde_json::Value> {
        self.default.as_ref()
    }

    /// The only values it takes; empty when there is no such list.
    #[must_use]
    pub fn options(&self) -> &[Choice] {
        &self.options
    }

    /// Brings a value into this field's type; `None` when it stands for nothing.
    pub(crate) fn coerce(&self, value: &Value) -> Result<Option<Value>, FieldFault> {
        let coerced = coerce(&self.kind, value).map_err(|message| FieldFault::new(&self.name, message))?;
        if let Some(value) = &coerced {
            self.check(value)?;
        }
        Ok(coerced)
    }

    fn check(&self, value: &Value) -> Result<(), FieldFault> {
        let Some(text) = value.as_str().filter(|text| !text.is_empty()) else { return Ok(()) };
        if !self.options.is_empty() && !self.options.iter().any(|choice| choice.value == text) {
            let known: Vec<_> = self.options.iter().map(|choice| format!("`{}`", choice.value)).collect();
            let message = format!("expected one of {}, found {}", known.join(", "), shown(text));
            return Err(FieldFault::new(&self.name, message));
        }
        match self.validate {
            Some(Validation::Host) => host::check(text).map_err(|message| FieldFault::new(&self.name, message)),
            None => Ok(()),
        }
    }
}

/// Whether a required field has not been filled.
pub(crate) fn is_empty(value: Option<&Value>) -> bool {
    value.is_none_or(|value| value.is_undefined() || value.is_none() || value.as_str().is_some_and(str::is_empty))
}

/// Brings a value into a type, from JSON or from text. Null, what is missing, and an empty text where no text is
/// wanted stand for nothing.
fn coerce(kind: &FieldType, value: &Value) -> Result<Option<Value>, String> {
    if value.is_undefined() || value.is_none() {
        return Ok(None);
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
        FieldType::Object => to_object(value),
        FieldType::List(item) => return to_list(item, value).map(Some),
    };
    match coerced {
        Some(coerced) => Ok(Some(coerced)),
        None if *kind == FieldType::Secret => Err("expected a text".to_owned()),
        None => Err(format!("expected {}, found {}", described(kind), found(value))),
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

pub(crate) fn described(kind: &FieldType) -> String {
    match kind {
        FieldType::String | FieldType::Secret => "a text".to_owned(),
        FieldType::Integer => "a whole number".to_owned(),
        FieldType::Decimal => "a number".to_owned(),
        FieldType::Boolean => "true or false".to_owned(),
        FieldType::Object => "an object".to_owned(),
        FieldType::Any => "a value".to_owned(),
        FieldType::List(item) => format!("a list of {item}"),
    }
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

fn shown(text: &str) -> String {
    let start: String = text.chars().filter(|character| !character.is_control()).take(60).collect();
    if start.len() < text.len() { format!("`{start}…`") } else { format!("`{start}`") }
}
