//! What `data` does to a profile: plain values replace, functional updates change.

use serde_json::{Map, Number, Value, json};

use crate::altcraft::envelope::Refusal;
use crate::altcraft::matching::{is_email, is_phone};
use crate::altcraft::parameters::scalar_text;
use crate::altcraft::subscriptions;

/// Merges `data` into a profile. After a refusal the profile may be half changed: work on a copy.
pub(crate) fn merge(
    profile: &mut Map<String, Value>,
    data: Map<String, Value>,
    skip_invalid_subscriptions: bool,
) -> Result<(), Refusal> {
    for (name, value) in data {
        if name == "subscriptions" {
            subscriptions::merge(profile, value, skip_invalid_subscriptions)?;
        } else {
            change(profile, name, value)?;
        }
    }
    check_contacts(profile)
}

fn change(profile: &mut Map<String, Value>, name: String, value: Value) -> Result<(), Refusal> {
    let Some(action) = value.get("action").and_then(Value::as_str) else {
        profile.insert(name, value);
        return Ok(());
    };
    let operand = value.get("value");
    let required = || operand.cloned().ok_or_else(|| Refusal::bad(format!("Field {name}: the update has no value")));
    match action {
        "set" => {
            let operand = required()?;
            profile.insert(name, operand);
        }
        "unset" if name == "email" => return Err(Refusal::bad("Field email can not be unset")),
        "unset" => {
            profile.remove(&name);
        }
        "incr" => {
            let sum = incremented(profile.get(&name), &required()?)
                .ok_or_else(|| Refusal::bad(format!("Field {name}: only numbers can be incremented by numbers")))?;
            profile.insert(name, Value::Number(sum));
        }
        "add" => {
            let added = tags(&name, Some(&required()?))?;
            let mut kept = tags(&name, profile.get(&name))?;
            kept.extend(added.into_iter().filter(|tag| !kept.contains(tag)).collect::<Vec<_>>());
            profile.insert(name, json!(kept));
        }
        "delete" => {
            let deleted = tags(&name, Some(&required()?))?;
            let mut kept = tags(&name, profile.get(&name))?;
            kept.retain(|tag| !deleted.contains(tag));
            profile.insert(name, json!(kept));
        }
        other => return Err(Refusal::bad(format!("Field {name}: action {other:?} is unknown"))),
    }
    Ok(())
}

/// Whole numbers stay whole as long as the sum fits 64 bits. An absent number is 0.
fn incremented(current: Option<&Value>, by: &Value) -> Option<Number> {
    let zero = json!(0);
    let current = current.filter(|value| !value.is_null()).unwrap_or(&zero);
    if let (Some(current), Some(by)) = (current.as_i64(), by.as_i64())
        && let Some(sum) = current.checked_add(by)
    {
        return Some(sum.into());
    }
    Number::from_f64(current.as_f64()? + by.as_f64()?)
}

/// The strings of a field that holds one or several.
fn tags(name: &str, value: Option<&Value>) -> Result<Vec<String>, Refusal> {
    let wrong = || Refusal::bad(format!("Field {name} holds something else than strings"));
    match value {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(values)) => values.iter().map(|value| scalar_text(value).ok_or_else(wrong)).collect(),
        Some(value) => Ok(vec![scalar_text(value).ok_or_else(wrong)?]),
    }
}

fn check_contacts(profile: &Map<String, Value>) -> Result<(), Refusal> {
    match profile.get("email") {
        None | Some(Value::Null) => {}
        Some(Value::String(email)) if email.is_empty() || is_email(email) => {}
        Some(_) => return Err(Refusal::bad("Field email is not valid")),
    }
    match profile.get("phones") {
        None | Some(Value::Null) => Ok(()),
        Some(Value::Array(phones))
            if phones.iter().all(|phone| scalar_text(phone).is_some_and(|text| is_phone(&text))) =>
        {
            Ok(())
        }
        Some(_) => Err(Refusal::bad("Field phones is not a list of phones")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn merged(profile: &Value, data: &Value) -> Result<Value, Refusal> {
        let mut fields = profile.as_object().cloned().unwrap();
        merge(&mut fields, data.as_object().cloned().unwrap(), false)?;
        Ok(Value::Object(fields))
    }

    fn update(action: &str, value: &Value) -> Value {
        json!({ "x": { "action": action, "value": value } })
    }

    #[test]
    fn applies_functional_updates() {
        let cases = [
            (json!({}), update("set", &json!("a")), json!({ "x": "a" })),
            (json!({ "x": 1 }), json!({ "x": { "action": "unset" } }), json!({})),
            (json!({}), update("incr", &json!(2)), json!({ "x": 2 })),
            (json!({ "x": 5 }), update("incr", &json!(-7)), json!({ "x": -2 })),
            (json!({ "x": 1 }), update("incr", &json!(0.5)), json!({ "x": 1.5 })),
            (json!({ "x": ["a"] }), update("add", &json!(["a", "b"])), json!({ "x": ["a", "b"] })),
            (json!({}), update("add", &json!("a")), json!({ "x": ["a"] })),
            (json!({ "x": ["a", "b"] }), update("delete", &json!(["a", "c"])), json!({ "x": ["b"] })),
            (json!({ "x": 1 }), json!({ "x": { "other": 2 } }), json!({ "x": { "other": 2 } })),
        ];
        for (profile, data, expected) in cases {
            assert_eq!(merged(&profile, &data), Ok(expected), "{profile} with {data}");
        }
    }

    #[test]
    fn refuses_updates_that_do_not_fit() {
        let cases = [
            (json!({ "email": "a@b" }), json!({ "email": { "action": "unset" } })),
            (json!({ "x": "a" }), update("incr", &json!(1))),
            (json!({ "x": 1 }), update("incr", &json!("1"))),
            (json!({ "x": [{}] }), update("add", &json!(["a"]))),
            (json!({}), json!({ "x": { "action": "incr" } })),
            (json!({}), update("upsert", &json!({}))),
            (json!({}), json!({ "email": "no email" })),
            (json!({}), json!({ "email": "a@b@c" })),
            (json!({}), json!({ "phones": "+7900" })),
            (json!({}), json!({ "phones": ["none"] })),
        ];
        for (profile, data) in cases {
            assert!(merged(&profile, &data).is_err(), "{profile} with {data}");
        }
    }
}
