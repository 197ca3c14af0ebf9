//! Trigger mailings, and for whom they were launched.

use std::collections::BTreeMap;
use std::time::Duration;

use patchbay_types::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::altcraft::Altcraft;
use crate::altcraft::batch::{self, Batch, Form};
use crate::altcraft::envelope::{Refusal, Success};
use crate::altcraft::import::{self, Kind, Person};
use crate::altcraft::launching;
use crate::altcraft::parameters::Parameters;
use crate::ring::{ROWS_KEPT, Ring};

/// The event that lets a mailing be started by a call.
const API_CALL: &str = "api_call";

/// The parts of a delay with their seconds.
const TIMEOUT_UNITS: [(&str, u64); 3] = [("days", 86_400), ("hours", 3_600), ("minutes", 60)];

/// The longest delay, ten years.
const TIMEOUT_LIMIT: Duration = Duration::from_secs(3_650 * 86_400);

/// A trigger mailing.
#[derive(Debug)]
pub(crate) struct Trigger {
    pub(crate) name: &'static str,
    /// Its event.
    pub(crate) kind: &'static str,
    pub(crate) database: i64,
    pub(crate) is_active: bool,
    pub(crate) launches: Ring<Launch>,
}

/// One launch of a mailing for one profile.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Launch {
    profile_id: String,
    email: Option<String>,
    started_at: Timestamp,
    /// When the mailing goes out: later than its start only by a `timeout`.
    due_at: Timestamp,
}

/// The trigger mailings of the account by id.
pub(crate) fn all() -> BTreeMap<i64, Trigger> {
    let trigger =
        |name, kind, is_active| Trigger { name, kind, database: 7, is_active, launches: Ring::new(ROWS_KEPT) };
    BTreeMap::from([
        (55, trigger("Receipt", API_CALL, true)),
        (56, trigger("Old receipt", API_CALL, false)),
        (57, trigger("Happy birthday", "date", true)),
    ])
}

/// `campaigns/triggers/get`.
pub(crate) fn get(altcraft: &mut Altcraft, parameters: Parameters, _: Timestamp) -> Result<Success, Refusal> {
    let id = parameters.required_integer("id")?;
    let trigger = find(altcraft, id)?;
    let data = json!({
        "id": id,
        "name": trigger.name,
        "type": trigger.kind,
        "trigger_type": trigger.kind,
        "is_active": trigger.is_active,
        "for_confirm": false,
        "db_id": trigger.database,
        "call_url": format!("https://link.sandbox.invalid/trg/{id:016x}/"),
    });
    Ok(Success::new([("data", data)]))
}

/// `campaigns/triggers/start`: its key is `id`, and the profile must be there.
pub(crate) fn start(altcraft: &mut Altcraft, parameters: Parameters, now: Timestamp) -> Result<Success, Refusal> {
    let id = startable_by(altcraft, "id", &parameters)?;
    launch_existing(altcraft, id, parameters, now)?;
    Ok(Success::new([]))
}

/// `campaigns/triggers/start_batch`: its key is `trigger_id`. The result has only the profiles that were reached.
pub(crate) fn start_batch(altcraft: &mut Altcraft, parameters: Parameters, now: Timestamp) -> Result<Success, Refusal> {
    let id = startable_by(altcraft, "trigger_id", &parameters)?;
    let batch = Batch::read(parameters, Form::Match)?;
    let reached = launching::each(altcraft, batch, id, now, launch_existing).filter_map(Result::ok);
    let result = reached.map(|person| Value::String(person.id)).collect();
    Ok(Success::new([("result", result)]))
}

/// `campaigns/triggers/start_batch_task`: its key is `id`, unlike that of its sisters.
pub(crate) fn start_batch_task(
    altcraft: &mut Altcraft,
    parameters: Parameters,
    now: Timestamp,
) -> Result<Success, Refusal> {
    let id = startable_by(altcraft, "id", &parameters)?;
    let batch = Batch::read(parameters, Form::Match)?;
    Ok(launching::as_task(altcraft, batch, id, now, launch_existing))
}

/// `campaigns/triggers/import_and_start`. Nothing is imported unless the mailing can be started.
pub(crate) fn import_and_start(
    altcraft: &mut Altcraft,
    parameters: Parameters,
    now: Timestamp,
) -> Result<Success, Refusal> {
    let id = startable_by(altcraft, "trigger_id", &parameters)?;
    Ok(import_and_launch(altcraft, id, parameters, now)?.into_success())
}

pub(crate) fn import_and_start_batch(
    altcraft: &mut Altcraft,
    parameters: Parameters,
    now: Timestamp,
) -> Result<Success, Refusal> {
    let id = startable_by(altcraft, "trigger_id", &parameters)?;
    let batch = Batch::read(parameters, Form::Wrapped)?;
    Ok(batch::results(launching::each(altcraft, batch, id, now, import_and_launch)))
}

pub(crate) fn import_and_start_batch_task(
    altcraft: &mut Altcraft,
    parameters: Parameters,
    now: Timestamp,
) -> Result<Success, Refusal> {
    let id = startable_by(altcraft, "trigger_id", &parameters)?;
    let batch = Batch::read(parameters, Form::Wrapped)?;
    Ok(launching::as_task(altcraft, batch, id, now, import_and_launch))
}

/// Imports into the mailing's database and launches the mailing, which must be startable.
pub(crate) fn import_and_launch(
    altcraft: &mut Altcraft,
    id: i64,
    parameters: Parameters,
    now: Timestamp,
) -> Result<Person, Refusal> {
    let due_at = now.after(timeout(&parameters)?);
    let database = find(altcraft, id)?.database;
    let person = import::write(altcraft, Kind::Import, database, parameters, now)?;
    launch(altcraft, id, &person, now, due_at);
    Ok(person)
}

/// Refuses unless this request can start the mailing.
pub(crate) fn startable(altcraft: &mut Altcraft, id: i64, parameters: &Parameters) -> Result<(), Refusal> {
    launching::check_extras(parameters)?;
    timeout(parameters)?;
    let Trigger { kind, database, is_active, .. } = *find(altcraft, id)?;
    launching::database(altcraft, parameters, &format!("Trigger {id}"), database)?;
    if kind != API_CALL {
        return Err(Refusal::bad(format!("Trigger {id} is not started by API calls")));
    }
    if !is_active {
        return Err(Refusal::bad(format!("Trigger {id} is not active")));
    }
    Ok(())
}

fn startable_by(altcraft: &mut Altcraft, key: &str, parameters: &Parameters) -> Result<i64, Refusal> {
    let id = parameters.required_integer(key)?;
    startable(altcraft, id, parameters)?;
    Ok(id)
}

fn launch_existing(
    altcraft: &mut Altcraft,
    id: i64,
    parameters: Parameters,
    now: Timestamp,
) -> Result<Person, Refusal> {
    let database = find(altcraft, id)?.database;
    let person = launching::existing(altcraft, database, &parameters)?;
    launch(altcraft, id, &person, now, now);
    Ok(person)
}

fn find(altcraft: &mut Altcraft, id: i64) -> Result<&mut Trigger, Refusal> {
    altcraft.triggers.get_mut(&id).ok_or_else(|| Refusal::not_found(format!("Trigger {id} not found")))
}

fn launch(altcraft: &mut Altcraft, id: i64, person: &Person, started_at: Timestamp, due_at: Timestamp) {
    if let Some(trigger) = altcraft.triggers.get_mut(&id) {
        let launch = Launch { profile_id: person.id.clone(), email: person.email.clone(), started_at, due_at };
        trigger.launches.push(launch);
    }
}

/// The delay that `timeout` asks for.
fn timeout(parameters: &Parameters) -> Result<Duration, Refusal> {
    let Some(parts) = parameters.object("timeout")? else { return Ok(Duration::ZERO) };
    let wrong = || Refusal::bad("Incorrect request: timeout is not made of days, hours and minutes");
    let seconds = parts.keys().map(|name| part(parts, name)).sum::<Option<u64>>().ok_or_else(wrong)?;
    let timeout = Duration::from_secs(seconds);
    if timeout > TIMEOUT_LIMIT {
        return Err(Refusal::bad("Incorrect request: timeout is longer than ten years"));
    }
    Ok(timeout)
}

fn part(parts: &Map<String, Value>, name: &str) -> Option<u64> {
    let (_, seconds) = TIMEOUT_UNITS.iter().find(|(unit, _)| *unit == name)?;
    let count = u32::try_from(parts.get(name)?.as_u64()?).ok()?;
    Some(u64::from(count) * seconds)
}
