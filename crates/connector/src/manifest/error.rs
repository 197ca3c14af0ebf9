//! What is wrong with a manifest, for the person who writes it.

use std::fmt;

use serde_saphyr::{Error, budget::BudgetBreach};

use crate::FieldType;

use super::{
    position::Position,
    yaml::{MAX_DEPTH, MAX_NODES},
};

/// The most names that a message lists.
const MAX_LISTED: usize = 20;

/// One mistake in a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManifestError {
    /// The file, as the caller named it.
    pub file: String,
    /// The line, from 1.
    pub line: Option<u64>,
    /// The column, from 1.
    pub column: Option<u64>,
    /// Where in the document, like `operations[0].fields[2].type`; empty for the whole.
    pub path: String,
    /// What was expected and what is there.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl ManifestError {
    /// About a file as a whole, with nothing said yet.
    pub(crate) fn from_nowhere(file: &str) -> Self {
        Self {
            file: file.to_owned(),
            line: None,
            column: None,
            path: String::new(),
            message: String::new(),
            hint: None,
        }
    }

    pub(super) fn from_yaml(file: &str, path: &str, error: &Error) -> Self {
        let error = error.without_snippet();
        // The value itself is looked for by its path; a key that nobody knows has no value of its own, and what is
        // missing is looked for where its parent begins, not where reading stopped.
        let is_missing = matches!(error, Error::SerdeMissingField { .. });
        let is_unknown = matches!(error, Error::SerdeUnknownField { .. });
        let location = error.location().filter(|_| is_unknown || (path.is_empty() && !is_missing));
        let (message, hint) = describe(error);
        Self {
            file: file.to_owned(),
            line: location.map(|location| location.line()),
            column: location.map(|location| location.column()),
            path: path.to_owned(),
            message,
            hint,
        }
    }

    pub(crate) fn with_hint(mut self, hint: Option<String>) -> Self {
        self.hint = hint;
        self
    }

    /// The same error with this place, unless it has one.
    pub(crate) fn or_at(mut self, position: Option<Position>) -> Self {
        if let (None, Some(position)) = (self.line, position) {
            self.line = Some(position.line);
            self.column = Some(position.column);
        }
        self
    }
}

impl fmt::Display for ManifestError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(formatter, ":{line}")?;
        }
        if let Some(column) = self.column {
            write!(formatter, ":{column}")?;
        }
        if !self.path.is_empty() {
            write!(formatter, ": {}", self.path)?;
        }
        write!(formatter, ": {}", self.message)?;
        match &self.hint {
            Some(hint) => write!(formatter, " (hint: {hint})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for ManifestError {}

fn describe(error: &Error) -> (String, Option<String>) {
    match error {
        Error::SerdeUnknownField { field, expected, .. } => {
            let hint = closest(field, expected.iter().copied());
            (format!("unknown key `{field}`, expected one of {}", list(expected)), hint)
        }
        Error::SerdeUnknownVariant { variant, expected, .. } => {
            let hint = closest(variant, expected.iter().copied());
            (format!("unknown value `{variant}`, expected one of {}", list(expected)), hint)
        }
        Error::SerdeMissingField { field, .. } => {
            let hint = format!("add `{field}: …` here, with what the format wants there");
            (format!("the key `{field}` is missing"), Some(hint))
        }
        Error::SerdeInvalidType { unexpected, expected, .. }
        | Error::SerdeInvalidValue { unexpected, expected, .. } => {
            (format!("expected {expected}, found {unexpected}"), None)
        }
        Error::DuplicateMappingKey { key: Some(key), .. } => {
            (format!("the key `{key}` is there twice"), Some("keep one of them".to_owned()))
        }
        Error::Unexpected { expected, .. } => (format!("expected {}", shape(expected)), None),
        Error::InvalidBooleanStrict { .. } => ("expected `true` or `false`".to_owned(), None),
        Error::InvalidScalar { ty, .. } => (format!("expected {}", scalar(ty)), None),
        Error::Message { msg, .. } => (msg.clone(), type_hint(msg)),
        Error::Eof { .. } => ("the file ends too early, or is empty".to_owned(), None),
        Error::UnknownAnchor { .. } => {
            let hint = "write `&name` before the value that `*name` repeats, above it";
            ("there is no anchor of this name".to_owned(), Some(hint.to_owned()))
        }
        Error::MultipleDocuments { .. } | Error::Budget { breach: BudgetBreach::Documents { .. }, .. } => (
            "there is a second document in the file".to_owned(),
            Some("remove the line `---` and what is below".to_owned()),
        ),
        Error::Budget { breach: BudgetBreach::Depth { .. }, .. } => too_deep(),
        Error::Budget { .. } => too_much(),
        other => by_words(first_line(&other.to_string())),
    }
}

/// What has no kind of its own is known by its words.
fn by_words(message: String) -> (String, Option<String>) {
    if message.starts_with("recursion limit") {
        return too_deep();
    }
    if message.starts_with("alias replay") {
        return too_much();
    }
    let hint = syntax_hint(&message);
    (message, hint)
}

fn too_deep() -> (String, Option<String>) {
    (format!("lists and maps are more than {MAX_DEPTH} deep in each other"), None)
}

fn too_much() -> (String, Option<String>) {
    let hint = "what aliases repeat counts each time";
    (format!("there are more than {MAX_NODES} values in the file"), Some(hint.to_owned()))
}

/// The type of ours for one of another language.
fn type_hint(message: &str) -> Option<String> {
    let name = message.strip_prefix("unknown type `")?.split('`').next()?;
    let ours = match name.to_ascii_lowercase().as_str() {
        "text" | "str" | "email" | "url" | "select" => "string",
        "number" | "float" | "double" | "money" => "decimal",
        "int" | "long" => "integer",
        "bool" | "checkbox" => "boolean",
        "time" | "timestamp" => "datetime",
        "map" | "dict" | "json" => "object",
        "list" | "array" => "list of any",
        "password" | "token" => "secret",
        _ => return closest(name, FieldType::NAMES),
    };
    Some(format!("write `{ours}`"))
}

/// What usually helps against what the YAML parser says.
fn syntax_hint(message: &str) -> Option<String> {
    let hints = [
        ("tabs disallowed", "indent by spaces"),
        (
            "did not find expected",
            "look for a bracket or quote above that is not closed, and put texts with `: `, `#`, `{` or `[` in quotes",
        ),
        ("mapping values are not allowed", "put texts with `: ` in quotes"),
    ];
    hints.into_iter().find(|(words, _)| message.contains(words)).map(|(_, hint)| hint.to_owned())
}

fn scalar(kind: &str) -> &str {
    match kind {
        "bool" | "boolean" => "`true` or `false`",
        kind if kind.starts_with(['u', 'i']) => "a whole number",
        kind => kind,
    }
}

fn shape(expected: &str) -> &str {
    match expected {
        "sequence start" => "a list",
        "mapping start" => "keys and values",
        "string scalar" | "string" => "a text",
        other => other,
    }
}

/// The place is told apart from the message.
fn first_line(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    line.rsplit_once(" at line ").map_or(line, |(message, _)| message).to_owned()
}

fn list(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// Names between backticks; of many only the first.
pub(crate) fn listed<'name>(names: impl IntoIterator<Item = &'name str>) -> String {
    let mut names = names.into_iter();
    let mut listed: Vec<_> = names.by_ref().take(MAX_LISTED).map(|name| format!("`{name}`")).collect();
    let more = names.count();
    if more > 0 {
        listed.push(format!("{more} more"));
    }
    listed.join(", ")
}

/// The hint that names what there is.
pub(crate) fn there_are<'name>(names: impl IntoIterator<Item = &'name str>) -> String {
    let listed = listed(names);
    if listed.is_empty() { "there are none".to_owned() } else { format!("there are {listed}") }
}

/// The hint that names what was probably meant.
pub(crate) fn closest<'name>(word: &str, names: impl IntoIterator<Item = &'name str>) -> Option<String> {
    let (distance, name) =
        names.into_iter().map(|name| (strsim::damerau_levenshtein(word, name), name)).min_by_key(|(near, _)| *near)?;
    let length = word.chars().count();
    (distance <= 1 + length / 4 && distance < length).then(|| format!("did you mean `{name}`?"))
}
