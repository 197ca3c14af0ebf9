//! What a person fills in for an operation, and how it becomes the input of a call.

mod coerce;
mod rows;
mod validate;

use crate::{
    Field, FieldFault,
    manifest::{closest, there_are},
};

pub(crate) use coerce::CUSTOM_FIELDS;
pub(crate) use validate::Texts;

/// The most rows of a section.
const MAX_ROWS: usize = 1_000;

/// The whole of what is filled in.
#[derive(Debug)]
pub(crate) struct Form {
    pub(crate) fields: Vec<Field>,
    pub(crate) row_sections: Vec<RowSection>,
    pub(crate) custom_fields: Option<CustomFields>,
    /// Whether a field has a condition that only the other values decide.
    pub(crate) conditional: bool,
}

/// A part of the form that is filled in any number of times. Its input is a list of flat objects.
#[derive(Debug)]
pub struct RowSection {
    pub(crate) name: String,
    pub(crate) label: String,
    pub(crate) help: String,
    pub(crate) required: bool,
    pub(crate) fields: Vec<Field>,
    pub(crate) conditional: bool,
}

/// Fields that the account defines. Inputs have them under their key with the prefix before it.
#[derive(Debug)]
pub struct CustomFields {
    pub(crate) list: String,
    pub(crate) prefix: String,
    pub(crate) into: Option<String>,
}

impl Form {
    pub(crate) fn new(fields: Vec<Field>, row_sections: Vec<RowSection>, custom_fields: Option<CustomFields>) -> Self {
        let conditional = fields.iter().any(Field::has_conditions);
        Self { fields, row_sections, custom_fields, conditional }
    }

    fn knows(&self, name: &str) -> bool {
        self.fields.iter().any(|field| field.name == name)
            || self.row_sections.iter().any(|section| section.name == name)
            || self.custom_key(name).is_some()
    }

    /// The key of a custom field, without the prefix.
    fn custom_key<'name>(&self, name: &'name str) -> Option<&'name str> {
        let custom = self.custom_fields.as_ref()?;
        name.strip_prefix(custom.prefix.as_str()).filter(|key| !key.is_empty())
    }

    fn unknown(&self, name: &str) -> FieldFault {
        let sections = self.row_sections.iter().map(|section| section.name.as_str());
        unknown_field(name, self.fields.iter().map(|field| field.name.as_str()).chain(sections))
    }
}

impl RowSection {
    pub(crate) fn new(name: &str, label: &str, help: &str, required: bool, fields: Vec<Field>) -> Self {
        let conditional = fields.iter().any(Field::has_conditions);
        let (name, label, help) = (name.to_owned(), label.to_owned(), help.to_owned());
        Self { name, label, help, required, fields, conditional }
    }

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

    /// Whether there must be a row.
    #[must_use]
    pub fn required(&self) -> bool {
        self.required
    }

    /// The fields of each row. Their conditions see the row as `item`.
    #[must_use]
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// Where a row stands, as faults name it.
    fn place(&self, index: usize) -> String {
        format!("{}[{index}]", self.name)
    }

    fn unknown(&self, name: &str) -> FieldFault {
        unknown_field(name, self.fields.iter().map(|field| field.name.as_str()))
    }
}

impl CustomFields {
    /// The list that names them.
    #[must_use]
    pub fn list(&self) -> &str {
        &self.list
    }

    /// What stands before a field's key in inputs.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The field of type object that they are merged into, where they win; without it they are found under
    /// `input.custom_fields`.
    #[must_use]
    pub fn into(&self) -> Option<&str> {
        self.into.as_deref()
    }
}

pub(crate) fn unknown_field<'name>(name: &str, known: impl Iterator<Item = &'name str> + Clone) -> FieldFault {
    let shown: String = name.chars().filter(|character| !character.is_control()).take(100).collect();
    let hint = closest(&shown, known.clone()).unwrap_or_else(|| there_are(known));
    FieldFault::new(shown, format!("unknown field, {hint}"))
}
