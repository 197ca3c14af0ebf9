//! What is wrong with what was filled in.

/// Whether more has to be said, or something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultKind {
    /// It has to be given, but may be given later.
    Missing,
    /// What was given can't be taken.
    Wrong,
}

/// What is wrong with one field of a connection or a step.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {message}")]
pub struct FieldFault {
    /// Whether it is missing or wrong.
    pub kind: FaultKind,
    /// The field, as a path like `data.subscriptions[0].email`.
    pub field: String,
    /// What was expected; never the value of a secret.
    pub message: String,
}

impl FieldFault {
    pub(crate) fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { kind: FaultKind::Wrong, field: field.into(), message: message.into() }
    }

    pub(crate) fn missing(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { kind: FaultKind::Missing, field: field.into(), message: message.into() }
    }

    /// The same fault of a field that is a part of this one, such as `emails[0]`.
    pub(crate) fn inside(mut self, outer: &str) -> Self {
        let dot = if self.field.is_empty() || self.field.starts_with('[') { "" } else { "." };
        self.field = format!("{outer}{dot}{}", self.field);
        self
    }
}
