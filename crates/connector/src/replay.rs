//! Recorded exchanges: what a connector asks for and how it takes the answers, replayed without a network.
//!
//! A [`Recording`] is one file of `connectors/<partner>/tests/`. It names an operation, a list, a trigger or the test of
//! the connection, and holds cases: an input, the request that must come of it, the answer that the partner gives, and
//! what must become of that. [`Recording::replay`] runs them over a compiled connector.

mod answer;
mod check;
mod compare;
mod delivery;
mod document;
mod findings;
mod list;
mod operation;
mod request;
mod sign;
mod trigger;

pub use findings::{CaseReport, Mismatch};

use std::collections::BTreeMap;

use patchbay_flow::expression::{Value, from_json_value};
use serde_json::Value as Json;

use crate::{
    Connector, ManifestError,
    manifest::{closest, position::Positions, yaml},
};
use document::{CaseSection, Document};
use findings::Findings;

/// One file of recorded exchanges. Its shape is right; whether a connector keeps to it says [`Recording::replay`].
#[derive(Debug)]
pub struct Recording {
    document: Document,
    file: String,
    positions: Positions,
}

/// What the cases of a file are about.
#[derive(Debug, Clone, Copy)]
enum Target<'document> {
    Operation(&'document str),
    AllActions,
    List(&'document str),
    Trigger(&'document str),
    ConnectionTest,
}

impl Recording {
    /// Reads the YAML text of recorded exchanges.
    ///
    /// # Errors
    /// What is no YAML, unknown, missing, of the wrong type, or does not belong together, with its place.
    pub fn parse(file: &str, text: &str) -> Result<Self, Vec<ManifestError>> {
        let (document, positions) = yaml::read(file, text)?;
        let recording = Self { document, file: file.to_owned(), positions };
        let errors = check::check(&recording);
        if errors.is_empty() { Ok(recording) } else { Err(errors) }
    }

    /// Whether there is a case of the action with this key.
    #[must_use]
    pub fn covers(&self, action: &str) -> bool {
        match self.target() {
            Some(Target::Operation(key)) => key == action,
            Some(Target::AllActions) => {
                let given = |inputs: &BTreeMap<String, Json>| inputs.contains_key(action);
                given(&self.document.inputs)
                    || self.document.cases.iter().any(|case| case.input.is_some() || given(&case.inputs))
            }
            _ => false,
        }
    }

    /// Runs every case over the connector, in the order of the file.
    ///
    /// # Errors
    /// When the file is about something that the connector does not have, or its `connection` is not one of this
    /// partner.
    pub fn replay(&self, connector: &Connector) -> Result<Vec<CaseReport>, Vec<ManifestError>> {
        self.check_names(connector)?;
        let mut reports = Vec::new();
        for (index, case) in self.document.cases.iter().enumerate() {
            let path = format!("cases[{index}]");
            match self.target() {
                Some(Target::AllActions) => {
                    for action in connector.operations() {
                        reports.push(self.case(&path, case, action.key(), connector, |connection, findings| {
                            operation::replay(action, None, self.input(case, action.key()), case, connection, findings);
                        }));
                    }
                }
                Some(Target::Operation(key)) => {
                    reports.push(self.case(&path, case, key, connector, |connection, findings| {
                        if let Some(action) = connector.operation(key) {
                            operation::replay(action, None, self.input(case, key), case, connection, findings);
                        }
                    }));
                }
                Some(Target::ConnectionTest) => {
                    reports.push(self.case(&path, case, "test", connector, |connection, findings| {
                        if let Some(test) = connector.test() {
                            operation::replay(test, Some(connector), None, case, connection, findings);
                        }
                    }));
                }
                Some(Target::List(name)) => {
                    reports.push(self.case(&path, case, name, connector, |connection, findings| {
                        if let Some(list) = connector.list(name) {
                            list::replay(list, case, connection, findings);
                        }
                    }));
                }
                Some(Target::Trigger(key)) => {
                    reports.push(self.case(&path, case, key, connector, |connection, findings| {
                        if let Some(trigger) = connector.trigger(key) {
                            trigger::replay(trigger, case, connection, findings);
                        }
                    }));
                }
                None => {}
            }
        }
        Ok(reports)
    }

    fn target(&self) -> Option<Target<'_>> {
        let document = &self.document;
        let operation = document.operation.as_deref().map(Target::Operation);
        let all = document.operations.map(|_| Target::AllActions);
        let list = document.list.as_deref().map(Target::List);
        let trigger = document.trigger.as_deref().map(Target::Trigger);
        let test = document.test.filter(|test| *test).map(|_| Target::ConnectionTest);
        operation.or(all).or(list).or(trigger).or(test)
    }

    fn case(
        &self,
        path: &str,
        case: &CaseSection,
        about: &str,
        connector: &Connector,
        replay: impl FnOnce(&Value, &mut Findings<'_>),
    ) -> CaseReport {
        let mut findings = Findings::new(path, &self.positions);
        let fields: BTreeMap<String, Json> =
            self.document.connection.clone().into_iter().chain(case.connection.clone()).collect();
        match connector.validate_connection(&fields) {
            Ok(()) => {
                let connection = Json::Object(connector.with_defaults(&fields).into_iter().collect());
                replay(&from_json_value(&connection), &mut findings);
            }
            Err(faults) => {
                for fault in faults {
                    findings.add("connection", "a connection of this partner", fault.to_string());
                }
            }
        }
        findings.report(&self.file, &case.name, about)
    }

    /// The input of an action in a case: its own, the one for this action, or the file's one for this action.
    fn input<'recording>(&'recording self, case: &'recording CaseSection, key: &str) -> Option<Json> {
        let by_action = || case.inputs.get(key).or_else(|| self.document.inputs.get(key)).cloned();
        by_action().or_else(|| case.input.clone().map(Json::Object))
    }

    fn check_names(&self, connector: &Connector) -> Result<(), Vec<ManifestError>> {
        let actions = || connector.operations().iter().map(|action| action.key()).collect::<Vec<_>>();
        let unknown = match self.target() {
            Some(Target::Operation(key)) if connector.operation(key).is_none() => {
                self.unknown("operation", "action", key, &actions())
            }
            Some(Target::List(name)) if connector.list(name).is_none() => {
                let lists: Vec<_> = connector.lists().iter().map(|list| list.name()).collect();
                self.unknown("list", "list", name, &lists)
            }
            Some(Target::Trigger(key)) if connector.trigger(key).is_none() => {
                let triggers: Vec<_> = connector.triggers().iter().map(|trigger| trigger.key()).collect();
                self.unknown("trigger", "trigger", key, &triggers)
            }
            Some(Target::ConnectionTest) if connector.test().is_none() => {
                self.error("test", "the manifest has no `connection.test`")
            }
            Some(Target::AllActions) => return self.check_inputs(&actions()),
            _ => return Ok(()),
        };
        Err(vec![unknown])
    }

    fn check_inputs(&self, actions: &[&str]) -> Result<(), Vec<ManifestError>> {
        let of_file = self.document.inputs.keys().map(|key| ("inputs".to_owned(), key));
        let of_cases = self
            .document
            .cases
            .iter()
            .enumerate()
            .flat_map(|(index, case)| case.inputs.keys().map(move |key| (format!("cases[{index}].inputs"), key)));
        let unknown = of_file.chain(of_cases).filter(|(_, key)| !actions.contains(&key.as_str()));
        let errors: Vec<_> =
            unknown.map(|(path, key)| self.unknown(&format!("{path}.{key}"), "action", key, actions)).collect();
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }

    fn unknown(&self, path: &str, what: &str, name: &str, known: &[&str]) -> ManifestError {
        let hint = closest(name, known.iter().copied()).unwrap_or_else(|| match known {
            [] => format!("the manifest has no {what}"),
            known => {
                format!("there are {}", known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "))
            }
        });
        self.error(path, format!("the manifest has no {what} `{name}`")).with_hint(Some(hint))
    }

    fn error(&self, path: &str, message: impl Into<String>) -> ManifestError {
        ManifestError { path: path.to_owned(), message: message.into(), ..ManifestError::from_nowhere(&self.file) }
            .or_at(self.positions.find(path))
    }
}
