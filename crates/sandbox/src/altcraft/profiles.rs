//! The methods on single profiles.

use patchbay_types::Timestamp;
use serde_json::{Map, json};

use crate::altcraft::Altcraft;
use crate::altcraft::changes;
use crate::altcraft::database::{Profile, Profiles};
use crate::altcraft::envelope::{Refusal, Success};
use crate::altcraft::matching::Matching;
use crate::altcraft::parameters::Parameters;

/// The profile that an import made or changed, as it then is.
#[derive(Debug)]
pub(crate) struct Imported {
    pub(crate) id: String,
    pub(crate) email: Option<String>,
}

/// `profiles/import`: creates a profile or merges into the one that matches.
pub(crate) fn import(altcraft: &mut Altcraft, parameters: Parameters, now: Timestamp) -> Result<Success, Refusal> {
    let database = parameters.required_integer("db_id")?;
    let imported = import_into(altcraft, database, parameters, now)?;
    Ok(Success::new([("profile_id", json!(imported.id))]))
}

/// `profiles/get`.
pub(crate) fn get(altcraft: &mut Altcraft, parameters: Parameters, _: Timestamp) -> Result<Success, Refusal> {
    let database = parameters.required_integer("db_id")?;
    let matching = Matching::read(&parameters)?;
    let profiles = profiles(altcraft, database)?;
    let profile = find(profiles, &matching)?.and_then(|number| profiles.get(number));
    let Some(profile) = profile else { return Err(Refusal::not_found("Profile not found")) };
    Ok(Success::new([("data", profile.row(database))]))
}

/// Imports by the parameters of `profiles/import`. A refusal changes nothing.
pub(crate) fn import_into(
    altcraft: &mut Altcraft,
    database: i64,
    mut parameters: Parameters,
    now: Timestamp,
) -> Result<Imported, Refusal> {
    let matching = Matching::read(&parameters)?;
    let skip_invalid_subscriptions = parameters.flag("skip_invalid_subscriptions")?;
    let data = parameters.take_object("data")?;

    let new_id = profile_id(now, altcraft.last_profile + 1);
    let profiles = profiles(altcraft, database)?;
    let found = find(profiles, &matching)?;
    let mut profile = match found.and_then(|number| profiles.get(number)) {
        Some(profile) => profile.clone(),
        None if matching.can_create() => Profile { id: new_id, data: Map::new() },
        None => return Err(Refusal::not_found("Profile not found")),
    };
    changes::merge(&mut profile.data, data, skip_invalid_subscriptions)?;
    if found.is_none() {
        matching.imprint(&mut profile.data);
    }

    let imported = Imported { id: profile.id.clone(), email: profile.email().map(str::to_owned) };
    match found {
        Some(number) => profiles.replace(number, profile),
        None => {
            profiles.insert(profile);
            altcraft.last_profile += 1;
        }
    }
    Ok(imported)
}

fn profiles(altcraft: &mut Altcraft, database: i64) -> Result<&mut Profiles, Refusal> {
    match altcraft.databases.get_mut(&database) {
        Some(database) => Ok(&mut database.profiles),
        None => Err(Refusal::not_found(format!("Database {database} not found"))),
    }
}

/// The number of the one profile that matches, if any does.
fn find(profiles: &mut Profiles, matching: &Matching) -> Result<Option<u64>, Refusal> {
    let found = profiles.find(matching);
    match found.len() {
        0 | 1 => Ok(found.first().copied()),
        count => Err(Refusal::new(409, format!("{count} profiles match"))),
    }
}

/// 24 hex digits as of an `ObjectId`: seconds, then a serial number.
fn profile_id(now: Timestamp, serial: u64) -> String {
    let seconds = u32::try_from(now.as_micros() / 1_000_000).unwrap_or_default();
    format!("{seconds:08x}{serial:016x}")
}
