//! The short way for expressions that only walk the data, such as `trigger.contact.phones[0]`.

use minijinja::Value;

use super::scope::{Name, Scope};

/// A name and the way from it. Gives what the whole language gives for the same text, without starting its machine.
#[derive(Debug)]
pub(super) struct Path {
    root: Name,
    parts: Vec<Part>,
}

#[derive(Debug)]
enum Part {
    Key(String),
    Index(usize),
}

impl Path {
    /// Reads a text that is nothing but a path; `None` says that it needs the whole language.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (root, mut rest) = identifier(text.trim())?;
        let root = Name::parse(root)?;
        let mut parts = Vec::new();
        while !rest.is_empty() {
            if let Some(after) = rest.strip_prefix('.') {
                let (key, after) = identifier(after)?;
                parts.push(Part::Key(key.to_owned()));
                rest = after;
                continue;
            }
            let (index, after) = rest.strip_prefix('[')?.split_once(']')?;
            if index.is_empty() || !index.bytes().all(|byte| byte.is_ascii_digit()) {
                return None;
            }
            parts.push(Part::Index(index.parse().ok()?));
            rest = after;
        }
        Some(Self { root, parts })
    }

    pub(super) fn root(&self) -> Name {
        self.root
    }

    /// The path up to the first index.
    pub(super) fn keys(&self) -> String {
        let mut keys = self.root.as_str().to_owned();
        for part in &self.parts {
            let Part::Key(key) = part else { break };
            keys.push('.');
            keys.push_str(key);
        }
        keys
    }

    pub(super) fn evaluate(&self, scope: &Scope) -> Value {
        let mut value = scope.get(self.root).clone();
        for part in &self.parts {
            let next = match part {
                Part::Key(key) => value.get_attr(key),
                Part::Index(index) => value.get_item_by_index(*index),
            };
            // What is below something undefined is undefined too.
            let Ok(next) = next else { return Value::UNDEFINED };
            value = next;
        }
        value
    }
}

/// Splits the identifier off the start. Words of the language are none, so that they take the long way.
fn identifier(text: &str) -> Option<(&str, &str)> {
    let end = text.bytes().position(|byte| !(byte.is_ascii_alphanumeric() || byte == b'_')).unwrap_or(text.len());
    let (word, rest) = text.split_at(end);
    let first = word.bytes().next()?;
    (!first.is_ascii_digit()).then_some((word, rest))
}
