//! A step's input: checked while it is still templates, and brought into its types once they are rendered.

use std::collections::BTreeMap;

use patchbay_flow::expression::{Expression, Name, Scope, Template, Value, ValueKind, from_json_value};
use serde_json::Value as Json;

use super::Operation;
use crate::{
    Field, FieldFault, FieldType,
    connector::unknown_field,
    field::{described, is_empty},
};

/// Names that have no meaning, or would show secrets, in the input of a step.
const NOT_IN_STEPS: [Name; 5] = [Name::Connection, Name::Input, Name::Body, Name::Status, Name::Headers];

/// What is known about a field before a run.
enum Known {
    /// Not given, and no default.
    Absent,
    Constant(Value),
    /// A template decides.
    Later,
}

impl Operation {
    /// Checks the input of a step as it is written, with templates not rendered. A field that is shown or required
    /// only under a condition is checked as far as constants decide the condition.
    ///
    /// # Errors
    /// Every field that is unknown, missing, a constant of a wrong type, or a template that can't be compiled.
    pub fn validate_input(&self, input: &Json) -> Result<(), Vec<FieldFault>> {
        let Json::Object(given) = input else {
            return Err(vec![FieldFault::new("", "expected an object with the operation's fields")]);
        };
        let unknown = given.keys().filter(|name| !self.fields.iter().any(|field| field.name == **name));
        let mut faults: Vec<FieldFault> = unknown.map(|name| unknown_field(name, &self.fields)).collect();
        let mut known = BTreeMap::new();
        for field in &self.fields {
            match examine(field, given.get(&field.name)) {
                Ok(state) => {
                    known.insert(field.name.as_str(), state);
                }
                Err(fault) => {
                    faults.push(fault);
                    known.insert(field.name.as_str(), Known::Later);
                }
            }
        }
        for field in &self.fields {
            if is_missing(field, &known) {
                faults.push(FieldFault::missing(&field.name, "required"));
            }
        }
        if faults.is_empty() { Ok(()) } else { Err(faults) }
    }

    /// Brings the rendered input of a step into the types of the fields: defaults are filled in, fields that stand
    /// for nothing or are not shown are left out.
    ///
    /// # Errors
    /// The first field that is unknown, can't be brought into its type, or is required and missing.
    pub fn coerce(&self, rendered: Value) -> Result<Value, FieldFault> {
        if !matches!(rendered.kind(), ValueKind::Map | ValueKind::Undefined | ValueKind::None) {
            return Err(FieldFault::new("", "expected an object with the operation's fields"));
        }
        for name in rendered.try_iter().into_iter().flatten() {
            if !self.fields.iter().any(|field| Some(field.name.as_str()) == name.as_str()) {
                return Err(unknown_field(&name.to_string(), &self.fields));
            }
        }
        let mut values = Vec::with_capacity(self.fields.len());
        for field in &self.fields {
            let given = rendered.get_attr(&field.name).unwrap_or_default();
            let value = match field.coerce(&given)? {
                Some(value) => Some(value),
                None => default_of(field)?,
            };
            if let Some(value) = value {
                values.push((field.name.as_str(), value));
            }
        }
        self.keep_shown(values)
    }

    /// Leaves out what is not shown, and refuses what is required and empty.
    fn keep_shown(&self, mut values: Vec<(&str, Value)>) -> Result<Value, FieldFault> {
        let scope = Scope::new().with(Name::Input, Value::from_pairs(values.iter().cloned()));
        for field in &self.fields {
            let position = values.iter().position(|(name, _)| *name == field.name);
            if position.is_none() && !field.required && field.required_when.is_none() {
                continue;
            }
            if !holds(field, field.show_when.as_ref(), true, &scope)? {
                if let Some(position) = position {
                    values.remove(position);
                }
                continue;
            }
            if !is_empty(position.map(|position| &values[position].1)) {
                continue;
            }
            if field.required || holds(field, field.required_when.as_ref(), false, &scope)? {
                return Err(FieldFault::new(&field.name, "required, but there is no value"));
            }
        }
        Ok(Value::from_pairs(values))
    }
}

fn holds(field: &Field, condition: Option<&Expression>, otherwise: bool, scope: &Scope) -> Result<bool, FieldFault> {
    let Some(condition) = condition else { return Ok(otherwise) };
    condition.is_true(scope).map_err(|error| FieldFault::new(&field.name, error.to_string()))
}

fn default_of(field: &Field) -> Result<Option<Value>, FieldFault> {
    field.default.as_ref().map_or(Ok(None), |default| field.coerce(&from_json_value(default)))
}

fn examine(field: &Field, given: Option<&Json>) -> Result<Known, FieldFault> {
    let Some(given) = given.filter(|value| !value.is_null()) else {
        return Ok(default_of(field)?.map_or(Known::Absent, Known::Constant));
    };
    let template = Template::compile(given).map_err(|error| {
        let dot = if error.path.is_empty() || error.path.starts_with('[') { "" } else { "." };
        FieldFault::new(format!("{}{dot}{}", field.name, error.path), error.message)
    })?;
    if let Some(name) = NOT_IN_STEPS.into_iter().find(|name| template.uses(*name)) {
        let message =
            format!("a step can't see `{}`; it sees `trigger`, `trigger_meta`, `steps` and `now`", name.as_str());
        return Err(FieldFault::new(&field.name, message));
    }
    if let Some(value) = template.literal() {
        return Ok(match field.coerce(value)? {
            Some(value) => Known::Constant(value),
            None => default_of(field)?.map_or(Known::Absent, Known::Constant),
        });
    }
    // With templates inside, only the outer shape is certain.
    let fits = match (&field.kind, given) {
        (FieldType::Any, _) | (FieldType::Object, Json::Object(_)) | (FieldType::List(_), Json::Array(_)) => true,
        (FieldType::List(item), Json::Object(_)) => matches!(**item, FieldType::Object | FieldType::Any),
        (_, Json::Object(_) | Json::Array(_)) => false,
        _ => true,
    };
    if !fits {
        return Err(FieldFault::new(&field.name, format!("expected {}", described(&field.kind))));
    }
    Ok(Known::Later)
}

fn is_missing(field: &Field, known: &BTreeMap<&str, Known>) -> bool {
    let empty = match known.get(field.name.as_str()) {
        Some(Known::Later) => false,
        Some(Known::Constant(value)) => is_empty(Some(value)),
        Some(Known::Absent) | None => true,
    };
    if !empty {
        return false;
    }
    let shown = field.show_when.as_ref().map_or(Some(true), |condition| decide(condition, known));
    let required = field.required || field.required_when.as_ref().is_some_and(|when| decide(when, known) == Some(true));
    required && shown == Some(true)
}

/// Whether a condition holds, when what it looks at is known.
fn decide(condition: &Expression, known: &BTreeMap<&str, Known>) -> Option<bool> {
    for path in condition.paths() {
        let field = path.strip_prefix("input.").map(|rest| rest.split('.').next().unwrap_or(rest));
        let certain = match field {
            Some(field) => !matches!(known.get(field), Some(Known::Later)),
            None => !known.values().any(|state| matches!(state, Known::Later)),
        };
        if !certain {
            return None;
        }
    }
    let constants = known.iter().filter_map(|(name, state)| match state {
        Known::Constant(value) => Some((*name, value.clone())),
        Known::Absent | Known::Later => None,
    });
    condition.is_true(&Scope::new().with(Name::Input, Value::from_pairs(constants))).ok()
}
