//! Whether a definition makes sense: what is wrong with it is never taken, what is missing only keeps it from being
//! published.

use std::collections::HashSet;

use patchbay_connector::{Catalog, FaultKind};
use patchbay_flow::expression::{Expression, Name};
use patchbay_types::{
    ConnectionId,
    fault::{Code, Fault},
};
use serde_json::Value;

use crate::definition::{Definition, MAX_STEPS, Step, Trigger};

/// The only trigger there is: any body on a hook URL.
pub(crate) const WEBHOOK: &str = "webhook.received";

/// Names that a trigger's expressions can see.
const TRIGGER_NAMES: [Name; 3] = [Name::Trigger, Name::TriggerMeta, Name::Now];

/// One thing that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) kind: FaultKind,
    /// Where, like `steps[0].input.email`.
    pub(crate) field: String,
    pub(crate) message: String,
}

/// A connection that a step names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reference {
    pub(crate) field: String,
    pub(crate) connection: ConnectionId,
    /// Whose connection it must be.
    pub(crate) partner: String,
}

/// What can be said about a definition without asking anybody.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) findings: Vec<Finding>,
    /// The connections that are yet to be looked up.
    pub(crate) references: Vec<Reference>,
}

impl Report {
    /// Examines a definition.
    pub(crate) fn of(definition: &Definition, catalog: &Catalog) -> Self {
        let mut report = Self::default();
        if definition.name.is_missing() {
            report.wrong("name", "required");
        }
        report.examine_trigger(&definition.trigger, catalog);
        if definition.steps.is_empty() {
            report.missing("steps", "an automation needs at least one step");
        }
        if definition.steps.len() > MAX_STEPS {
            report.wrong("steps", format!("expected {MAX_STEPS} steps at the most, found {}", definition.steps.len()));
            return report;
        }
        let mut keys = HashSet::new();
        for (index, step) in definition.steps.iter().enumerate() {
            let path = format!("steps[{index}]");
            if step.key.is_missing() {
                report.wrong(format!("{path}.key"), "required");
            } else if !keys.insert(&step.key) {
                report.wrong(format!("{path}.key"), format!("another step has the key `{}`", step.key.as_str()));
            }
            report.examine_step(&path, step, catalog);
        }
        report
    }

    /// The first thing that is wrong, as an answer to who sent the definition.
    pub(crate) fn refusal_of_draft(&self) -> Option<Fault> {
        let wrong = self.findings.iter().find(|finding| finding.kind == FaultKind::Wrong)?;
        Some(Fault::invalid(&wrong.message).with_field(&wrong.field))
    }

    /// The first thing that keeps it from being published.
    pub(crate) fn refusal_of_publish(&self) -> Option<Fault> {
        let first = self.findings.first()?;
        let message = match first.kind {
            FaultKind::Missing => format!("not complete: {}", first.message),
            FaultKind::Wrong => first.message.clone(),
        };
        Some(Fault::new(Code::FailedPrecondition, message).with_field(&first.field))
    }

    pub(crate) fn wrong(&mut self, field: impl Into<String>, message: impl Into<String>) {
        self.add(FaultKind::Wrong, field, message);
    }

    fn missing(&mut self, field: impl Into<String>, message: impl Into<String>) {
        self.add(FaultKind::Missing, field, message);
    }

    fn add(&mut self, kind: FaultKind, field: impl Into<String>, message: impl Into<String>) {
        self.findings.push(Finding { kind, field: field.into(), message: message.into() });
    }

    fn examine_trigger(&mut self, trigger: &Trigger, catalog: &Catalog) {
        if trigger.operation != WEBHOOK {
            self.wrong("trigger.operation", no_trigger(&trigger.operation, catalog));
            return;
        }
        if trigger.connection_id.is_some() {
            self.wrong("trigger.connection_id", format!("`{WEBHOOK}` belongs to no connection; leave it out"));
        }
        if trigger.mode.as_ref().is_some_and(|mode| mode != "webhook") {
            self.wrong("trigger.mode", format!("`{WEBHOOK}` has the mode \"webhook\" only"));
        }
        if trigger.schedule.is_some() {
            self.wrong("trigger.schedule", format!("`{WEBHOOK}` has no schedule; leave it out"));
        }
        if let Some(Err(message)) = trigger.filter.as_deref().map(check_expression) {
            self.wrong("trigger.filter", message);
        }
        for (name, value) in trigger.parameters.iter().flatten() {
            if let Err(message) = check_parameter(name, value) {
                self.wrong(format!("trigger.parameters.{name}"), message);
            }
        }
    }

    fn examine_step(&mut self, path: &str, step: &Step, catalog: &Catalog) {
        let Some((connector, operation)) = catalog.operation(&step.operation) else {
            self.wrong(format!("{path}.operation"), no_action(&step.operation, catalog));
            return;
        };
        match step.connection_id {
            None => self.missing(format!("{path}.connection_id"), "required"),
            Some(connection) => self.references.push(Reference {
                field: format!("{path}.connection_id"),
                connection,
                partner: connector.partner().key.clone(),
            }),
        }
        let input = Value::Object(step.input.clone().unwrap_or_default());
        for fault in operation.validate_input(&input).err().into_iter().flatten() {
            let dot = if fault.field.is_empty() { "" } else { "." };
            self.add(fault.kind, format!("{path}.input{dot}{}", fault.field), fault.message);
        }
    }
}

fn no_trigger(operation: &str, catalog: &Catalog) -> String {
    if operation.is_empty() {
        return "required".to_owned();
    }
    if catalog.operation(operation).is_some() {
        return format!("`{operation}` is an action and can't start an automation; `{WEBHOOK}` can");
    }
    let operation: String = operation.chars().take(100).collect();
    format!("the trigger `{operation}` is not available yet; there is `{WEBHOOK}`")
}

fn no_action(operation: &str, catalog: &Catalog) -> String {
    if operation.is_empty() {
        return "required".to_owned();
    }
    if operation == WEBHOOK {
        return format!("`{WEBHOOK}` is a trigger and can't be a step");
    }
    if operation.starts_with("tool.") {
        let operation: String = operation.chars().take(100).collect();
        return format!("the tool `{operation}` is not available yet; steps are actions of partners");
    }
    catalog.unknown_operation(operation)
}

fn check_expression(text: &str) -> Result<(), String> {
    let expression = Expression::compile(text).map_err(|error| error.to_string())?;
    let foreign = Name::ALL.into_iter().find(|name| !TRIGGER_NAMES.contains(name) && expression.uses(*name));
    foreign.map_or(Ok(()), |name| {
        let known = TRIGGER_NAMES.map(|name| format!("`{}`", name.as_str())).join(", ");
        Err(format!("a trigger can't see `{}`; it sees {known}", name.as_str()))
    })
}

/// `dedupe` is `auto`, `off`, or the expression that gives the event id.
fn check_parameter(name: &str, value: &Value) -> Result<(), String> {
    if name != "dedupe" {
        return Err("unknown parameter; there is `dedupe`".to_owned());
    }
    match value.as_str() {
        Some("auto" | "off") => Ok(()),
        Some(expression) => check_expression(expression)
            .map_err(|message| format!("expected \"auto\", \"off\" or an expression; {message}")),
        None => Err("expected \"auto\", \"off\" or an expression".to_owned()),
    }
}
