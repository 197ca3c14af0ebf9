//! What a replay found out.

use std::fmt;

use super::compare::Difference;
use crate::manifest::position::Positions;

/// The most mismatches of one case that are told.
const MAX_MISMATCHES: usize = 20;

/// How one case went; fine when nothing mismatches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseReport {
    /// What the file calls the case.
    pub name: String,
    /// The action, list or trigger that it is about; `test` for the test of the connection.
    pub about: String,
    /// What is not as the file says.
    pub mismatches: Vec<Mismatch>,
}

/// One place where the connector does not do what the file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// The file, as the caller named it.
    pub file: String,
    /// The line of what was expected, from 1.
    pub line: Option<u64>,
    /// Its column, from 1.
    pub column: Option<u64>,
    /// Where in the file, down into the value: `cases[0].request.json.email`.
    pub path: String,
    /// What the file says; JSON, where it is a value.
    pub expected: String,
    /// What the connector does.
    pub found: String,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: expected {}, found {}", self.path, self.expected, self.found)
    }
}

impl CaseReport {
    /// Whether all is as the file says.
    #[must_use]
    pub fn is_fine(&self) -> bool {
        self.mismatches.is_empty()
    }
}

/// Collects the mismatches of one case. Paths are those below the case.
pub(super) struct Findings<'recording> {
    case: &'recording str,
    positions: &'recording Positions,
    mismatches: Vec<Mismatch>,
    left_out: usize,
}

impl<'recording> Findings<'recording> {
    pub(super) fn new(case: &'recording str, positions: &'recording Positions) -> Self {
        Self { case, positions, mismatches: Vec::new(), left_out: 0 }
    }

    pub(super) fn add(&mut self, path: &str, expected: impl Into<String>, found: impl Into<String>) {
        if self.mismatches.len() == MAX_MISMATCHES {
            self.left_out += 1;
            return;
        }
        let path = format!("{}.{path}", self.case);
        let position = self.positions.find(&path);
        self.mismatches.push(Mismatch {
            file: String::new(),
            line: position.map(|position| position.line),
            column: position.map(|position| position.column),
            path,
            expected: expected.into(),
            found: found.into(),
        });
    }

    pub(super) fn extend(&mut self, differences: Vec<Difference>) {
        for difference in differences {
            self.add(&difference.path, difference.expected, difference.found);
        }
    }

    pub(super) fn report(mut self, file: &str, name: &str, about: &str) -> CaseReport {
        if let (Some(last), 1..) = (self.mismatches.last_mut(), self.left_out) {
            last.found = format!("{} (and {} more mismatches)", last.found, self.left_out);
        }
        for mismatch in &mut self.mismatches {
            file.clone_into(&mut mismatch.file);
        }
        CaseReport { name: name.to_owned(), about: about.to_owned(), mismatches: self.mismatches }
    }
}
