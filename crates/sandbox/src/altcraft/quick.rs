//! The quick import: flat parameters in the URL or the body, and an answer that is an HTTP status with a text.

use std::sync::Mutex;

use axum::http::{Method, StatusCode};
use patchbay_types::Timestamp;
use serde_json::{Map, Value, json};

use crate::altcraft::envelope::Refusal;
use crate::altcraft::import::{self, Kind};
use crate::altcraft::matching::Matching;
use crate::altcraft::parameters::{Parameters, missing, scalar_text};
use crate::altcraft::token::{self, Right};
use crate::altcraft::{Altcraft, body, fields, resources, triggers, workflows};
use crate::call::{Answer, Call};
use crate::state::lock;

pub(crate) const PATH: &str = "/api/integrations/any/profile_import";

/// The parameters that are no fields of a profile.
const OWN: [&str; 8] = ["token", "format", "db_id", "matching", "phone", "resource_id", "trigger_id", "workflow_id"];

pub(crate) fn answer(altcraft: &Mutex<Altcraft>, call: &Call, now: Timestamp) -> Answer {
    if call.method != Method::POST {
        return Answer::text(StatusCode::METHOD_NOT_ALLOWED, "Use POST");
    }
    let outcome = parameters(call).and_then(|parameters| {
        token::check(call, &parameters, Right::Change).map_err(|_| Refusal::new(403, "Invalid API key"))?;
        if parameters.get("trigger_id").or_else(|| parameters.get("workflow_id")).is_some() {
            token::check(call, &parameters, Right::Launch)?;
        }
        import(&mut lock(altcraft), parameters, now)
    });
    match outcome {
        Ok(()) => Answer::text(StatusCode::OK, "Successful operation"),
        Err(refusal) => {
            let status = StatusCode::from_u16(refusal.code()).unwrap_or(StatusCode::BAD_REQUEST);
            Answer::text(status, &refusal.to_string())
        }
    }
}

/// What the body says goes over what the URL says.
fn parameters(call: &Call) -> Result<Parameters, Refusal> {
    let mut members = form(call.query.as_bytes());
    let bytes = call.body.as_deref().unwrap_or_default();
    if body::is_form(call) && !bytes.starts_with(b"{") {
        members.extend(form(bytes));
    } else {
        members.extend(Parameters::parse(bytes, body::is_xml(call))?.into_members());
    }
    Ok(Parameters::new(members))
}

fn form(text: &[u8]) -> Map<String, Value> {
    form_urlencoded::parse(text).map(|(name, value)| (name.into_owned(), json!(value))).collect()
}

fn import(altcraft: &mut Altcraft, mut flat: Parameters, now: Timestamp) -> Result<(), Refusal> {
    let database = flat.required_integer("db_id")?;
    import::profiles(&mut altcraft.databases, database)?;
    let workflow = flat.integer("workflow_id")?;
    let trigger = flat.integer("trigger_id")?;
    if let Some(id) = workflow {
        workflows::startable(altcraft, id, &flat)?;
    }
    if let Some(id) = trigger {
        triggers::startable(altcraft, id, &flat)?;
    }

    let mut parameters = matching(&flat)?;
    let mut data = Map::new();
    if let Some(phone) = flat.text("phone")? {
        data.insert("phones".to_owned(), json!([phone]));
    }
    if let Some(id) = flat.integer("resource_id")? {
        resources::find(id)?;
        data.insert("subscriptions".to_owned(), subscriptions(&flat, id)?);
    }
    for name in OWN {
        flat.take(name);
    }
    for (name, value) in flat.into_members() {
        let value = match value {
            Value::String(text) => fields::typed(database, &name, text),
            value => value,
        };
        data.insert(name, value);
    }
    parameters.set("data", Value::Object(data));

    match (workflow, trigger) {
        (Some(id), _) => workflows::import_and_enter(altcraft, id, parameters.clone(), now)?,
        (None, Some(id)) => triggers::import_and_launch(altcraft, id, parameters, now)?,
        (None, None) => import::write(altcraft, Kind::Import, database, parameters, now)?,
    };
    Ok(())
}

/// The parameters of the search: by email, by phone, or by the field that `matching` names.
fn matching(flat: &Parameters) -> Result<Parameters, Refusal> {
    let name = flat.text("matching")?.filter(|name| !name.is_empty()).unwrap_or_else(|| "email".to_owned());
    let mut members = Map::new();
    for name in ["email", "phone"] {
        if let Some(text) = flat.text(name)? {
            members.insert(name.to_owned(), json!(text));
        }
    }
    if matches!(name.as_str(), "email" | "email_profile" | "phone") {
        members.insert("matching".to_owned(), json!(name));
        return Ok(Parameters::new(members));
    }
    if OWN.contains(&name.as_str()) || Matching::is_mode(&name) {
        return Err(Refusal::bad(format!("Incorrect request: matching {name:?} is not a field")));
    }
    let value = flat.get(&name).and_then(scalar_text).ok_or_else(|| missing(&name))?;
    members.insert("matching".to_owned(), json!("custom"));
    members.insert("field_name".to_owned(), json!(name));
    members.insert("field_value".to_owned(), json!(value));
    Ok(Parameters::new(members))
}

/// The contacts that are given, subscribed to the resource.
fn subscriptions(flat: &Parameters, resource: i64) -> Result<Value, Refusal> {
    let mut subscriptions = Vec::new();
    if let Some(email) = flat.text("email")? {
        subscriptions.push(json!({ "resource_id": resource, "channel": "email", "email": email }));
    }
    if let Some(phone) = flat.text("phone")? {
        subscriptions.push(json!({ "resource_id": resource, "channel": "sms", "phone": phone }));
    }
    Ok(Value::Array(subscriptions))
}
