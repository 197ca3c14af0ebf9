//! What a person fills in for an operation.

use super::{Compiler, expression::Sees};
use crate::{
    CustomFields, Field, FieldType, RowSection,
    form::{CUSTOM_FIELDS, Form},
    manifest::document::{FieldSection, RowSectionSection},
};

const MAX_FIELDS: usize = 500;

/// Where fields stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Connection,
    Action,
    Row,
    Trigger,
}

impl<'manifest> Compiler<'manifest> {
    /// The form of an action or a trigger.
    pub(super) fn form(
        &mut self,
        path: &str,
        fields: &'manifest [FieldSection],
        row_sections: &'manifest [RowSectionSection],
        place: Place,
    ) -> Form {
        let count = fields.len() + row_sections.iter().map(|section| section.fields.len()).sum::<usize>();
        if count > MAX_FIELDS {
            self.fail(&format!("{path}.fields"), format!("expected at most {MAX_FIELDS} fields, found {count}"));
            return Form::new(Vec::new(), Vec::new(), None);
        }
        let fields_path = format!("{path}.fields");
        let mut seen = names_of(fields);
        seen.extend(row_sections.iter().map(|section| section.name.as_str()));
        let compiled = self.fields(&fields_path, fields, place, &seen);
        let custom_fields = self.custom_fields(&fields_path, fields, place, &compiled);
        let mut rows = Vec::new();
        for (index, section) in row_sections.iter().enumerate() {
            let path = format!("{path}.row_sections[{index}]");
            self.check_name_of_section(&path, section, fields, &row_sections[..index]);
            rows.push(self.row_section(&path, section, &seen));
        }
        if let Some(custom) = &custom_fields {
            self.check_prefix(path, custom, fields, row_sections);
        }
        Form::new(compiled, rows, custom_fields)
    }

    /// What templates may use behind `input.`.
    pub(super) fn input_names(
        fields: &'manifest [FieldSection],
        row_sections: &'manifest [RowSectionSection],
    ) -> Vec<&'manifest str> {
        let mut names = names_of(fields);
        names.extend(row_sections.iter().map(|section| section.name.as_str()));
        if fields.iter().any(|field| field.custom_fields.is_some() && field.into.is_none()) {
            names.push(CUSTOM_FIELDS);
        }
        names
    }

    fn check_name_of_section(
        &mut self,
        path: &str,
        section: &RowSectionSection,
        fields: &[FieldSection],
        earlier: &[RowSectionSection],
    ) {
        let path = format!("{path}.name");
        self.key(&path, &section.name);
        if names_of(fields).contains(&section.name.as_str()) {
            self.fail(&path, format!("a field has the name `{}`", section.name));
        }
        if earlier.iter().any(|other| other.name == section.name) {
            self.fail(&path, format!("another row section has the name `{}`", section.name));
        }
    }

    fn row_section(&mut self, path: &str, section: &'manifest RowSectionSection, input: &[&str]) -> RowSection {
        self.words(&format!("{path}.label"), &section.label);
        if section.fields.is_empty() {
            self.fail(&format!("{path}.fields"), "expected the fields of a row, found none");
        }
        let fields = self.fields(&format!("{path}.fields"), &section.fields, Place::Row, input);
        RowSection::new(&section.name, &section.label, &section.help, section.required, fields)
    }

    /// The entry that stands for the fields of the account.
    fn custom_fields(
        &mut self,
        path: &str,
        sections: &'manifest [FieldSection],
        place: Place,
        fields: &[Field],
    ) -> Option<CustomFields> {
        let entries = sections.iter().enumerate().filter(|(_, section)| section.custom_fields.is_some());
        let mut custom_fields = None;
        for (index, section) in entries {
            let path = format!("{path}[{index}]");
            if place != Place::Action {
                self.fail(&format!("{path}.custom_fields"), "only an action has fields that the account defines");
                continue;
            }
            if custom_fields.is_some() {
                self.fail(&format!("{path}.custom_fields"), "expected at most one entry with `custom_fields`");
                continue;
            }
            custom_fields = self.custom_fields_entry(&path, section, sections, fields);
        }
        custom_fields
    }

    fn custom_fields_entry(
        &mut self,
        path: &str,
        section: &'manifest FieldSection,
        sections: &'manifest [FieldSection],
        fields: &[Field],
    ) -> Option<CustomFields> {
        let list = section.custom_fields.as_ref()?;
        for (name, given) in [
            ("name", section.name.is_some()),
            ("label", section.label.is_some()),
            ("help", !section.help.is_empty()),
            ("type", section.kind.is_some()),
            ("required", section.required),
            ("required_when", section.required_when.is_some()),
            ("show_when", section.show_when.is_some()),
            ("default", section.default.is_some()),
            ("validate", section.validate.is_some()),
            ("options", !section.options.is_empty()),
            ("list", section.list.is_some()),
        ] {
            if given {
                let message = "has no meaning beside `custom_fields`, which takes `prefix` and `into`";
                self.fail(&format!("{path}.{name}"), message);
            }
        }
        self.check_list(&format!("{path}.custom_fields"), list, &names_of(sections));
        let Some(prefix) = &section.prefix else {
            self.fail_with(path, "the key `prefix` is missing", "inputs put it before keys, such as `prefix: cf__`");
            return None;
        };
        self.key(&format!("{path}.prefix"), prefix);
        if let Some(into) = &section.into {
            self.check_into(&format!("{path}.into"), into, fields);
        } else if fields.iter().any(|field| field.name == CUSTOM_FIELDS) {
            let message = "a field has the name `custom_fields`, under which these would be found";
            self.fail_with(path, message, "say by `into` which field of type `object` they are merged into");
        }
        Some(CustomFields { list: list.clone(), prefix: prefix.clone(), into: section.into.clone() })
    }

    fn check_into(&mut self, path: &str, into: &str, fields: &[Field]) {
        match fields.iter().find(|field| field.name == into) {
            Some(field) if field.kind == FieldType::Object => {}
            Some(field) => {
                self.fail(path, format!("expected a field of type `object`, but `{into}` is of type `{}`", field.kind));
            }
            None => {
                let objects = fields.iter().filter(|field| field.kind == FieldType::Object);
                let objects: Vec<_> = objects.map(|field| field.name.as_str()).collect();
                self.unknown(path, "field", into, &objects);
            }
        }
    }

    /// No name may look like a field of the account.
    fn check_prefix(
        &mut self,
        path: &str,
        custom: &CustomFields,
        fields: &[FieldSection],
        row_sections: &[RowSectionSection],
    ) {
        let fields = fields.iter().enumerate().filter_map(|(index, field)| {
            field.name.as_deref().map(|name| (format!("{path}.fields[{index}].name"), name))
        });
        let sections = row_sections.iter().enumerate();
        let sections =
            sections.map(|(index, section)| (format!("{path}.row_sections[{index}].name"), section.name.as_str()));
        for (path, name) in fields.chain(sections) {
            if name.starts_with(&custom.prefix) {
                let message = format!("`{name}` begins with `{}`, the prefix of custom fields", custom.prefix);
                self.fail(&path, message);
            }
        }
    }

    /// Whether a list is there, and what it depends on.
    pub(super) fn check_list(&mut self, path: &str, name: &str, fields: &[&str]) {
        let lists = &self.document().lists;
        let Some(list) = lists.get(name) else {
            let known: Vec<_> = lists.keys().map(String::as_str).collect();
            self.unknown(path, "list", name, &known);
            return;
        };
        for needed in list.depends_on.iter().filter(|needed| !fields.contains(&needed.as_str())) {
            // Of a name that no operation knows the list itself is told.
            if !self.all_fields().contains(&needed.as_str()) {
                continue;
            }
            let message = format!("the list `{name}` depends on the field `{needed}`, which is not here");
            self.fail_with(path, message, format!("add a field with the name `{needed}`"));
        }
    }

    /// What conditions of fields see.
    pub(super) fn sees_of<'names>(
        place: Place,
        input: &'names [&'names str],
        own: &'names [&'names str],
    ) -> Sees<'names> {
        use patchbay_flow::expression::Name;

        match place {
            Place::Row => Sees::new(&[Name::Input, Name::Item]).with_input(input).with_item(own),
            _ => Sees::new(&[Name::Input]).with_input(input),
        }
    }
}

/// The names of fields, without the entry that stands for those of the account.
pub(super) fn names_of(fields: &[FieldSection]) -> Vec<&str> {
    fields.iter().filter(|field| field.custom_fields.is_none()).filter_map(|field| field.name.as_deref()).collect()
}
