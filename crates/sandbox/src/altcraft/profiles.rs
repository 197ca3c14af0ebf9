//! The methods on profiles.

use patchbay_types::Timestamp;
use serde_json::{Value, json};

use crate::altcraft::Altcraft;
use crate::altcraft::batch::{self, Batch, Form};
use crate::altcraft::envelope::{Refusal, Success};
use crate::altcraft::import::{self, Kind};
use crate::altcraft::matching::Matching;
use crate::altcraft::paging;
use crate::altcraft::parameters::Parameters;

/// `profiles/import`: creates a profile or merges into the one that matches.
pub(crate) fn import(altcraft: &mut Altcraft, parameters: Parameters, now: Timestamp) -> Result<Success, Refusal> {
    let database = parameters.required_integer("db_id")?;
    Ok(import::write(altcraft, Kind::Import, database, parameters, now)?.into_success())
}

/// `profiles/update`: merges into the one that matches.
pub(crate) fn update(altcraft: &mut Altcraft, parameters: Parameters, now: Timestamp) -> Result<Success, Refusal> {
    let database = parameters.required_integer("db_id")?;
    Ok(import::write(altcraft, Kind::Update, database, parameters, now)?.into_success())
}

/// `profiles/add`: creates a profile, whatever others there are. Its answer has an empty text.
pub(crate) fn add(altcraft: &mut Altcraft, parameters: Parameters, now: Timestamp) -> Result<Success, Refusal> {
    let database = parameters.required_integer("db_id")?;
    let person = import::write(altcraft, Kind::Add, database, parameters, now)?;
    Ok(Success::without_text([("profile_id", json!(person.id))]))
}

pub(crate) fn import_batch(
    altcraft: &mut Altcraft,
    parameters: Parameters,
    now: Timestamp,
) -> Result<Success, Refusal> {
    write_batch(altcraft, Kind::Import, parameters, now)
}

pub(crate) fn update_batch(
    altcraft: &mut Altcraft,
    parameters: Parameters,
    now: Timestamp,
) -> Result<Success, Refusal> {
    write_batch(altcraft, Kind::Update, parameters, now)
}

pub(crate) fn add_batch(altcraft: &mut Altcraft, parameters: Parameters, now: Timestamp) -> Result<Success, Refusal> {
    write_batch(altcraft, Kind::Add, parameters, now)
}

/// The items are flat, unlike those of scenarios and trigger mailings.
fn write_batch(
    altcraft: &mut Altcraft,
    kind: Kind,
    parameters: Parameters,
    now: Timestamp,
) -> Result<Success, Refusal> {
    let database = parameters.required_integer("db_id")?;
    import::profiles(&mut altcraft.databases, database)?;
    let items = Batch::read(parameters, Form::Flat)?.into_items();
    Ok(batch::results(items.map(|item| import::write(altcraft, kind, database, item?, now))))
}

/// `profiles/get`.
pub(crate) fn get(altcraft: &mut Altcraft, parameters: Parameters, _: Timestamp) -> Result<Success, Refusal> {
    let database = parameters.required_integer("db_id")?;
    let matching = Matching::read(&parameters)?;
    let profiles = import::profiles(&mut altcraft.databases, database)?;
    let profile = import::find(profiles, &matching)?.and_then(|number| profiles.get(number));
    let Some(profile) = profile else { return Err(import::not_found()) };
    Ok(Success::new([("data", profile.read_row(database))]))
}

/// `profiles/list`: the oldest first. Its cursor is a text that only an earlier page gives.
pub(crate) fn list(altcraft: &mut Altcraft, parameters: Parameters, _: Timestamp) -> Result<Success, Refusal> {
    let database = parameters.required_integer("db_id")?;
    let limit = paging::limit(&parameters)?;
    let from = match parameters.get("from_id") {
        None => 0,
        Some(Value::String(text)) if text.is_empty() => 0,
        Some(Value::String(text)) => read_cursor(database, text)
            .ok_or_else(|| Refusal::bad("Incorrect request: from_id is not from a page of this database"))?,
        Some(_) => return Err(Refusal::bad("Incorrect request: from_id is not a string")),
    };
    let profiles = import::profiles(&mut altcraft.databases, database)?;
    let page: Vec<_> = profiles.from(from).take(limit).collect();
    let next = page.last().map_or(from, |(number, _)| number + 1);
    let data = page.into_iter().map(|(_, profile)| profile.read_row(database)).collect();
    Ok(Success::new([("data", data), ("next_from_id", json!(cursor(database, next)))]))
}

/// `profiles/delete`: needs a right of its own.
pub(crate) fn delete(altcraft: &mut Altcraft, parameters: Parameters, _: Timestamp) -> Result<Success, Refusal> {
    let database = parameters.required_integer("db_id")?;
    let matching = Matching::of_existing(&parameters)?;
    let person = import::find_existing(&mut altcraft.databases, database, &matching)?;
    import::profiles(&mut altcraft.databases, database)?.remove(person.number);
    for segment in altcraft.segments.values_mut().filter(|segment| segment.database == database) {
        segment.members.remove(&person.number);
    }
    Ok(Success::new([("data", json!({ "profile_id": person.id }))]))
}

fn cursor(database: i64, number: u64) -> String {
    format!("{number:016x}.{database:014}")
}

fn read_cursor(database: i64, text: &str) -> Option<u64> {
    let number = u64::from_str_radix(text.split('.').next()?, 16).ok()?;
    (cursor(database, number) == text).then_some(number)
}
