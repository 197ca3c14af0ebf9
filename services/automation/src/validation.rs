//! Whether a definition makes sense: what is wrong with it is never taken, what is missing only keeps it from being
//! published.

use std::collections::HashSet;

use patchbay_connector::{Catalog, FaultKind, Trigger as PartnerTrigger};
use patchbay_flow::expression::{Expression, Name};
use patchbay_types::{
    ConnectionId,
    fault::{Code, Fault},
};
use serde_json::Value;

use crate::definition::{Definition, MAX_STEPS, Step, Trigger};

/// The trigger of no partner: any body on a hook URL.
pub(crate) const WEBHOOK: &str = "webhook.received";

/// The trigger of no partner that programs fire: a CloudEvent that they publish.
pub(crate) const EVENT: &str = "event.received";

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
        if trigger.operation == WEBHOOK {
            self.examine_webhook(trigger);
        } else if trigger.operation == EVENT {
            self.examine_event(trigger);
        } else if let Some((connector, partners)) = catalog.trigger(&trigger.operation) {
            self.examine_partner_trigger(trigger, &connector.partner().key, partners);
        } else {
            self.wrong("trigger.operation", no_trigger(&trigger.operation, catalog));
            return;
        }
        if trigger.schedule.is_some() {
            self.wrong("trigger.schedule", format!("`{}` has no schedule; leave it out", trigger.operation));
        }
        if let Some(Err(message)) = trigger.filter.as_deref().map(check_expression) {
            self.wrong("trigger.filter", message);
        }
    }

    fn examine_webhook(&mut self, trigger: &Trigger) {
        if trigger.connection_id.is_some() {
            self.wrong("trigger.connection_id", format!("`{WEBHOOK}` belongs to no connection; leave it out"));
        }
        if trigger.mode.as_ref().is_some_and(|mode| mode != "webhook") {
            self.wrong("trigger.mode", format!("`{WEBHOOK}` has the mode \"webhook\" only"));
        }
        for (name, value) in trigger.parameters.iter().flatten() {
            if let Err(message) = check_parameter(name, value) {
                self.wrong(format!("trigger.parameters.{name}"), message);
            }
        }
    }

    fn examine_event(&mut self, trigger: &Trigger) {
        if trigger.connection_id.is_some() {
            self.wrong("trigger.connection_id", format!("`{EVENT}` belongs to no connection; leave it out"));
        }
        if trigger.mode.as_ref().is_some_and(|mode| mode != "broker") {
            self.wrong("trigger.mode", format!("`{EVENT}` has the mode \"broker\" only"));
        }
        let given = trigger.parameters.iter().flatten();
        for (name, value) in given {
            match name.as_str() {
                "type" | "source" | "subject" => match check_pattern(name, value) {
                    Ok(()) => {}
                    Err(message) => self.wrong(format!("trigger.parameters.{name}"), message),
                },
                _ => self.wrong(
                    format!("trigger.parameters.{name}"),
                    "unknown parameter; there are `type`, `source` and `subject`",
                ),
            }
        }
        if trigger.parameters.iter().flatten().all(|(name, _)| name != "type") {
            self.missing("trigger.parameters.type", "required");
        }
    }

    fn examine_partner_trigger(&mut self, trigger: &Trigger, partner: &str, partners: &PartnerTrigger) {
        match trigger.connection_id {
            None => self.missing("trigger.connection_id", "required"),
            Some(connection) => self.references.push(Reference {
                field: "trigger.connection_id".to_owned(),
                connection,
                partner: partner.to_owned(),
            }),
        }
        if let Some(Err(message)) = trigger.mode.as_ref().map(|mode| check_mode(mode, partners)) {
            self.wrong("trigger.mode", message);
        }
        let parameters = Value::Object(trigger.parameters.clone().unwrap_or_default());
        for fault in partners.validate_parameters(&parameters).err().into_iter().flatten() {
            self.add(fault.kind, below("trigger.parameters", &fault.field), fault.message);
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
            self.add(fault.kind, below(&format!("{path}.input"), &fault.field), fault.message);
        }
    }
}

/// How the events of a trigger come: as it says, or else as the partner's trigger prefers.
pub(crate) fn mode(trigger: &Trigger, catalog: &Catalog) -> String {
    if trigger.operation == EVENT {
        return "broker".to_owned();
    }
    let given = trigger.mode.as_ref().and_then(Value::as_str);
    let preferred = || catalog.trigger(&trigger.operation).and_then(|(_, partners)| partners.modes().first().copied());
    given.or_else(preferred).unwrap_or("webhook").to_owned()
}

fn check_mode(mode: &Value, trigger: &PartnerTrigger) -> Result<(), String> {
    if mode.get("period").is_some() {
        return Err("collecting the data of a period is not available yet".to_owned());
    }
    let modes = trigger.modes();
    if mode.as_str().is_some_and(|mode| modes.contains(&mode)) {
        return Ok(());
    }
    let modes: Vec<_> = modes.into_iter().map(|mode| format!("{mode:?}")).collect();
    Err(format!("this trigger has the mode {} only", modes.join(" or ")))
}

/// The path of a field below another one.
fn below(path: &str, field: &str) -> String {
    if field.is_empty() { path.to_owned() } else { format!("{path}.{field}") }
}

fn no_trigger(operation: &str, catalog: &Catalog) -> String {
    if operation.is_empty() {
        return "required".to_owned();
    }
    if catalog.operation(operation).is_some() {
        return format!("`{operation}` is an action and can't start an automation");
    }
    let unknown = catalog.unknown_trigger(operation);
    if unknown.contains("did you mean") {
        return unknown;
    }
    // The catalog has the triggers of partners only.
    format!("{unknown}, `{WEBHOOK}` for any webhook, and `{EVENT}` for published events")
}

fn no_action(operation: &str, catalog: &Catalog) -> String {
    if operation.is_empty() {
        return "required".to_owned();
    }
    if operation == WEBHOOK || operation == EVENT || catalog.trigger(operation).is_some() {
        return format!("`{operation}` is a trigger and can't be a step");
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

/// A text that an attribute must equal; a type may also end in `*` and then names all that begin so.
fn check_pattern(name: &str, value: &Value) -> Result<(), String> {
    let expected = || match name {
        "type" => "expected a type such as \"com.acme.created\", or the beginning of one and `*`".to_owned(),
        _ => "expected the text that it must equal".to_owned(),
    };
    let text = value.as_str().filter(|text| !text.is_empty() && text.len() <= 1_024).ok_or_else(expected)?;
    let stars = text.matches('*').count();
    if name == "type" && (stars > 1 || stars == 1 && !text.ends_with('*')) {
        return Err("a `*` stands at the end only".to_owned());
    }
    Ok(())
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
