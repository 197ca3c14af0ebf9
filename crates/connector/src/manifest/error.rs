//! What is wrong with a manifest, for the person who writes it.

use std::fmt;

use serde_saphyr::Error;

use super::position::Position;

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
    pub(super) fn from_yaml(file: &str, path: &str, error: &Error) -> Self {
        let error = error.without_snippet();
        // What is missing is looked for where its parent begins, not where reading stopped.
        let missing = matches!(error, Error::SerdeMissingField { .. });
        let location = error.location().filter(|_| !missing || path.is_empty());
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
    pub(super) fn or_at(mut self, position: Option<Position>) -> Self {
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
        Error::SerdeMissingField { field, .. } => (format!("the key `{field}` is missing"), None),
        Error::SerdeInvalidType { unexpected, expected, .. }
        | Error::SerdeInvalidValue { unexpected, expected, .. } => {
            (format!("expected {expected}, found {unexpected}"), None)
        }
        Error::DuplicateMappingKey { key: Some(key), .. } => (format!("the key `{key}` is there twice"), None),
        Error::InvalidScalar { ty, .. } => (format!("expected {}", scalar(ty)), None),
        Error::Message { msg, .. } => (msg.clone(), None),
        other => (first_line(&other.to_string()), None),
    }
}

fn scalar(kind: &str) -> &str {
    match kind {
        "bool" => "`true` or `false`",
        kind if kind.starts_with(['u', 'i']) => "a whole number",
        kind => kind,
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

/// The hint that names what was probably meant.
pub(crate) fn closest<'name>(word: &str, names: impl IntoIterator<Item = &'name str>) -> Option<String> {
    let (distance, name) =
        names.into_iter().map(|name| (strsim::damerau_levenshtein(word, name), name)).min_by_key(|(near, _)| *near)?;
    (distance <= 1 + word.chars().count() / 4).then(|| format!("did you mean `{name}`?"))
}
