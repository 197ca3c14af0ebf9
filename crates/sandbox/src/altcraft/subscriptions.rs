//! The subscriptions of a profile.

use serde_json::{Map, Value, json};

use crate::altcraft::envelope::Refusal;
use crate::altcraft::matching::{is_email, is_phone};
use crate::altcraft::parameters::scalar_text;
use crate::altcraft::resources::{self, Resource};

/// The words for a status; a number is the place in this list.
const STATUSES: [&str; 7] =
    ["subscribed", "unsubscribed", "complained", "hardbounced", "unconfirmed", "suspended", "invalid"];

const CHANNELS: [&str; 7] = ["email", "sms", "push", "notify", "viber", "whatsapp", "telegram_bot"];

/// What makes two subscriptions the same one.
const IDENTITY: [&str; 7] = ["resource_id", "channel", "email", "phone", "provider", "subscription_id", "cc_data"];

/// Merges the subscriptions of `data`: a known one takes the given members, another is added.
pub(crate) fn merge(
    profile: &mut Map<String, Value>,
    database: i64,
    value: Value,
    skip_invalid: bool,
) -> Result<(), Refusal> {
    let Value::Array(given) = value else { return Err(Refusal::bad("Field subscriptions is not a list")) };
    for (position, subscription) in given.into_iter().enumerate() {
        match read(database, subscription) {
            Ok(subscription) => put(profile, subscription),
            Err(_) if skip_invalid => {}
            Err(reason) => return Err(Refusal::bad(format!("Subscription {position} is not valid: {reason}"))),
        }
    }
    Ok(())
}

/// Merges one subscription, and gives it as it was written.
pub(crate) fn set(profile: &mut Map<String, Value>, database: i64, given: Value) -> Result<(), Refusal> {
    let subscription = read(database, given).map_err(|reason| Refusal::bad(format!("Incorrect request: {reason}")))?;
    put(profile, subscription);
    Ok(())
}

/// Makes sure that there is a subscription with these members, in the resource if there is one.
pub(crate) fn ensure(profile: &mut Map<String, Value>, wanted: Value, resource: Option<i64>) {
    let Value::Object(mut wanted) = wanted else { return };
    if let Some(resource) = resource {
        wanted.insert("resource_id".to_owned(), json!(resource));
    }
    let has_all = |present: &Value| wanted.iter().all(|(name, value)| present.get(name) == Some(value));
    let present = profile.get("subscriptions").and_then(Value::as_array);
    if present.is_some_and(|subscriptions| subscriptions.iter().any(has_all)) {
        return;
    }
    put(profile, wanted);
}

fn put(profile: &mut Map<String, Value>, mut subscription: Map<String, Value>) {
    let mut subscriptions = match profile.remove("subscriptions") {
        Some(Value::Array(subscriptions)) => subscriptions,
        _ => Vec::new(),
    };
    let is_same = |present: &&mut Value| IDENTITY.iter().all(|name| present.get(*name) == subscription.get(*name));
    if let Some(Value::Object(present)) = subscriptions.iter_mut().find(is_same) {
        present.extend(subscription);
    } else {
        subscription.entry("status").or_insert_with(|| json!(STATUSES[0]));
        subscriptions.push(Value::Object(subscription));
    }
    profile.insert("subscriptions".to_owned(), Value::Array(subscriptions));
}

/// A subscription in one form: contacts flat, the resource a number, the channel named, the status a word.
fn read(database: i64, value: Value) -> Result<Map<String, Value>, &'static str> {
    let Value::Object(mut subscription) = value else { return Err("not an object") };
    flatten(&mut subscription, "email_data", "email");
    flatten(&mut subscription, "phone_data", "phone");
    let resource = resource(database, &subscription)?;
    let channel = channel(&subscription)?;
    if !resource.channels.contains(&channel) {
        return Err("the resource does not have this channel");
    }
    check_contact(channel, &subscription)?;
    check_rest(&subscription)?;
    subscription.insert("resource_id".to_owned(), json!(resource.id));
    subscription.insert("channel".to_owned(), json!(channel));
    if let Some(given) = subscription.get("status") {
        let word = status(given).ok_or("status is unknown")?;
        subscription.insert("status".to_owned(), json!(word));
    }
    Ok(subscription)
}

/// Takes a contact out of the object that it may come in.
fn flatten(subscription: &mut Map<String, Value>, object: &str, name: &str) {
    let nested = subscription.remove(object).and_then(|mut nested| nested.get_mut(name).map(Value::take));
    if let Some(contact) = nested {
        subscription.entry(name).or_insert(contact);
    }
}

fn resource(database: i64, subscription: &Map<String, Value>) -> Result<&'static Resource, &'static str> {
    let id = subscription.get("resource_id").and_then(scalar_text).ok_or("resource_id is required")?;
    let resource = id.parse().ok().and_then(|id| resources::find(id).ok()).ok_or("the resource does not exist")?;
    if !resource.databases.contains(&database) {
        return Err("the resource does not belong to the database");
    }
    Ok(resource)
}

/// The channel that is named, else the one that its contact belongs to.
fn channel(subscription: &Map<String, Value>) -> Result<&'static str, &'static str> {
    match subscription.get("channel") {
        Some(named) => CHANNELS.into_iter().find(|channel| named == channel).ok_or("channel is unknown"),
        None if subscription.contains_key("email") => Ok("email"),
        None if subscription.contains_key("phone") => Ok("sms"),
        None => Err("channel is required"),
    }
}

fn check_contact(channel: &str, subscription: &Map<String, Value>) -> Result<(), &'static str> {
    let text = |name: &str| subscription.get(name).and_then(scalar_text).filter(|text| !text.is_empty());
    let (is_valid, reason) = match channel {
        "email" => (text("email").is_some_and(|text| is_email(&text)), "email is not valid"),
        "sms" => (text("phone").is_some_and(|text| is_phone(&text)), "phone is not valid"),
        "push" => (
            text("provider").is_some() && text("subscription_id").is_some(),
            "provider and subscription_id are required",
        ),
        _ => (subscription.get("cc_data").is_some_and(Value::is_object), "cc_data is required"),
    };
    if is_valid { Ok(()) } else { Err(reason) }
}

fn check_rest(subscription: &Map<String, Value>) -> Result<(), &'static str> {
    let is_wrong = |name: &str, fits: fn(&Value) -> bool| {
        subscription.get(name).is_some_and(|value| !value.is_null() && !fits(value))
    };
    if is_wrong("priority", Value::is_i64) {
        return Err("priority is not a whole number");
    }
    if is_wrong("custom_fields", Value::is_object) {
        return Err("custom_fields is not an object");
    }
    if is_wrong("cats", Value::is_array) {
        return Err("cats is not a list");
    }
    Ok(())
}

/// A status in either of its forms; numbers may be written as texts, too.
pub(crate) fn status(value: &Value) -> Option<&'static str> {
    match value {
        Value::String(text) => STATUSES
            .into_iter()
            .find(|word| word == text)
            .or_else(|| STATUSES.get(text.parse::<usize>().ok()?).copied()),
        other => STATUSES.get(usize::try_from(other.as_u64()?).ok()?).copied(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_every_form_in_one() {
        let mut profile = Map::new();
        let given = json!([
            { "resource_id": 2, "email": "a@b" },
            { "resource_id": 2, "channel": "email", "email_data": { "email": "a@b" }, "status": 1 },
            { "resource_id": 2, "channel": "sms", "phone": "+7900" },
        ]);
        merge(&mut profile, 7, given, false).unwrap();

        let expected = json!([
            { "resource_id": 2, "channel": "email", "email": "a@b", "status": "unsubscribed" },
            { "resource_id": 2, "channel": "sms", "phone": "+7900", "status": "subscribed" },
        ]);
        assert_eq!(profile.get("subscriptions"), Some(&expected));
    }

    #[test]
    fn refuses_a_resource_of_another_database() {
        let push = json!([{ "resource_id": 5, "channel": "push", "provider": "p", "subscription_id": "t" }]);
        assert_eq!(merge(&mut Map::new(), 7, push.clone(), false), Ok(()));
        assert!(merge(&mut Map::new(), 8, push, false).is_err());
    }

    #[test]
    fn refuses_or_skips_invalid_ones() {
        let invalid = [
            json!("email"),
            json!({ "channel": "email", "email": "a@b" }),
            json!({ "resource_id": 2 }),
            json!({ "resource_id": 9, "email": "a@b" }),
            json!({ "resource_id": 5, "email": "a@b" }),
            json!({ "resource_id": 2, "email": "a@b", "priority": "first" }),
            json!({ "resource_id": 2, "email": "a@b", "custom_fields": [] }),
            json!({ "resource_id": 2, "email": "a@b", "cats": "news" }),
            json!({ "resource_id": 2, "channel": "fax", "phone": "1" }),
            json!({ "resource_id": 2, "channel": "email", "email": "none" }),
            json!({ "resource_id": 5, "channel": "push", "provider": "p" }),
            json!({ "resource_id": 6, "channel": "viber" }),
            json!({ "resource_id": 2, "email": "a@b", "status": "gone" }),
            json!({ "resource_id": 2, "email": "a@b", "status": 7 }),
        ];
        for subscription in invalid {
            let mut profile = Map::new();
            assert!(merge(&mut profile, 7, json!([subscription]), false).is_err(), "{subscription}");
            assert_eq!(merge(&mut profile, 7, json!([subscription]), true), Ok(()), "{subscription}");
            assert_eq!(profile, Map::new());
        }
    }
}
