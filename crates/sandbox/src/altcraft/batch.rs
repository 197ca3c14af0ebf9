//! Batches: one mode of matching for all, a result for each.

use serde_json::{Map, Value};

use crate::altcraft::envelope::{Refusal, Success};
use crate::altcraft::import::Person;
use crate::altcraft::matching::Matching;
use crate::altcraft::parameters::{Parameters, missing, scalar_text};

/// The parameters that hold for all items.
const SHARED: [&str; 10] = [
    "matching",
    "field_name",
    "resource_id",
    "skip_triggers",
    "skip_invalid_subscriptions",
    "detect_geo",
    "add_to_segments",
    "remove_from_segments",
    "subscription_filter",
    "timeout",
];

/// Values to match by that are no fields of a profile. The email is one, and stays.
const MATCH_VALUES: [&str; 5] = ["phone", "profile_id", "provider", "subscription_id", "field_value"];

/// How the items stand in `data`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// The fields of a profile, the value to match by among them.
    Flat,
    /// `{"data": {…}}` around those; the value to match by may stand in or beside it.
    Wrapped,
    /// Only the value to match by.
    Match,
}

/// A batch, read as far as it concerns all items.
#[derive(Debug)]
pub(crate) struct Batch {
    shared: Parameters,
    items: Vec<Value>,
    form: Form,
}

impl Batch {
    pub(crate) fn read(mut parameters: Parameters, form: Form) -> Result<Self, Refusal> {
        Matching::check_mode(&parameters)?;
        parameters.integers("add_to_segments")?;
        parameters.integers("remove_from_segments")?;
        let items = parameters.take_items("data")?;
        let mut members = parameters.into_members();
        members.retain(|name, _| SHARED.contains(&name.as_str()));
        Ok(Self { shared: Parameters::new(members), items, form })
    }

    /// The parameters of each item, as if it came alone.
    pub(crate) fn into_items(self) -> impl Iterator<Item = Result<Parameters, Refusal>> {
        let Self { shared, items, form } = self;
        items.into_iter().map(move |item| {
            let Value::Object(item) = item else {
                return Err(Refusal::bad("Incorrect request: the item is not an object"));
            };
            match form {
                Form::Flat => Ok(flat(shared.clone(), item)),
                Form::Wrapped => wrapped(shared.clone(), item),
                Form::Match => Ok(merged(shared.clone(), item)),
            }
        })
    }
}

/// The results of a batch, in the order of its items.
pub(crate) fn results(outcomes: impl Iterator<Item = Result<Person, Refusal>>) -> Success {
    let results = outcomes.map(|outcome| match outcome {
        Ok(person) => person.into_success().into_value(),
        Err(refusal) => refusal.value(),
    });
    Success::new([("result", results.collect())])
}

fn flat(mut parameters: Parameters, mut data: Map<String, Value>) -> Parameters {
    for name in MATCH_VALUES {
        if let Some(value) = data.remove(name) {
            parameters.set(name, value);
        }
    }
    if let Some(email) = data.get("email") {
        parameters.set("email", email.clone());
    }
    if parameters.get("phone").is_none()
        && let Some(phone) = data.get("phones").and_then(|phones| phones.get(0))
    {
        parameters.set("phone", phone.clone());
    }
    let field = parameters.get("field_name").and_then(scalar_text);
    if parameters.get("field_value").is_none()
        && let Some(value) = field.and_then(|name| data.get(&name))
    {
        parameters.set("field_value", value.clone());
    }
    parameters.set("data", Value::Object(data));
    parameters
}

fn wrapped(parameters: Parameters, mut item: Map<String, Value>) -> Result<Parameters, Refusal> {
    let Some(Value::Object(mut data)) = item.remove("data") else { return Err(missing("data")) };
    // The documentation's own examples write a single phone here.
    if let Some(phone @ Value::String(_)) = data.get_mut("phones") {
        *phone = Value::Array(vec![phone.take()]);
    }
    item.retain(|name, _| name == "email" || MATCH_VALUES.contains(&name.as_str()));
    Ok(merged(flat(parameters, data), item))
}

fn merged(mut parameters: Parameters, item: Map<String, Value>) -> Parameters {
    for (name, value) in item {
        parameters.set(&name, value);
    }
    parameters
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn items(form: Form, batch: Value) -> Vec<Result<Value, Refusal>> {
        let Value::Object(members) = batch else { panic!("{batch} is no object") };
        let batch = Batch::read(Parameters::new(members), form).unwrap();
        batch.into_items().map(|item| item.map(|parameters| Value::Object(parameters.into_members()))).collect()
    }

    #[test]
    fn takes_values_to_match_by_from_where_they_stand() {
        let flat = json!({
            "token": "t", "content": {}, "matching": "custom", "field_name": "CRM_ID", "skip_triggers": true,
            "data": [{ "CRM_ID": "A", "email": "a@b", "phones": ["1"] }, { "profile_id": "x", "field_value": "B" }, 7],
        });
        let shared = json!({ "matching": "custom", "field_name": "CRM_ID", "skip_triggers": true });
        let mut first = shared.clone();
        first["email"] = json!("a@b");
        first["phone"] = json!("1");
        first["field_value"] = json!("A");
        first["data"] = json!({ "CRM_ID": "A", "email": "a@b", "phones": ["1"] });
        let mut second = shared;
        second["profile_id"] = json!("x");
        second["field_value"] = json!("B");
        second["data"] = json!({});
        let third = Refusal::bad("Incorrect request: the item is not an object");
        assert_eq!(items(Form::Flat, flat), [Ok(first), Ok(second), Err(third)]);

        let wrapped = json!({
            "data": [{ "data": { "email": "a@b", "phones": "1" } }, { "email": "c@d", "data": {} }, { "email": "e@f" }],
        });
        let first = json!({ "email": "a@b", "phone": "1", "data": { "email": "a@b", "phones": ["1"] } });
        let second = json!({ "email": "c@d", "data": {} });
        assert_eq!(items(Form::Wrapped, wrapped), [Ok(first), Ok(second), Err(missing("data"))]);
    }
}
