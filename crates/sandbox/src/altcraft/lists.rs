//! The lists that fill dropdowns, each with the keys of its own that the real ones have.

use patchbay_types::Timestamp;
use serde_json::{Value, json};

use crate::altcraft::Altcraft;
use crate::altcraft::envelope::{Refusal, Success};
use crate::altcraft::paging::{self, Group, LOYALTY, MAIN, Row};
use crate::altcraft::parameters::{Parameters, missing};
use crate::altcraft::{fields, resources};

/// `databases/list`: groups with capitals, `total_count`.
pub(crate) fn databases(altcraft: &mut Altcraft, parameters: Parameters, _: Timestamp) -> Result<Success, Refusal> {
    let rows = altcraft.databases.iter().map(|(id, database)| {
        let value = json!({ "id": id, "name": database.name, "ui_tags": [], "Groups": [capitals(MAIN)] });
        Row { id: *id, tags: &[], group: MAIN, value }
    });
    counted(&parameters, rows)
}

/// `databases/get`.
pub(crate) fn database(altcraft: &mut Altcraft, parameters: Parameters, _: Timestamp) -> Result<Success, Refusal> {
    let id = parameters.required_integer("id")?;
    let Some(database) = altcraft.databases.get(&id) else { return Err(no_database(id)) };
    let data = json!({ "id": id, "name": database.name, "suppress_id": 0, "description": "" });
    Ok(Success::new([("data", data)]))
}

/// `databases/fields_get`.
pub(crate) fn database_fields(
    altcraft: &mut Altcraft,
    parameters: Parameters,
    _: Timestamp,
) -> Result<Success, Refusal> {
    let id = either(&parameters, "db_id", "id")?;
    if !altcraft.databases.contains_key(&id) {
        return Err(no_database(id));
    }
    Ok(Success::new([("data", json!(fields::of_database(id)))]))
}

/// `segments/list`: does not say of which database they are, nor that they are static.
pub(crate) fn segments(altcraft: &mut Altcraft, parameters: Parameters, _: Timestamp) -> Result<Success, Refusal> {
    let rows = altcraft.segments.iter().map(|(id, segment)| {
        let (tags, group): (&'static [_], _) = if *id == 3 { (&["crm"], MAIN) } else { (&[], LOYALTY) };
        let value = json!({ "id": id, "name": segment.name, "ui_tags": tags, "Groups": [capitals(group)] });
        Row { id: *id, tags, group, value }
    });
    counted(&parameters, rows)
}

/// `resources/list`: groups in small letters.
pub(crate) fn resources(_: &mut Altcraft, parameters: Parameters, _: Timestamp) -> Result<Success, Refusal> {
    let rows = resources::ALL.iter().map(|resource| {
        let group = if resource.id == 6 { LOYALTY } else { MAIN };
        let value = json!({ "id": resource.id, "name": resource.name, "groups": [small(group)] });
        Row { id: resource.id, tags: &[], group, value }
    });
    counted(&parameters, rows)
}

/// `resources/get`.
pub(crate) fn resource(_: &mut Altcraft, parameters: Parameters, _: Timestamp) -> Result<Success, Refusal> {
    let resource = resources::find(parameters.required_integer("id")?)?;
    let data = json!({
        "id": resource.id,
        "name": resource.name,
        "channels": resource.channels,
        "dbs_ids": resource.databases,
    });
    Ok(Success::new([("data", data)]))
}

/// `resources/fields_get`.
pub(crate) fn resource_fields(_: &mut Altcraft, parameters: Parameters, _: Timestamp) -> Result<Success, Refusal> {
    resources::find(either(&parameters, "resource_id", "id")?)?;
    Ok(Success::new([("data", json!(fields::of_subscriptions()))]))
}

/// `workflows/list`: groups with `ID` and `title`, `total`, and a blank in the text's key.
pub(crate) fn workflows(altcraft: &mut Altcraft, parameters: Parameters, _: Timestamp) -> Result<Success, Refusal> {
    let rows = altcraft.workflows.iter().map(|(id, workflow)| {
        let (tags, group): (&'static [_], _) = match id {
            12 => (&["crm"], MAIN),
            13 => (&[], MAIN),
            _ => (&[], LOYALTY),
        };
        let value = json!({
            "id": id,
            "name": workflow.name,
            "list_id": workflow.database,
            "is_active": workflow.is_active,
            "mode": "regular",
            "ui_tags": tags,
            "groups": [{ "ID": group.id, "title": group.name }],
            "nodes": [
                { "name": "Default", "type": "start", "node_id": 1 },
                { "title": "Welcome", "type": "email", "node_id": 2 },
            ],
        });
        Row { id: *id, tags, group, value }
    });
    let page = paging::page(&parameters, rows)?;
    let members = [("data", page.data), ("next_from_id", page.next_from_id), ("total", page.total)];
    Ok(Success::with_text_key("error text", members))
}

/// `campaigns/triggers/list`: may be narrowed by `is_active`, and does not say where the next page begins.
pub(crate) fn triggers(altcraft: &mut Altcraft, parameters: Parameters, _: Timestamp) -> Result<Success, Refusal> {
    let wanted = parameters.switch("is_active")?;
    let triggers = altcraft.triggers.iter();
    let rows =
        triggers.filter(|(_, trigger)| wanted.is_none_or(|wanted| wanted == trigger.is_active)).map(|(id, trigger)| {
            let (tags, group): (&'static [_], _) = if *id == 55 { (&["crm"], MAIN) } else { (&[], LOYALTY) };
            let value = json!({
                "id": id,
                "name": trigger.name,
                "type": trigger.kind,
                "is_active": trigger.is_active,
                "for_confirm": false,
                "ui_tags": tags,
                "groups": [small(group)],
            });
            Row { id: *id, tags, group, value }
        });
    let page = paging::page(&parameters, rows)?;
    Ok(Success::new([("data", page.data), ("total_count", page.total)]))
}

fn counted(parameters: &Parameters, rows: impl Iterator<Item = Row>) -> Result<Success, Refusal> {
    let page = paging::page(parameters, rows)?;
    Ok(Success::new([("data", page.data), ("next_from_id", page.next_from_id), ("total_count", page.total)]))
}

fn capitals(group: Group) -> Value {
    json!({ "Id": group.id, "Name": group.name })
}

fn small(group: Group) -> Value {
    json!({ "id": group.id, "name": group.name })
}

/// A number under either name.
fn either(parameters: &Parameters, name: &str, other: &str) -> Result<i64, Refusal> {
    match parameters.integer(name)? {
        Some(id) => Ok(id),
        None => parameters.integer(other)?.ok_or_else(|| missing(name)),
    }
}

fn no_database(id: i64) -> Refusal {
    Refusal::not_found(format!("Database {id} not found"))
}
