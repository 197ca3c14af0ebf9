//! Cases of actions, and of the test of a connection.

use patchbay_flow::expression::{Value, from_json_value, to_json_value};
use serde_json::{Map, Value as Json};

use super::{
    answer::answer,
    compare::{bounded, compare, quoted, shown},
    document::{ActionName, CaseSection, ErrorSection, FaultSection},
    findings::Findings,
    request,
};
use crate::{Action, Connector, Failure, FieldFault, Operation, Outcome};

/// The key of the step that every replayed call belongs to, as the partner's idempotency header carries it.
pub(super) const STEP_KEY: &str = "replay/step/0/1";

/// Runs one case. `of_connection` is there for the test of a connection, whose answer may name it.
pub(super) fn replay(
    operation: &Operation,
    of_connection: Option<&Connector>,
    input: Option<Json>,
    case: &CaseSection,
    connection: &Value,
    findings: &mut Findings<'_>,
) {
    let input = input.unwrap_or_else(|| Json::Object(Map::new()));
    let prepared = prepare(operation, &input);
    let (input, faults) = match prepared {
        Ok(input) => (input, Vec::new()),
        Err(faults) => (Value::UNDEFINED, faults),
    };
    if !accept(case.fault.as_ref(), &faults, findings) {
        return;
    }
    let request = match operation.request(connection, &input, STEP_KEY) {
        Ok(request) => request,
        Err(fault) => return findings.add("request", "a request", format!("none: {}", bounded(&fault.to_string()))),
    };
    if let Some(expected) = &case.request {
        request::check("request", expected, &request, findings);
    }
    let Some(response) = &case.response else { return };
    let answer = answer(response);
    let outcome = operation.interpret(connection, &input, answer.as_ref());
    check_outcome(case, &outcome, findings);
    if let (Some(expected), Some(connector), Ok(response)) = (&case.label, of_connection, &answer) {
        let found = connector.label(connection, response);
        if found.as_ref() != Some(expected) {
            findings.add("label", quoted(expected), found.as_deref().map_or_else(|| "no label".to_owned(), quoted));
        }
    }
}

fn prepare(operation: &Operation, input: &Json) -> Result<Value, Vec<FieldFault>> {
    operation.validate_input(input)?;
    operation.coerce(from_json_value(input)).map_err(|fault| vec![fault])
}

/// Whether the case goes on to a call: its input was taken, and was to be taken.
pub(super) fn accept(expected: Option<&FaultSection>, faults: &[FieldFault], findings: &mut Findings<'_>) -> bool {
    let Some(expected) = expected else {
        for fault in faults {
            findings.add("input", "an input that is taken", bounded(&fault.to_string()));
        }
        return faults.is_empty();
    };
    let fits = |fault: &FieldFault| {
        expected.field.as_ref().is_none_or(|field| fault.field == *field)
            && expected.message.as_ref().is_none_or(|message| fault.message == *message)
            && expected.message_contains.as_ref().is_none_or(|part| fault.message.contains(part))
    };
    if !faults.iter().any(fits) {
        let found: Vec<_> = faults.iter().map(|fault| bounded(&fault.to_string())).collect();
        let found = if found.is_empty() { "an input that is taken".to_owned() } else { found.join("; ") };
        findings.add("fault", told_fault(expected), found);
    }
    false
}

fn told_fault(expected: &FaultSection) -> String {
    let mut told = expected.field.clone().unwrap_or_else(|| "any field".to_owned());
    if let Some(message) = &expected.message {
        told.push_str(&format!(": {message}"));
    }
    if let Some(part) = &expected.message_contains {
        told.push_str(&format!(": …{part}…"));
    }
    told
}

fn check_outcome(case: &CaseSection, outcome: &Outcome, findings: &mut Findings<'_>) {
    match outcome {
        Outcome::Succeeded { output } => {
            let found = to_json_value(output).unwrap_or_default();
            match (&case.output, &case.error) {
                (Some(expected), _) => findings.extend(compare("output", expected, &found)),
                (None, Some(_)) => findings.add("error", "a failure", format!("the output {}", shown(Some(&found)))),
                (None, None) => {}
            }
        }
        Outcome::Failed(failure) => check_failure("output", case, failure, findings),
    }
}

/// Compares a failure with the error of the case; `instead` is the key of what was expected when there is none.
pub(super) fn check_failure(instead: &str, case: &CaseSection, failure: &Failure, findings: &mut Findings<'_>) {
    let Some(expected) = &case.error else {
        let action = told(failure.action);
        let found = format!("the failure {action}, {}: {}", failure.class, bounded(&failure.message));
        return findings.add(instead, "a success", found);
    };
    let parts = [
        ("action", expected.action.map(|action| action.told()), told(failure.action)),
        ("class", expected.class.map(|class| class.name().to_owned()), failure.class.name().to_owned()),
        ("message", expected.message.as_deref().map(quoted), quoted(&failure.message)),
        ("known", expected.known.map(|known| known.to_string()), failure.known.to_string()),
        ("after", told_after(expected), told_wait(failure.action)),
        ("status", expected.status.map(|status| status.to_string()), told_status(failure)),
    ];
    for (name, expected, found) in parts {
        if let Some(expected) = expected.filter(|expected| *expected != found) {
            findings.add(&format!("error.{name}"), expected, found);
        }
    }
    if let Some(part) = &expected.message_contains
        && !failure.message.contains(part)
    {
        findings.add("error.message_contains", format!("a message with {}", quoted(part)), quoted(&failure.message));
    }
}

fn told_after(expected: &ErrorSection) -> Option<String> {
    expected.after.map(|after| format!("{:?}", after.0))
}

fn told_wait(action: Action) -> String {
    match action {
        Action::RateLimited { after: Some(after) } => format!("{after:?}"),
        _ => "no word about when".to_owned(),
    }
}

fn told_status(failure: &Failure) -> String {
    failure.partner_status.map_or_else(|| "no answer".to_owned(), |status| status.to_string())
}

fn told(action: Action) -> String {
    match action {
        Action::Fail => ActionName::Fail,
        Action::Retry => ActionName::Retry,
        Action::RateLimited { .. } => ActionName::RateLimited,
        Action::Reauthorize => ActionName::Reauthorize,
    }
    .told()
}

impl ActionName {
    fn told(self) -> String {
        match self {
            Self::Fail => "fail",
            Self::Retry => "retry",
            Self::RateLimited => "rate_limited",
            Self::Reauthorize => "reauthorize",
        }
        .to_owned()
    }
}
