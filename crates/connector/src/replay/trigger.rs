//! Cases of triggers: a delivery is verified, split, and becomes events.

use patchbay_flow::expression::{Value, from_json_value, to_json_value};
use patchbay_types::Timestamp;
use serde_json::Value as Json;

use super::{
    compare::{bounded, compare, quoted, shown},
    delivery,
    document::{CaseSection, DeliverySection, FiredSection},
    findings::Findings,
    operation::accept,
    sign,
};
use crate::{FieldFault, Fired, Trigger, Webhook};

pub(super) fn replay(trigger: &Trigger, case: &CaseSection, connection: &Value, findings: &mut Findings<'_>) {
    let parameters = Json::Object(case.parameters.clone().unwrap_or_default());
    let (parameters, faults) = match coerce(trigger, &parameters) {
        Ok(parameters) => (parameters, Vec::new()),
        Err(faults) => (Value::UNDEFINED, faults),
    };
    if !accept(case.fault.as_ref(), &faults, findings) {
        return;
    }
    let (Some(section), Some(now)) = (&case.delivery, delivery::now(case.now.as_deref())) else { return };
    match trigger.webhook() {
        Some(webhook) => deliver(webhook, section, case, connection, &parameters, now, findings),
        None => findings.add("delivery", "a trigger that takes webhooks", "one without `modes.webhook`"),
    }
}

fn coerce(trigger: &Trigger, parameters: &Json) -> Result<Value, Vec<FieldFault>> {
    trigger.validate_parameters(parameters)?;
    trigger.coerce_parameters(from_json_value(parameters)).map_err(|fault| vec![fault])
}

fn deliver(
    webhook: &Webhook,
    section: &DeliverySection,
    case: &CaseSection,
    connection: &Value,
    parameters: &Value,
    now: Timestamp,
    findings: &mut Findings<'_>,
) {
    let (mut headers, raw) = delivery::build(section);
    if section.sign
        && let Err(fault) = sign::sign(webhook, connection, &mut headers, &raw, now)
    {
        return findings.add("delivery.sign", "a delivery that can be signed", bounded(&fault.to_string()));
    }
    match (webhook.verify(connection, &headers, &raw, now), &case.refused) {
        (Ok(()), None) => {}
        (Ok(()), Some(part)) => return findings.add("refused", quoted(part), "a delivery that is taken"),
        (Err(refused), Some(part)) if refused.to_string().contains(part) => return,
        (Err(refused), Some(part)) => return findings.add("refused", quoted(part), quoted(&refused.to_string())),
        (Err(refused), None) => {
            return findings.add("delivery", "a delivery that is taken", format!("refused: {refused}"));
        }
    }
    let Some(body) = delivery::body(&headers, &raw) else {
        return findings.add("delivery", "a body of JSON or a form", "neither");
    };
    match webhook.fire(connection, parameters, &headers, &body) {
        Ok(fired) => check_fired(case.fired.as_deref().unwrap_or_default(), &fired, findings),
        Err(fault) => findings.add("fired", "events", bounded(&fault.to_string())),
    }
}

fn check_fired(expected: &[FiredSection], found: &[Fired], findings: &mut Findings<'_>) {
    for (index, section) in expected.iter().enumerate() {
        let path = format!("fired[{index}]");
        let Some(fired) = found.get(index) else {
            findings.add(&path, "an event", format!("{} events only", found.len()));
            continue;
        };
        if let Some(event_id) = section.event_id.as_ref().filter(|id| fired.event_id.as_ref() != Some(*id)) {
            let found = fired.event_id.as_deref().map_or_else(|| "no event id".to_owned(), quoted);
            findings.add(&format!("{path}.event_id"), quoted(event_id), found);
        }
        if let Some(payload) = &section.payload {
            let found = to_json_value(&fired.payload).unwrap_or_default();
            findings.extend(compare(&format!("{path}.payload"), payload, &found));
        }
    }
    for (index, fired) in found.iter().enumerate().skip(expected.len()) {
        let payload = to_json_value(&fired.payload).unwrap_or_default();
        findings.add("fired", "no further event", format!("event {index}: {}", shown(Some(&payload))));
    }
}
