//! Parts of a form that are filled in any number of times.

use patchbay_flow::expression::{Name, Scope, Value, ValueKind, parse_json};

use super::{
    Form, MAX_ROWS, RowSection,
    coerce::{coerce_fields, keep_shown},
};
use crate::FieldFault;

impl Form {
    /// Adds the rows to the values of the fields, which their conditions see.
    pub(super) fn coerce_rows<'form>(
        &'form self,
        rendered: &Value,
        values: &mut Vec<(&'form str, Value)>,
    ) -> Result<(), FieldFault> {
        let conditional = self.row_sections.iter().any(|section| section.conditional);
        let mut scope = Scope::new();
        if conditional {
            scope.set(Name::Input, Value::from_pairs(values.iter().cloned()));
        }
        for section in &self.row_sections {
            let given = rendered.get_attr(&section.name).unwrap_or_default();
            let rows = section.coerce(&given, &scope)?;
            if rows.as_ref().is_none_or(Vec::is_empty) && section.required {
                return Err(FieldFault::new(&section.name, "required, but there is no row"));
            }
            values.extend(rows.map(|rows| (section.name.as_str(), Value::from(rows))));
        }
        Ok(())
    }
}

impl RowSection {
    /// The rows in the types of their fields; `None` when nothing is given.
    fn coerce(&self, given: &Value, scope: &Scope) -> Result<Option<Vec<Value>>, FieldFault> {
        let Some(given) = read(given).map_err(|message| FieldFault::new(&self.name, message))? else {
            return Ok(None);
        };
        if given.len() > MAX_ROWS {
            let message = format!("expected at most {MAX_ROWS} rows, found {}", given.len());
            return Err(FieldFault::new(&self.name, message));
        }
        let mut rows = Vec::with_capacity(given.len());
        for (index, row) in given.iter().enumerate() {
            let place = |fault: FieldFault| fault.inside(&format!("{}[{index}]", self.name));
            rows.push(self.coerce_row(row, scope).map_err(place)?);
        }
        Ok(Some(rows))
    }

    fn coerce_row(&self, row: &Value, scope: &Scope) -> Result<Value, FieldFault> {
        if row.kind() != ValueKind::Map {
            return Err(FieldFault::new("", "expected an object with the fields of the row"));
        }
        for name in row.try_iter().into_iter().flatten() {
            if !self.fields.iter().any(|field| Some(field.name.as_str()) == name.as_str()) {
                return Err(self.unknown(&name.to_string()));
            }
        }
        let mut values = coerce_fields(&self.fields, row)?;
        if self.conditional {
            let item = Value::from_pairs(values.iter().cloned());
            keep_shown(&self.fields, &mut values, &scope.clone().with(Name::Item, item))?;
        } else {
            keep_shown(&self.fields, &mut values, scope)?;
        }
        Ok(Value::from_pairs(values))
    }
}

/// A list of rows, also as JSON in a text; one object stands for the list of it.
fn read(given: &Value) -> Result<Option<Vec<Value>>, String> {
    let parsed;
    let given = match given.as_str() {
        Some(text) if text.trim().is_empty() => return Ok(None),
        Some(text) => {
            parsed = parse_json(text.as_bytes()).map_err(|_| "expected a list of rows, found a text".to_owned())?;
            &parsed
        }
        None => given,
    };
    match given.kind() {
        ValueKind::Undefined | ValueKind::None => Ok(None),
        ValueKind::Map => Ok(Some(vec![given.clone()])),
        ValueKind::Seq | ValueKind::Iterable => {
            given.try_iter().map(|rows| Some(rows.collect())).map_err(|error| error.to_string())
        }
        _ => Err("expected a list of rows".to_owned()),
    }
}
