//! The methods on the subscriptions of one profile.

use patchbay_types::Timestamp;
use serde_json::{Map, Value, json};

use crate::altcraft::envelope::{Refusal, Success};
use crate::altcraft::parameters::{Parameters, missing, scalar_text};
use crate::altcraft::{Altcraft, import, index, reading, subscriptions};

/// What a subscription may be made of.
const MEMBERS: [&str; 13] = [
    "resource_id",
    "channel",
    "email",
    "email_data",
    "phone",
    "phone_data",
    "provider",
    "subscription_id",
    "cc_data",
    "status",
    "priority",
    "custom_fields",
    "cats",
];

/// What `subscriptions/get` tells subscriptions apart by.
const SEARCHED: [&str; 7] = ["resource_id", "channel", "email", "phone", "provider", "subscription_id", "hash_id"];

/// `subscriptions/set`: adds a subscription, or changes the one with the same contact in the same resource.
pub(crate) fn set(altcraft: &mut Altcraft, parameters: Parameters, _: Timestamp) -> Result<Success, Refusal> {
    let database = parameters.required_integer("db_id")?;
    let profile_id = parameters.required_text("profile_id")?;
    parameters.required_integer("resource_id")?;
    parameters.flag("skip_triggers")?;
    let person = import::by_id(&mut altcraft.databases, database, profile_id)?;
    let profiles = import::profiles(&mut altcraft.databases, database)?;
    let mut profile = profiles.get(person.number).cloned().ok_or_else(import::not_found)?;

    let mut given = parameters.into_members();
    given.retain(|name, value| MEMBERS.contains(&name.as_str()) && !value.is_null());
    subscriptions::set(&mut profile.data, database, Value::Object(given))?;
    profiles.replace(person.number, profile);
    Ok(Success::new([]))
}

/// `subscriptions/get`: the first that has all that is asked for.
pub(crate) fn get(altcraft: &mut Altcraft, parameters: Parameters, _: Timestamp) -> Result<Success, Refusal> {
    if parameters.get("resource_id").or_else(|| parameters.get("hash_id")).is_none() {
        return Err(missing("resource_id"));
    }
    let held = read(altcraft, &parameters)?;
    let mut wanted = parameters.into_members();
    wanted.retain(|name, value| SEARCHED.contains(&name.as_str()) && !value.is_null());
    let found = held.into_iter().find(|subscription| fits(subscription, &wanted));
    let found = found.ok_or_else(|| Refusal::not_found("Subscription not found"))?;
    Ok(Success::new([("data", found)]))
}

/// `subscriptions/list`: all of one profile.
pub(crate) fn list(altcraft: &mut Altcraft, parameters: Parameters, _: Timestamp) -> Result<Success, Refusal> {
    let held = read(altcraft, &parameters)?;
    Ok(Success::new([("data", json!(held))]))
}

fn read(altcraft: &mut Altcraft, parameters: &Parameters) -> Result<Vec<Value>, Refusal> {
    let database = parameters.required_integer("db_id")?;
    let profile_id = parameters.required_text("profile_id")?;
    let person = import::by_id(&mut altcraft.databases, database, profile_id)?;
    let profiles = import::profiles(&mut altcraft.databases, database)?;
    let profile = profiles.get(person.number).ok_or_else(import::not_found)?;
    Ok(profile.subscriptions().iter().map(reading::flat).collect())
}

fn fits(subscription: &Value, wanted: &Map<String, Value>) -> bool {
    wanted.iter().all(|(name, wanted)| {
        let normal = |value: &Value| {
            scalar_text(value).map(|text| match name.as_str() {
                "email" => index::email(&text),
                "phone" => index::phone(&text),
                _ => text,
            })
        };
        subscription.get(name).and_then(normal) == normal(wanted)
    })
}
