//! What was found in files, for people and for programs.

use std::{fmt::Write, path::Path};

use patchbay_connector::{CaseReport, ManifestError, Mismatch};
use serde::Serialize;

use crate::{failure::Failure, output};

/// All files that a command looked at.
#[derive(Debug, Default, Serialize)]
pub(super) struct Report {
    pub(super) files: Vec<FileReport>,
}

/// One file.
#[derive(Debug, Serialize)]
pub(super) struct FileReport {
    pub(super) file: String,
    pub(super) errors: Vec<Finding>,
    pub(super) warnings: Vec<Finding>,
    /// How many recorded cases were replayed; none for a manifest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cases: Option<usize>,
}

/// One thing that a person should look at.
#[derive(Debug, Serialize)]
pub(super) struct Finding {
    line: Option<u64>,
    column: Option<u64>,
    path: String,
    message: String,
    hint: Option<String>,
    /// What stands on lines of its own for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    expected: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    found: Option<String>,
}

impl FileReport {
    pub(super) fn new(file: &Path) -> Self {
        Self { file: file.display().to_string(), errors: Vec::new(), warnings: Vec::new(), cases: None }
    }

    pub(super) fn with_errors(mut self, errors: Vec<ManifestError>) -> Self {
        self.errors.extend(errors.into_iter().map(Finding::from));
        self
    }

    pub(super) fn with_warnings(mut self, warnings: Vec<ManifestError>) -> Self {
        self.warnings.extend(warnings.into_iter().map(Finding::from));
        self
    }

    pub(super) fn with_cases(mut self, cases: Vec<CaseReport>) -> Self {
        self.cases = Some(cases.len());
        for case in cases {
            let findings = case.mismatches.into_iter().map(|it| Finding::of(&case.name, &case.about, it));
            self.errors.extend(findings);
        }
        self
    }
}

impl From<ManifestError> for Finding {
    fn from(error: ManifestError) -> Self {
        let ManifestError { line, column, path, message, hint, .. } = error;
        Self { line, column, path, message, hint, expected: None, found: None }
    }
}

impl Finding {
    fn of(case: &str, about: &str, mismatch: Mismatch) -> Self {
        let Mismatch { line, column, path, expected, found, .. } = mismatch;
        let message = format!("`{case}` of `{about}` is not as recorded");
        Self { line, column, path, message, hint: None, expected: Some(expected), found: Some(found) }
    }

    /// `file:line:column: path: message`, and what belongs to it on lines below.
    fn told(&self, file: &str, label: &str) -> String {
        let mut text = file.to_owned();
        for number in [self.line, self.column].into_iter().flatten() {
            // Writing into a string can't fail.
            let _ = write!(text, ":{number}");
        }
        text.push_str(": ");
        if !self.path.is_empty() {
            text.push_str(&one_line(&self.path));
            text.push_str(": ");
        }
        let _ = writeln!(text, "{label}{}", one_line(&self.message));
        let below = [("hint: ", &self.hint), ("  expected: ", &self.expected), ("  found:    ", &self.found)];
        for (label, value) in below {
            if let Some(value) = value {
                // Indented, so that no value of a file passes for a line of ours.
                let _ = writeln!(text, "{label}{}", value.replace('\n', "\n    "));
            }
        }
        text.retain(|character| character == '\n' || !character.is_control());
        text
    }
}

impl Report {
    pub(super) fn errors(&self) -> usize {
        self.files.iter().map(|file| file.errors.len()).sum()
    }

    pub(super) fn warnings(&self) -> usize {
        self.files.iter().map(|file| file.warnings.len()).sum()
    }

    pub(super) fn cases(&self) -> usize {
        self.files.iter().filter_map(|file| file.cases).sum()
    }

    /// Prints it, then the summary. Errors make the command fail with the summary.
    pub(super) fn end(&self, json: bool, summary: &str, is_fine: bool) -> Result<(), Failure> {
        if json {
            output::print_json(self)?;
        } else {
            output::print(&self.told())?;
        }
        match is_fine {
            false => Err(Failure::Failed(anyhow::anyhow!("{summary}"))),
            true if json => Ok(()),
            true => output::print(&format!("{summary}\n")),
        }
    }

    fn told(&self) -> String {
        let mut text = String::new();
        for file in &self.files {
            file.errors.iter().for_each(|error| text.push_str(&error.told(&file.file, "")));
            file.warnings.iter().for_each(|warning| text.push_str(&warning.told(&file.file, "warning: ")));
        }
        text
    }
}

/// Keys and values of a file may hold line breaks.
fn one_line(text: &str) -> String {
    text.chars().map(|character| if character.is_control() { ' ' } else { character }).collect()
}

/// `1 error`, `2 errors`.
pub(super) fn counted(number: usize, one: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {one}s") }
}
