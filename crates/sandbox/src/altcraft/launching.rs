//! What starting a scenario and starting a trigger mailing have in common.

use patchbay_types::Timestamp;
use serde_json::{Value, json};

use crate::altcraft::Altcraft;
use crate::altcraft::batch::Batch;
use crate::altcraft::database::Profile;
use crate::altcraft::envelope::{Refusal, Success};
use crate::altcraft::import::{self, Person};
use crate::altcraft::index;
use crate::altcraft::matching::Matching;
use crate::altcraft::parameters::{Parameters, scalar_text};

/// Starts one profile by the parameters of one item.
pub(crate) type Launcher = fn(&mut Altcraft, i64, Parameters, Timestamp) -> Result<Person, Refusal>;

/// Refuses what templates and action hooks could not use.
pub(crate) fn check_extras(parameters: &Parameters) -> Result<(), Refusal> {
    parameters.object("content")?;
    parameters.object("custom_data")?;
    if parameters.list("attach")?.iter().all(Value::is_object) {
        return Ok(());
    }
    Err(Refusal::bad("Incorrect request: attach is not a list of objects"))
}

/// The database of what is launched, which the request may leave out but not contradict.
pub(crate) fn database(altcraft: &Altcraft, parameters: &Parameters, what: &str, own: i64) -> Result<i64, Refusal> {
    let database = parameters.integer("db_id")?.unwrap_or(own);
    if !altcraft.databases.contains_key(&database) {
        return Err(Refusal::not_found(format!("Database {database} not found")));
    }
    if database != own {
        return Err(Refusal::bad(format!("{what} does not belong to database {database}")));
    }
    Ok(database)
}

/// The profile to launch for, which must be there already.
pub(crate) fn existing(altcraft: &mut Altcraft, database: i64, parameters: &Parameters) -> Result<Person, Refusal> {
    if parameters.get("custom_request").is_some() {
        return Err(Refusal::bad("The sandbox does not understand custom_request"));
    }
    let matching = Matching::of_existing(parameters)?;
    let person = import::find_existing(&mut altcraft.databases, database, &matching)?;
    let profiles = import::profiles(&mut altcraft.databases, database)?;
    let profile = profiles.get(person.number).ok_or_else(import::not_found)?;
    check_filter(profile, parameters)?;
    Ok(person)
}

/// Launches each item of a batch now.
pub(crate) fn each<'a>(
    altcraft: &'a mut Altcraft,
    batch: Batch,
    id: i64,
    now: Timestamp,
    launch: Launcher,
) -> impl Iterator<Item = Result<Person, Refusal>> + use<'a> {
    batch.into_items().map(move |item| launch(altcraft, id, item?, now))
}

/// Launches each item, but answers only that this will be done.
pub(crate) fn as_task(altcraft: &mut Altcraft, batch: Batch, id: i64, now: Timestamp, launch: Launcher) -> Success {
    // Nobody reads the outcomes of a task: no method to ask for them is known.
    each(altcraft, batch, id, now, launch).for_each(drop);
    altcraft.last_task += 1;
    Success::new([("task_id", json!(format!("{:024x}", altcraft.last_task)))])
}

/// The subscription that `subscription_filter` asks for must be there unless it is `not_strict`.
fn check_filter(profile: &Profile, parameters: &Parameters) -> Result<(), Refusal> {
    let Some(filter) = parameters.object("subscription_filter")? else { return Ok(()) };
    if filter.get("not_strict") == Some(&Value::Bool(true)) {
        return Ok(());
    }
    let fits = |subscription: &Value| {
        filter.iter().filter(|(name, _)| *name != "not_strict").all(|(name, wanted)| {
            let (held, wanted) = (subscription.get(name).and_then(scalar_text), scalar_text(wanted));
            held.map(|text| index::email(&text)) == wanted.map(|text| index::email(&text))
        })
    };
    if profile.subscriptions().iter().any(fits) {
        return Ok(());
    }
    Err(Refusal::bad("The profile has no subscription that fits subscription_filter"))
}
