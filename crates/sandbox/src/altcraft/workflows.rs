//! Scenarios, and who entered them.

use std::collections::BTreeMap;

use patchbay_types::Timestamp;
use serde::Serialize;
use serde_json::json;

use crate::altcraft::Altcraft;
use crate::altcraft::envelope::{Refusal, Success};
use crate::altcraft::parameters::Parameters;
use crate::altcraft::profiles;
use crate::ring::{ROWS_KEPT, Ring};

/// A scenario. It is bound to one database.
#[derive(Debug)]
pub(crate) struct Workflow {
    pub(crate) name: &'static str,
    pub(crate) database: i64,
    pub(crate) is_active: bool,
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
    BTreeMap::from([
        (12, Workflow { name: "Welcome", database: 7, is_active: true }),
        (13, Workflow { name: "Win back", database: 7, is_active: false }),
        (14, Workflow { name: "Partner welcome", database: 8, is_active: true }),
    ])
}

pub(crate) fn no_entries() -> Ring<Entry> {
    Ring::new(ROWS_KEPT)
}

/// `workflows/import_and_start`: nothing is imported unless the scenario can be started.
pub(crate) fn import_and_start(
    altcraft: &mut Altcraft,
    parameters: Parameters,
    now: Timestamp,
) -> Result<Success, Refusal> {
    let id = parameters.required_integer("workflow_id")?;
    let database = startable(altcraft, id, &parameters)?;
    let imported = profiles::import_into(altcraft, database, parameters, now)?;

    let entry = Entry { profile_id: imported.id.clone(), email: imported.email, entered_at: now };
    altcraft.entries.entry(id).or_insert_with(no_entries).push(entry);
    Ok(Success::new([("profile_id", json!(imported.id))]))
}

/// The database to import into: the scenario's, which the request may leave out but not contradict.
fn startable(altcraft: &Altcraft, id: i64, parameters: &Parameters) -> Result<i64, Refusal> {
    let Some(workflow) = altcraft.workflows.get(&id) else {
        return Err(Refusal::not_found(format!("Workflow {id} not found")));
    };
    let database = parameters.integer("db_id")?.unwrap_or(workflow.database);
    if !altcraft.databases.contains_key(&database) {
        return Err(Refusal::not_found(format!("Database {database} not found")));
    }
    if workflow.database != database {
        return Err(Refusal::bad(format!("Workflow {id} does not belong to database {database}")));
    }
    if !workflow.is_active {
        return Err(Refusal::bad(format!("Workflow {id} is not active")));
    }
    Ok(database)
}
