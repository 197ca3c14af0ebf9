//! What `data` does to a profile: plain values replace, functional updates change.

use serde_json::{Map, Number, Value, json};

use crate::altcraft::envelope::Refusal;
use crate::altcraft::matching::{is_email, is_phone};
use crate::altcraft::parameters::scalar_text;
use crate::altcraft::subscriptions;

/// How many names a path into an object may have: deeper objects could not be written or dropped safely.
const PATH_LIMIT: usize = 16;

/// Merges `data` into a profile. After a refusal the profile may be half changed: work on a copy.
pub(crate) fn merge(
    profile: &mut Map<String, Value>,
    database: i64,
    data: Map<String, Value>,
    skip_invalid_subscriptions: bool,
) -> Result<(), Refusal> {
    for (name, value) in data {
        if name == "subscriptions" {
            subscriptions::merge(profile, database, value, skip_invalid_subscriptions)?;
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
            let (mut kept, added) = elements(&name, profile.get(&name), &required()?)?;
            kept.extend(added.into_iter().filter(|element| !kept.contains(element)).collect::<Vec<_>>());
            profile.insert(name, Value::Array(kept));
        }
        "delete" => {
            let (mut kept, deleted) = elements(&name, profile.get(&name), &required()?)?;
            kept.retain(|element| !deleted.contains(element));
            profile.insert(name, Value::Array(kept));
        }
        "upsert" => {
            let path = value.get("submatch").and_then(Value::as_str).filter(|path| !path.is_empty());
            let path = path.ok_or_else(|| Refusal::bad(format!("Field {name}: the update has no submatch")))?;
            if path.split('.').count() > PATH_LIMIT {
                return Err(Refusal::bad(format!("Field {name}: submatch has more than {PATH_LIMIT} names")));
            }
            let operand = required()?;
            let field = profile.entry(name.clone()).or_insert(Value::Null);
            upsert(field, path, operand)
                .ok_or_else(|| Refusal::bad(format!("Field {name}: there is no object to write {path} into")))?;
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

/// What a field holds and what is given for it: both tags or both objects.
fn elements(name: &str, held: Option<&Value>, given: &Value) -> Result<(Vec<Value>, Vec<Value>), Refusal> {
    let objects = |value: Option<&Value>| match value {
        None | Some(Value::Null) => Some(Vec::new()),
        Some(Value::Array(values)) if values.iter().all(Value::is_object) => Some(values.clone()),
        Some(_) => None,
    };
    if let (Some(held), Some(given)) = (objects(held), objects(Some(given))) {
        return Ok((held, given));
    }
    Ok((tags(name, held)?, tags(name, Some(given))?))
}

/// The strings of a field that holds one or several.
fn tags(name: &str, value: Option<&Value>) -> Result<Vec<Value>, Refusal> {
    let tag = |value: &Value| {
        let text = scalar_text(value).map(Value::String);
        text.ok_or_else(|| Refusal::bad(format!("Field {name} holds something else than strings")))
    };
    match value {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(values)) => values.iter().map(tag).collect(),
        Some(value) => Ok(vec![tag(value)?]),
    }
}

/// Writes into an object at a path of names with dots between; into each object of a list that has that property.
fn upsert(field: &mut Value, path: &str, operand: Value) -> Option<()> {
    let Value::Array(objects) = field else { return write_at(field, path, operand) };
    let pointer = format!("/{}", path.replace('.', "/"));
    for object in objects {
        let Value::Object(members) = &mut *object else { return None };
        if let (Value::Object(given), false) = (&operand, path.contains('.')) {
            if members.contains_key(path) {
                members.extend(given.clone());
            }
        } else if object.pointer(&pointer).is_some() {
            write_at(object, path, operand.clone())?;
        }
    }
    Some(())
}

/// Makes the objects on the way where nothing is.
fn write_at(target: &mut Value, path: &str, operand: Value) -> Option<()> {
    let mut place = target;
    for name in path.split('.') {
        if place.is_null() {
            *place = json!({});
        }
        place = place.as_object_mut()?.entry(name).or_insert(Value::Null);
    }
    *place = operand;
    Some(())
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
        merge(&mut fields, 7, data.as_object().cloned().unwrap(), false)?;
        Ok(Value::Object(fields))
    }

    fn update(action: &str, value: &Value) -> Value {
        json!({ "x": { "action": action, "value": value } })
    }

    fn upsert_of(path: &str, value: &Value) -> Value {
        json!({ "x": { "action": "upsert", "submatch": path, "value": value } })
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
            (
                json!({ "x": [{ "a": 1 }] }),
                update("add", &json!([{ "b": 2 }])),
                json!({ "x": [{ "a": 1 }, { "b": 2 }] }),
            ),
            (
                json!({ "x": [{ "a": 1 }, { "b": 2 }] }),
                update("delete", &json!([{ "a": 1 }])),
                json!({ "x": [{ "b": 2 }] }),
            ),
            (json!({ "x": { "a": 1 } }), upsert_of("b.c", &json!(2)), json!({ "x": { "a": 1, "b": { "c": 2 } } })),
            (json!({}), upsert_of("a", &json!("y")), json!({ "x": { "a": "y" } })),
            (
                json!({ "x": [{ "a": 1 }, { "b": 2 }] }),
                upsert_of("a", &json!({ "a": 3, "z": 1 })),
                json!({ "x": [{ "a": 3, "z": 1 }, { "b": 2 }] }),
            ),
            (
                json!({ "x": [{ "a": 1 }, { "b": 2 }] }),
                upsert_of("b", &json!(3)),
                json!({ "x": [{ "a": 1 }, { "b": 3 }] }),
            ),
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
            (json!({ "x": 1 }), upsert_of("a", &json!(2))),
            (json!({ "x": ["a"] }), upsert_of("a", &json!(2))),
            (json!({ "x": ["a"] }), update("add", &json!([{}]))),
            (json!({}), upsert_of(&"a.".repeat(100_000), &json!(2))),
            (json!({}), update("multiply", &json!(2))),
            (json!({}), json!({ "x": { "action": "add" } })),
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
