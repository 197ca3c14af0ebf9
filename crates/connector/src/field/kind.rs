//! What a field holds.

use std::fmt;

use serde::Deserialize;

const TYPES: &str = "`string`, `secret`, `integer`, `decimal`, `boolean`, `nullable_boolean`, `datetime`, `date`, \
                     `phone`, `file`, `object`, `any` or `list of` one of these";

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
    /// True, false, or null, which is a value of its own.
    NullableBoolean,
    /// A point in time, as text of RFC 3339.
    DateTime,
    /// A day, as text like `2026-01-31`.
    Date,
    /// A phone number, as digits with or without `+` before them.
    Phone,
    /// A file, as its URL.
    File,
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
        Self::parse(&text).ok_or_else(|| format!("unknown type `{text}`, expected {TYPES}"))
    }
}

impl FieldType {
    /// The names of all but lists.
    pub(crate) const NAMES: [&str; 12] = [
        "string",
        "secret",
        "integer",
        "decimal",
        "boolean",
        "nullable_boolean",
        "datetime",
        "date",
        "phone",
        "file",
        "object",
        "any",
    ];

    /// The type with this name.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        match name.strip_prefix("list of ") {
            // A list of lists fits into no form.
            Some(item) => Self::parse_one(item).map(|item| Self::List(Box::new(item))),
            None => Self::parse_one(name),
        }
    }

    fn parse_one(name: &str) -> Option<Self> {
        Some(match name {
            "string" => Self::String,
            "secret" => Self::Secret,
            "integer" => Self::Integer,
            "decimal" => Self::Decimal,
            "boolean" => Self::Boolean,
            "nullable_boolean" => Self::NullableBoolean,
            "datetime" => Self::DateTime,
            "date" => Self::Date,
            "phone" => Self::Phone,
            "file" => Self::File,
            "object" => Self::Object,
            "any" => Self::Any,
            _ => return None,
        })
    }

    /// The type of one value: of the items when it is a list.
    pub(crate) fn of_one(&self) -> &Self {
        match self {
            Self::List(item) => item.of_one(),
            one => one,
        }
    }

    /// What people read that was expected.
    pub(crate) fn described(&self) -> String {
        let words = match self {
            Self::String | Self::Secret => "a text",
            Self::Integer => "a whole number",
            Self::Decimal => "a number",
            Self::Boolean => "true or false",
            Self::NullableBoolean => "true, false or null",
            Self::DateTime => "a time like `2026-01-31T08:00:00Z`",
            Self::Date => "a day like `2026-01-31`",
            Self::Phone => "a phone number like `+79001112233`",
            Self::File => "the URL of a file",
            Self::Object => "an object",
            Self::Any => "a value",
            Self::List(item) => return format!("a list of {item}"),
        };
        words.to_owned()
    }
}

impl fmt::Display for FieldType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::String => "string",
            Self::Secret => "secret",
            Self::Integer => "integer",
            Self::Decimal => "decimal",
            Self::Boolean => "boolean",
            Self::NullableBoolean => "nullable_boolean",
            Self::DateTime => "datetime",
            Self::Date => "date",
            Self::Phone => "phone",
            Self::File => "file",
            Self::Object => "object",
            Self::Any => "any",
            Self::List(item) => return write!(formatter, "list of {item}"),
        })
    }
}
