//! Scenarios, and who entered them.

use std::collections::BTreeMap;

use patchbay_types::Timestamp;
use serde::Serialize;

use crate::altcraft::Altcraft;
use crate::altcraft::batch::{self, Batch, Form};
use crate::altcraft::envelope::{Refusal, Success};
use crate::altcraft::import::{self, Kind, Person};
use crate::altcraft::launching;
use crate::altcraft::parameters::Parameters;
use crate::ring::{ROWS_KEPT, Ring};

/// A scenario. It is bound to one database.
#[derive(Debug)]
pub(crate) struct Workflow {
    pub(crate) name: &'static str,
    pub(crate) database: i64,
    pub(crate) is_active: bool,
    pub(crate) entries: Ring<Entry>,
}

/// One launch of a scenario for one profile.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Entry {
    profile_id: String,
    email: Option<String>,
    entered_at: Timestamp,
}

/// The scenarios of the account by id.
pub(crate) fn all() -> BTreeMap<i64, Workflow> {
    let workflow = |name, database, is_active| Workflow { name, database, is_active, entries: Ring::new(ROWS_KEPT) };
    BTreeMap::from([
        (12, workflow("Welcome", 7, true)),
        (13, workflow("Win back", 7, false)),
        (14, workflow("Partner welcome", 8, true)),
    ])
}

/// `workflows/start`: its key is `id`, and the profile must be there.
pub(crate) fn start(altcraft: &mut Altcraft, parameters: Parameters, now: Timestamp) -> Result<Success, Refusal> {
    let id = parameters.required_integer("id")?;
    let database = startable(altcraft, id, &parameters)?;
    let person = launching::existing(altcraft, database, &parameters)?;
    enter(altcraft, id, &person, now);
    Ok(Success::new([]))
}

/// `workflows/import_and_start`: its key is `workflow_id`. Nothing is imported unless the scenario can be started.
pub(crate) fn import_and_start(
    altcraft: &mut Altcraft,
    parameters: Parameters,
    now: Timestamp,
) -> Result<Success, Refusal> {
    let id = parameters.required_integer("workflow_id")?;
    startable(altcraft, id, &parameters)?;
    Ok(import_and_enter(altcraft, id, parameters, now)?.into_success())
}

pub(crate) fn import_and_start_batch(
    altcraft: &mut Altcraft,
    parameters: Parameters,
    now: Timestamp,
) -> Result<Success, Refusal> {
    let id = parameters.required_integer("workflow_id")?;
    startable(altcraft, id, &parameters)?;
    let batch = Batch::read(parameters, Form::Wrapped)?;
    Ok(batch::results(launching::each(altcraft, batch, id, now, import_and_enter)))
}

pub(crate) fn import_and_start_batch_task(
    altcraft: &mut Altcraft,
    parameters: Parameters,
    now: Timestamp,
) -> Result<Success, Refusal> {
    let id = parameters.required_integer("workflow_id")?;
    startable(altcraft, id, &parameters)?;
    let batch = Batch::read(parameters, Form::Wrapped)?;
    Ok(launching::as_task(altcraft, batch, id, now, import_and_enter))
}

/// `workflows/activate`.
pub(crate) fn activate(altcraft: &mut Altcraft, parameters: Parameters, _: Timestamp) -> Result<Success, Refusal> {
    switch(altcraft, &parameters, true)
}

/// `workflows/deactivate`.
pub(crate) fn deactivate(altcraft: &mut Altcraft, parameters: Parameters, _: Timestamp) -> Result<Success, Refusal> {
    switch(altcraft, &parameters, false)
}

/// Imports into the scenario's database and enters the scenario, which must be startable.
pub(crate) fn import_and_enter(
    altcraft: &mut Altcraft,
    id: i64,
    parameters: Parameters,
    now: Timestamp,
) -> Result<Person, Refusal> {
    let database = find(altcraft, id)?.database;
    let person = import::write(altcraft, Kind::Import, database, parameters, now)?;
    enter(altcraft, id, &person, now);
    Ok(person)
}

/// The database of a scenario that can be started by this request.
pub(crate) fn startable(altcraft: &mut Altcraft, id: i64, parameters: &Parameters) -> Result<i64, Refusal> {
    launching::check_extras(parameters)?;
    let Workflow { database, is_active, .. } = *find(altcraft, id)?;
    let database = launching::database(altcraft, parameters, &format!("Workflow {id}"), database)?;
    if !is_active {
        return Err(Refusal::bad(format!("Workflow {id} is not active")));
    }
    Ok(database)
}

fn find(altcraft: &mut Altcraft, id: i64) -> Result<&mut Workflow, Refusal> {
    altcraft.workflows.get_mut(&id).ok_or_else(|| Refusal::not_found(format!("Workflow {id} not found")))
}

fn enter(altcraft: &mut Altcraft, id: i64, person: &Person, now: Timestamp) {
    if let Some(workflow) = altcraft.workflows.get_mut(&id) {
        let entry = Entry { profile_id: person.id.clone(), email: person.email.clone(), entered_at: now };
        workflow.entries.push(entry);
    }
}

fn switch(altcraft: &mut Altcraft, parameters: &Parameters, is_active: bool) -> Result<Success, Refusal> {
    let id = parameters.required_integer("id")?;
    find(altcraft, id)?.is_active = is_active;
    Ok(Success::new([]))
}
