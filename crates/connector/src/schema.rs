//! The shape of a manifest as JSON Schema, for editors and other tools.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, generate::SchemaSettings, json_schema as schema};

use crate::{
    FieldType,
    manifest::document::{Document, Seconds, ValidationRules, ValidationSection},
};

const ID: &str = "https://patchbay.dev/schemas/connector/v1.json";
const TITLE: &str = "Patchbay connector manifest";

/// The JSON Schema (draft 2020-12) of a manifest. What has its shape is read by [`Manifest::parse`](crate::Manifest::parse);
/// whether it makes sense says [`Connector::compile`](crate::Connector::compile).
#[must_use]
pub fn json_schema() -> serde_json::Value {
    let mut schema = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<Document>();
    schema.insert("$id".to_owned(), ID.into());
    schema.insert("title".to_owned(), TITLE.into());
    schema.to_value()
}

/// A text that may be written without quotes.
pub(crate) struct Scalar;

impl JsonSchema for Scalar {
    fn schema_name() -> Cow<'static, str> {
        "Scalar".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schema!({ "type": ["string", "number", "boolean"], "description": "A template." })
    }
}

impl JsonSchema for Seconds {
    fn schema_name() -> Cow<'static, str> {
        "Duration".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schema!({
            "type": "string",
            "pattern": "^0*[1-9][0-9]*(ms|s|m|h)$",
            "description": "A duration: a whole number and `ms`, `s`, `m` or `h`.",
            "examples": ["10s", "500ms", "2m"],
        })
    }
}

impl JsonSchema for FieldType {
    fn schema_name() -> Cow<'static, str> {
        "FieldType".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let lists = FieldType::NAMES.iter().map(|name| format!("list of {name}"));
        let names: Vec<_> = FieldType::NAMES.iter().map(ToString::to_string).chain(lists).collect();
        schema!({ "type": "string", "enum": names })
    }
}

impl JsonSchema for ValidationSection {
    fn schema_name() -> Cow<'static, str> {
        "Validation".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let rules = generator.subschema_for::<ValidationRules>();
        schema!({
            "description": "What values must be like, besides their type.",
            "anyOf": [{ "type": "string", "enum": ["host", "email", "url"] }, rules],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_each_field_type() {
        let kinds = FieldType::NAMES.map(|name| FieldType::try_from(name.to_owned()).map(|kind| kind.to_string()));
        assert_eq!(kinds, FieldType::NAMES.map(|name| Ok(name.to_owned())));
        let unknown = FieldType::try_from("number".to_owned()).unwrap_err();
        for name in FieldType::NAMES {
            assert!(unknown.contains(&format!("`{name}`")), "{name}");
        }
    }
}
