//! Static segments and who is in them.

use std::collections::{BTreeMap, BTreeSet};

use patchbay_types::Timestamp;
use serde_json::{Value, json};

use crate::altcraft::envelope::{Refusal, Success};
use crate::altcraft::parameters::Parameters;
use crate::altcraft::{Altcraft, import};
use crate::ring::ROWS_KEPT;

/// A static segment. It is bound to one database.
#[derive(Debug)]
pub(crate) struct Segment {
    pub(crate) name: &'static str,
    pub(crate) database: i64,
    /// The numbers of profiles. Those of profiles that are gone do no harm: numbers are not given twice.
    pub(crate) members: BTreeSet<u64>,
}

/// The segments of the account by id.
pub(crate) fn all() -> BTreeMap<i64, Segment> {
    let segment = |name| Segment { name, database: 7, members: BTreeSet::new() };
    BTreeMap::from([(3, segment("Regulars")), (4, segment("Sleepers"))])
}

/// `profiles/segstatic/add`: takes a `profile_id` and no other way to match.
pub(crate) fn add(altcraft: &mut Altcraft, parameters: Parameters, _: Timestamp) -> Result<Success, Refusal> {
    let (segment, profile) = addressed(altcraft, &parameters)?;
    enter(&mut altcraft.segments, &[segment], profile);
    Ok(Success::new([]))
}

/// `profiles/segstatic/remove`. A profile that is not in the segment is no mistake.
pub(crate) fn remove(altcraft: &mut Altcraft, parameters: Parameters, _: Timestamp) -> Result<Success, Refusal> {
    let (segment, profile) = addressed(altcraft, &parameters)?;
    leave(&mut altcraft.segments, &[segment], profile);
    Ok(Success::new([]))
}

/// The segments of a list parameter: known and of this database.
pub(crate) fn named(
    segments: &BTreeMap<i64, Segment>,
    database: i64,
    parameters: &Parameters,
    name: &str,
) -> Result<Vec<i64>, Refusal> {
    let ids = parameters.integers(name)?;
    for id in &ids {
        check(segments, database, *id)?;
    }
    Ok(ids)
}

pub(crate) fn enter(segments: &mut BTreeMap<i64, Segment>, ids: &[i64], profile: u64) {
    for id in ids {
        let Some(segment) = segments.get_mut(id) else { continue };
        segment.members.insert(profile);
        // As many profiles are kept: the smallest number is that of one that is gone.
        if segment.members.len() > ROWS_KEPT {
            segment.members.pop_first();
        }
    }
}

pub(crate) fn leave(segments: &mut BTreeMap<i64, Segment>, ids: &[i64], profile: u64) {
    for id in ids {
        if let Some(segment) = segments.get_mut(id) {
            segment.members.remove(&profile);
        }
    }
}

/// Who is in a segment, the oldest profile first, or `None` when there is no such segment.
pub(crate) fn members(altcraft: &Altcraft, id: i64) -> Option<Vec<Value>> {
    let segment = altcraft.segments.get(&id)?;
    let profiles = &altcraft.databases.get(&segment.database)?.profiles;
    let members = segment.members.iter().filter_map(|number| profiles.get(*number));
    Some(members.map(|profile| json!({ "profile_id": profile.id, "email": profile.email() })).collect())
}

fn addressed(altcraft: &mut Altcraft, parameters: &Parameters) -> Result<(i64, u64), Refusal> {
    let segment = parameters.required_integer("segment_id")?;
    let database = parameters.required_integer("db_id")?;
    let profile = parameters.required_text("profile_id")?;
    parameters.flag("skip_triggers")?;
    let person = import::by_id(&mut altcraft.databases, database, profile)?;
    check(&altcraft.segments, database, segment)?;
    Ok((segment, person.number))
}

fn check(segments: &BTreeMap<i64, Segment>, database: i64, id: i64) -> Result<(), Refusal> {
    match segments.get(&id) {
        None => Err(Refusal::not_found(format!("Segment {id} not found"))),
        Some(segment) if segment.database != database => {
            Err(Refusal::bad(format!("Segment {id} does not belong to database {database}")))
        }
        Some(_) => Ok(()),
    }
}
