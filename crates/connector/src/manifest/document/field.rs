//! What people fill in.

use std::fmt;

use schemars::JsonSchema;
use serde::{
    Deserialize, Deserializer,
    de::{Error, IntoDeserializer, MapAccess, Visitor, value::MapAccessDeserializer},
};

use crate::{Choice, FieldType};

/// One field, or with `custom_fields` all those that the account defines.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("anyOf" = [
    { "required": ["name", "label", "type"] },
    { "required": ["custom_fields", "prefix"] },
]))]
pub(crate) struct FieldSection {
    /// The stable name, as templates use it: small letters, digits, `_` and `-`.
    pub(crate) name: Option<String>,
    /// What people read.
    pub(crate) label: Option<String>,
    /// A longer explanation.
    #[serde(default)]
    pub(crate) help: String,
    /// What it holds.
    #[serde(rename = "type")]
    pub(crate) kind: Option<FieldType>,
    /// Whether it must be given whenever it is shown.
    #[serde(default)]
    pub(crate) required: bool,
    /// An expression that holds when it must be given; sees `input`, and in a row section the row as `item`.
    pub(crate) required_when: Option<String>,
    /// An expression that holds when it is shown; sees `input`, and in a row section the row as `item`. What is not
    /// shown is not sent.
    pub(crate) show_when: Option<String>,
    /// The value that holds when none is given.
    pub(crate) default: Option<serde_json::Value>,
    /// What values must be like, besides their type.
    pub(crate) validate: Option<ValidationSection>,
    /// The only values it takes.
    #[serde(default)]
    pub(crate) options: Vec<Choice>,
    /// The list that values are chosen from.
    pub(crate) list: Option<String>,
    /// Stands for the fields that the account defines: the list that names them. At most one of an operation.
    pub(crate) custom_fields: Option<String>,
    /// Of `custom_fields`: what inputs put before the key of such a field, such as `cf__`.
    pub(crate) prefix: Option<String>,
    /// Of `custom_fields`: the field of type `object` that they are merged into; without it they are found under
    /// `input.custom_fields`.
    pub(crate) into: Option<String>,
}

/// A part of the form that is filled in any number of times.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RowSectionSection {
    /// The stable name; the input has a list of objects under it.
    pub(crate) name: String,
    /// What people read.
    pub(crate) label: String,
    /// A longer explanation.
    #[serde(default)]
    pub(crate) help: String,
    /// Whether there must be a row.
    #[serde(default)]
    pub(crate) required: bool,
    /// The fields of each row.
    pub(crate) fields: Vec<FieldSection>,
}

/// What values must be like, besides their type: `host`, `email`, `url`, or bounds, or a pattern.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum ValidationSection {
    Host,
    Email,
    Url,
    Rules(ValidationRules),
}

/// Bounds or a pattern.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ValidationRules {
    /// The smallest number.
    pub(crate) min: Option<f64>,
    /// The largest number.
    pub(crate) max: Option<f64>,
    /// A regular expression that the whole text matches.
    pub(crate) pattern: Option<String>,
    /// Of `pattern`: what people read when a text does not match.
    pub(crate) message: Option<String>,
    /// The most characters of a text.
    pub(crate) max_length: Option<usize>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum ValidationName {
    Host,
    Email,
    Url,
}

impl<'de> Deserialize<'de> for ValidationSection {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValidationVisitor)
    }
}

struct ValidationVisitor;

impl<'de> Visitor<'de> for ValidationVisitor {
    type Value = ValidationSection;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(
            "`host`, `email`, `url`, `{ min: 1, max: 9 }`, `{ pattern: …, message: … }` or `{ max_length: 100 }`",
        )
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<ValidationSection, E> {
        Ok(match ValidationName::deserialize(text.into_deserializer())? {
            ValidationName::Host => ValidationSection::Host,
            ValidationName::Email => ValidationSection::Email,
            ValidationName::Url => ValidationSection::Url,
        })
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<ValidationSection, A::Error> {
        ValidationRules::deserialize(MapAccessDeserializer::new(map)).map(ValidationSection::Rules)
    }
}
