//! Rendered input, brought into the types of the form.

use patchbay_flow::expression::{Name, Scope, Value, ValueKind, from_json_value};

use super::{Form, rows::input_of};
use crate::{Field, FieldFault};

/// Where custom fields are found when they are not merged into a field.
pub(crate) const CUSTOM_FIELDS: &str = "custom_fields";

impl Form {
    /// Brings rendered input into the types of the fields: defaults are filled in, fields that stand for nothing or
    /// are not shown are left out.
    ///
    /// # Errors
    /// The first field that is unknown, can't be brought into its type, or is required and missing.
    pub(crate) fn coerce(&self, rendered: &Value) -> Result<Value, FieldFault> {
        if !matches!(rendered.kind(), ValueKind::Map | ValueKind::Undefined | ValueKind::None) {
            return Err(FieldFault::new("", "expected an object with the operation's fields"));
        }
        for name in rendered.try_iter().into_iter().flatten() {
            if !name.as_str().is_some_and(|name| self.knows(name)) {
                return Err(self.unknown(&name.to_string()));
            }
        }
        let mut values = coerce_fields(&self.fields, rendered)?;
        let custom = self.custom_values(rendered);
        let merged_into = self.custom_fields.as_ref().map(|custom| custom.into.as_deref().unwrap_or(CUSTOM_FIELDS));
        if let Some(into) = merged_into {
            merge(&mut values, into, custom);
        }
        let rows = self.read_rows(rendered)?;
        let mut scope = Scope::new();
        if self.conditional {
            scope.set(Name::Input, input_of(&values, &rows));
        }
        keep_shown(&self.fields, &mut values, &scope)?;
        if self.row_sections.iter().any(|section| section.conditional) {
            scope.set(Name::Input, input_of(&values, &rows));
        }
        for rows in rows {
            values.extend(rows.keep_shown(&scope)?);
        }
        Ok(Value::from_pairs(values))
    }

    /// What is given for fields of the account, by key.
    fn custom_values(&self, rendered: &Value) -> Vec<(Value, Value)> {
        if self.custom_fields.is_none() {
            return Vec::new();
        }
        let names = rendered.try_iter().into_iter().flatten();
        let given = names.filter_map(|name| {
            let key = Value::from(self.custom_key(name.as_str()?)?);
            let value = rendered.get_item(&name).ok()?;
            (!value.is_undefined() && !value.is_none()).then_some((key, value))
        });
        given.collect()
    }
}

/// Each field in its type, or with its default.
pub(super) fn coerce_fields<'form>(
    fields: &'form [Field],
    rendered: &Value,
) -> Result<Vec<(&'form str, Value)>, FieldFault> {
    let mut values = Vec::with_capacity(fields.len() + 1);
    for field in fields {
        let given = rendered.get_attr(&field.name).unwrap_or_default();
        let value = match field.coerce(&given)? {
            Some(value) => Some(value),
            None => default_of(field)?,
        };
        if let Some(value) = value {
            values.push((field.name.as_str(), value));
        }
    }
    Ok(values)
}

pub(super) fn default_of(field: &Field) -> Result<Option<Value>, FieldFault> {
    field.default.as_ref().map_or(Ok(None), |default| field.coerce(&from_json_value(default)))
}

/// Leaves out what is not shown, and refuses what is required and empty.
pub(super) fn keep_shown(fields: &[Field], values: &mut Vec<(&str, Value)>, scope: &Scope) -> Result<(), FieldFault> {
    for field in fields {
        let position = values.iter().position(|(name, _)| *name == field.name);
        if position.is_none() && !field.required && field.required_when.is_none() {
            continue;
        }
        let undecided = |error: patchbay_flow::expression::Error| FieldFault::new(&field.name, error.to_string());
        if !field.shown(scope).map_err(undecided)? {
            if let Some(position) = position {
                values.remove(position);
            }
            continue;
        }
        if !field.is_empty(position.map(|position| &values[position].1)) {
            continue;
        }
        if field.wanted(scope).map_err(undecided)? {
            return Err(FieldFault::new(&field.name, "required, but there is no value"));
        }
    }
    Ok(())
}

/// Puts fields of the account into an object, where they win.
fn merge<'form>(values: &mut Vec<(&'form str, Value)>, into: &'form str, custom: Vec<(Value, Value)>) {
    if custom.is_empty() {
        return;
    }
    let Some((_, object)) = values.iter_mut().find(|(name, _)| *name == into) else {
        values.push((into, Value::from_pairs(custom)));
        return;
    };
    let entries: Vec<(Value, Value)> =
        object.as_object().and_then(|object| object.try_iter_pairs()).into_iter().flatten().collect();
    // Of two with the same key the last holds.
    *object = Value::from_pairs(entries.into_iter().chain(custom));
}
