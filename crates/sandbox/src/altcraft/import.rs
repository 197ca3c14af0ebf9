//! What every method that writes a profile does: find it, change it, keep it.

use std::collections::BTreeMap;

use patchbay_types::Timestamp;
use serde_json::{Map, Value};

use crate::altcraft::changes;
use crate::altcraft::database::{Database, Profile, Profiles};
use crate::altcraft::envelope::{Refusal, Success};
use crate::altcraft::matching::Matching;
use crate::altcraft::parameters::Parameters;
use crate::altcraft::{Altcraft, segments};

/// Whether a profile is searched, and what happens when none is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Changes the one that matches, or creates it.
    Import,
    /// Changes the one that matches.
    Update,
    /// Creates one without a search.
    Add,
}

/// A profile that was written or found, as it then is.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    pub(crate) number: u64,
    pub(crate) id: String,
    pub(crate) email: Option<String>,
}

impl Person {
    pub(crate) fn of(number: u64, profile: &Profile) -> Self {
        Self { number, id: profile.id.clone(), email: profile.email().map(str::to_owned) }
    }

    /// The answer to an import or update.
    pub(crate) fn into_success(self) -> Success {
        Success::new([("profile_id", Value::String(self.id))])
    }
}

/// Writes by the parameters of `profiles/import`. A refusal changes nothing.
pub(crate) fn write(
    altcraft: &mut Altcraft,
    kind: Kind,
    database: i64,
    mut parameters: Parameters,
    now: Timestamp,
) -> Result<Person, Refusal> {
    let matching = match kind {
        Kind::Import | Kind::Update => Some(Matching::read(&parameters)?),
        Kind::Add => None,
    };
    let skip_invalid_subscriptions = parameters.flag("skip_invalid_subscriptions")?;
    parameters.flag("skip_triggers")?;
    parameters.flag("detect_geo")?;
    let data = parameters.take_object("data")?;

    let profiles = profiles(&mut altcraft.databases, database)?;
    let entered = segments::named(&altcraft.segments, database, &parameters, "add_to_segments")?;
    let left = segments::named(&altcraft.segments, database, &parameters, "remove_from_segments")?;
    let found = match &matching {
        Some(matching) => find(profiles, matching)?,
        None => None,
    };
    let can_create = kind != Kind::Update && matching.as_ref().is_none_or(Matching::can_create);
    let mut profile = match found.and_then(|number| profiles.get(number)) {
        Some(profile) => profile.clone(),
        None if can_create => Profile { id: profile_id(now, altcraft.last_profile + 1), data: Map::new() },
        None => return Err(not_found()),
    };
    changes::merge(&mut profile.data, database, data, skip_invalid_subscriptions)?;
    if let (None, Some(matching)) = (found, &matching) {
        matching.imprint(&mut profile.data, |email| profiles.owner(email).is_some());
    }
    check_email(profiles, found, &profile)?;

    let mut person = Person::of(found.unwrap_or_default(), &profile);
    if let Some(number) = found {
        profiles.replace(number, profile);
    } else {
        person.number = profiles.insert(profile);
        altcraft.last_profile += 1;
    }
    segments::enter(&mut altcraft.segments, &entered, person.number);
    segments::leave(&mut altcraft.segments, &left, person.number);
    Ok(person)
}

pub(crate) fn profiles(databases: &mut BTreeMap<i64, Database>, database: i64) -> Result<&mut Profiles, Refusal> {
    match databases.get_mut(&database) {
        Some(database) => Ok(&mut database.profiles),
        None => Err(Refusal::not_found(format!("Database {database} not found"))),
    }
}

/// The number of the one profile that matches, if any does.
pub(crate) fn find(profiles: &mut Profiles, matching: &Matching) -> Result<Option<u64>, Refusal> {
    let found = profiles.find(matching);
    match found.len() {
        0 | 1 => Ok(found.first().copied()),
        _ => Err(Refusal::new(409, "More than one profile matches")),
    }
}

/// The one profile that matches.
pub(crate) fn find_existing(
    databases: &mut BTreeMap<i64, Database>,
    database: i64,
    matching: &Matching,
) -> Result<Person, Refusal> {
    let profiles = profiles(databases, database)?;
    let number = find(profiles, matching)?.ok_or_else(not_found)?;
    profiles.get(number).map(|profile| Person::of(number, profile)).ok_or_else(not_found)
}

/// The profile with this id.
pub(crate) fn by_id(databases: &mut BTreeMap<i64, Database>, database: i64, id: String) -> Result<Person, Refusal> {
    find_existing(databases, database, &Matching::by_id(id))
}

pub(crate) fn not_found() -> Refusal {
    Refusal::not_found("Profile not found")
}

/// The own email of a profile is unique in its database.
fn check_email(profiles: &Profiles, number: Option<u64>, profile: &Profile) -> Result<(), Refusal> {
    let owner = profile.email().and_then(|email| profiles.owner(email));
    match owner {
        Some(owner) if number != Some(owner) => Err(Refusal::new(409, "Another profile has this email")),
        _ => Ok(()),
    }
}

/// 24 hex digits as of an `ObjectId`: seconds, then a serial number.
fn profile_id(now: Timestamp, serial: u64) -> String {
    let seconds = u32::try_from(now.as_micros() / 1_000_000).unwrap_or_default();
    format!("{seconds:08x}{serial:016x}")
}
