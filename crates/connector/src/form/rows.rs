//! Parts of a form that are filled in any number of times.

use patchbay_flow::expression::{Name, Scope, Value, ValueKind, parse_json};

use super::{
    Form, MAX_ROWS, RowSection,
    coerce::{coerce_fields, keep_shown},
};
use crate::FieldFault;

/// The values of a form or of one row, by name.
type Values<'form> = Vec<(&'form str, Value)>;

/// What is given for a section, in the types of its fields. Conditions have not been looked at.
pub(super) struct Rows<'form> {
    section: &'form RowSection,
    /// `None` when nothing is given.
    rows: Option<Vec<Values<'form>>>,
}

impl Form {
    pub(super) fn read_rows<'form>(&'form self, rendered: &Value) -> Result<Vec<Rows<'form>>, FieldFault> {
        let sections = self.row_sections.iter();
        sections.map(|section| section.read(&rendered.get_attr(&section.name).unwrap_or_default())).collect()
    }
}

/// What conditions see: the values of the fields, and the rows.
pub(super) fn input_of(values: &[(&str, Value)], rows: &[Rows<'_>]) -> Value {
    let sections = rows.iter().filter_map(|rows| Some((rows.section.name.as_str(), rows.value()?)));
    Value::from_pairs(values.iter().cloned().chain(sections))
}

impl RowSection {
    fn read(&self, given: &Value) -> Result<Rows<'_>, FieldFault> {
        let Some(given) = read(given).map_err(|message| FieldFault::new(&self.name, message))? else {
            return Ok(Rows { section: self, rows: None });
        };
        if given.len() > MAX_ROWS {
            let message = format!("expected at most {MAX_ROWS} rows, found {}", given.len());
            return Err(FieldFault::new(&self.name, message));
        }
        let rows = given
            .iter()
            .enumerate()
            .map(|(index, row)| self.read_row(row).map_err(|fault| fault.inside(&self.place(index))));
        Ok(Rows { section: self, rows: Some(rows.collect::<Result<_, _>>()?) })
    }

    fn read_row(&self, row: &Value) -> Result<Values<'_>, FieldFault> {
        if row.kind() != ValueKind::Map {
            return Err(FieldFault::new("", "expected an object with the fields of the row"));
        }
        for name in row.try_iter().into_iter().flatten() {
            if !self.fields.iter().any(|field| Some(field.name.as_str()) == name.as_str()) {
                return Err(self.unknown(&name.to_string()));
            }
        }
        coerce_fields(&self.fields, row)
    }
}

impl<'form> Rows<'form> {
    fn value(&self) -> Option<Value> {
        let rows = self.rows.as_ref()?.iter().map(|row| Value::from_pairs(row.iter().cloned()));
        Some(Value::from(rows.collect::<Vec<_>>()))
    }

    /// The rows without what is not shown, under the name of the section.
    pub(super) fn keep_shown(self, scope: &Scope) -> Result<Option<(&'form str, Value)>, FieldFault> {
        let section = self.section;
        if section.required && self.rows.as_ref().is_none_or(Vec::is_empty) {
            return Err(FieldFault::new(&section.name, "required, but there is no row"));
        }
        let Some(rows) = self.rows else { return Ok(None) };
        let mut scope = scope.clone();
        let mut kept = Vec::with_capacity(rows.len());
        for (index, mut row) in rows.into_iter().enumerate() {
            if section.conditional {
                scope.set(Name::Item, Value::from_pairs(row.iter().cloned()));
            }
            keep_shown(&section.fields, &mut row, &scope).map_err(|fault| fault.inside(&section.place(index)))?;
            kept.push(Value::from_pairs(row));
        }
        Ok(Some((section.name.as_str(), Value::from(kept))))
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
