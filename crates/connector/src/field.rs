//! Fields that people fill in.

mod coerce;
mod email;
mod fault;
mod kind;
mod moment;
mod validation;

use std::borrow::Cow;

use patchbay_flow::expression::{Error, Expression, Name, Scope, Value, to_text};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::manifest::listed;

pub use fault::{FaultKind, FieldFault};
pub use kind::FieldType;
pub(crate) use validation::Validation;

/// One of the values that a field may take.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Choice {
    /// The value itself.
    pub value: String,
    /// What people read; the value when empty.
    #[serde(default)]
    pub label: String,
}

/// A field of a connection, of an operation or of a row.
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
    pub(crate) list: Option<String>,
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

    /// The only values it takes; empty when there is no such list, or when the account decides.
    #[must_use]
    pub fn options(&self) -> &[Choice] {
        &self.options
    }

    /// The name of the list that its values are chosen from.
    #[must_use]
    pub fn list(&self) -> Option<&str> {
        self.list.as_deref()
    }

    /// Whether it is shown over this input, as far as that is filled in.
    #[must_use]
    pub fn is_shown(&self, input: &Value) -> bool {
        self.shown(&Scope::new().with(Name::Input, input.clone())).unwrap_or(true)
    }

    /// Whether it must be given over this input when it is shown.
    #[must_use]
    pub fn is_required(&self, input: &Value) -> bool {
        self.wanted(&Scope::new().with(Name::Input, input.clone())).unwrap_or(self.required)
    }

    pub(crate) fn shown(&self, scope: &Scope) -> Result<bool, Error> {
        self.show_when.as_ref().map_or(Ok(true), |condition| condition.is_true(scope))
    }

    pub(crate) fn wanted(&self, scope: &Scope) -> Result<bool, Error> {
        let Some(condition) = self.required_when.as_ref().filter(|_| !self.required) else { return Ok(self.required) };
        condition.is_true(scope)
    }

    /// Whether there is a condition that only the other values decide.
    pub(crate) fn has_conditions(&self) -> bool {
        self.show_when.is_some() || self.required_when.is_some()
    }

    /// Brings a value into this field's type; `None` when it stands for nothing.
    ///
    /// # Errors
    /// When it can't be brought into the type, or is none of the values that the field takes.
    pub fn coerce(&self, value: &Value) -> Result<Option<Value>, FieldFault> {
        let coerced = coerce::coerce(&self.kind, value).map_err(|message| FieldFault::new(&self.name, message))?;
        if let Some(value) = &coerced {
            self.check(value).map_err(|message| FieldFault::new(&self.name, message))?;
        }
        Ok(coerced)
    }

    /// Whether it has not been filled in.
    pub(crate) fn is_empty(&self, value: Option<&Value>) -> bool {
        let Some(value) = value.filter(|value| !value.is_undefined()) else { return true };
        if value.is_none() {
            self.kind != FieldType::NullableBoolean
        } else {
            value.as_str().is_some_and(str::is_empty)
        }
    }

    fn check(&self, value: &Value) -> Result<(), String> {
        if !self.options.is_empty() {
            self.check_choice(value)?;
        }
        self.validate.as_ref().map_or(Ok(()), |validation| validation.check(value))
    }

    fn check_choice(&self, value: &Value) -> Result<(), String> {
        if matches!(self.kind, FieldType::List(_)) {
            for (index, item) in value.try_iter().into_iter().flatten().enumerate() {
                self.check_one_choice(&item).map_err(|message| format!("item {index}: {message}"))?;
            }
            return Ok(());
        }
        self.check_one_choice(value)
    }

    fn check_one_choice(&self, value: &Value) -> Result<(), String> {
        let text = value.as_str().map_or_else(|| Cow::Owned(to_text(value).unwrap_or_default()), Cow::Borrowed);
        if text.is_empty() || self.options.iter().any(|choice| choice.value == text) {
            return Ok(());
        }
        let known = listed(self.options.iter().map(|choice| choice.value.as_str()));
        Err(format!("expected one of {known}, found {}", coerce::shown(&text)))
    }
}
