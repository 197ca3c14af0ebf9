//! What an expression can see.

use std::{fmt, sync::Arc};

use minijinja::{
    Value,
    value::{Enumerator, Object},
};

/// A name that an expression may use. This list is closed: every other name is refused when the text is compiled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Name {
    /// The fields of the connection, secrets among them.
    Connection,
    /// The input of the operation.
    Input,
    /// The item of a list or page at hand.
    Item,
    /// The partner's answer, parsed.
    Body,
    /// The partner's status code.
    Status,
    /// The partner's headers, names in lower case.
    Headers,
    /// The data of the event.
    Trigger,
    /// What is known about the event's arrival.
    TriggerMeta,
    /// Earlier steps by key, each with `output`.
    Steps,
    /// The time of the evaluation, as the caller tells it.
    Now,
    /// The answer to the test of a connection.
    Test,
}

impl Name {
    /// All of them, in the order of their declaration.
    pub const ALL: [Self; 11] = [
        Self::Connection,
        Self::Input,
        Self::Item,
        Self::Body,
        Self::Status,
        Self::Headers,
        Self::Trigger,
        Self::TriggerMeta,
        Self::Steps,
        Self::Now,
        Self::Test,
    ];

    /// The name as it is written in an expression.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Connection => "connection",
            Self::Input => "input",
            Self::Item => "item",
            Self::Body => "body",
            Self::Status => "status",
            Self::Headers => "headers",
            Self::Trigger => "trigger",
            Self::TriggerMeta => "trigger_meta",
            Self::Steps => "steps",
            Self::Now => "now",
            Self::Test => "test",
        }
    }

    /// The name that is written like this.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|name| name.as_str() == text)
    }
}

/// The values that an evaluation sees, by name; what was not put in is undefined. Cloning copies one pointer.
#[derive(Clone, Default)]
pub struct Scope(Arc<Values>);

#[derive(Clone, Default)]
struct Values([Value; Name::ALL.len()]);

impl Scope {
    /// A scope in which every name is undefined.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same scope with this value under this name.
    #[must_use]
    pub fn with(mut self, name: Name, value: Value) -> Self {
        self.set(name, value);
        self
    }

    /// Puts a value under a name. Clones of this scope keep what they had.
    pub fn set(&mut self, name: Name, value: Value) {
        Arc::make_mut(&mut self.0).0[name as usize] = value;
    }

    /// The value under a name.
    #[must_use]
    pub fn get(&self, name: Name) -> &Value {
        &self.0.0[name as usize]
    }

    pub(super) fn to_value(&self) -> Value {
        Value::from_dyn_object(Arc::clone(&self.0))
    }
}

impl Object for Values {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        Name::parse(key).map(|name| self.0[name as usize].clone())
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::NonEnumerable
    }
}

/// Says which names have a value; the values may be secret.
impl fmt::Debug for Values {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = Name::ALL.into_iter().filter(|name| !self.0[*name as usize].is_undefined());
        formatter.debug_set().entries(names).finish()
    }
}

impl fmt::Debug for Scope {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}
