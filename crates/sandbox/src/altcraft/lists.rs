//! The lists that fill dropdowns, each with the keys of its own that the real ones have.

use patchbay_types::Timestamp;
use serde_json::{Value, json};

use crate::altcraft::Altcraft;
use crate::altcraft::envelope::{Refusal, Success};
use crate::altcraft::parameters::Parameters;

const DEFAULT_LIMIT: i64 = 1000;

/// `databases/list`: groups with capitals, `total_count`.
pub(crate) fn databases(altcraft: &mut Altcraft, parameters: Parameters, _: Timestamp) -> Result<Success, Refusal> {
    let rows = altcraft.databases.iter().map(|(id, database)| {
        let row = json!({
            "id": id,
            "name": database.name,
            "ui_tags": [],
            "Groups": [{ "Id": 1, "Name": "main" }],
        });
        (*id, row)
    });
    let (data, next_from_id) = page(&parameters, rows)?;
    let total = json!(altcraft.databases.len());
    Ok(Success::new([("data", data), ("next_from_id", next_from_id), ("total_count", total)]))
}

/// `workflows/list`: groups with `ID` and `title`, `total`, and a blank in the text's key.
pub(crate) fn workflows(altcraft: &mut Altcraft, parameters: Parameters, _: Timestamp) -> Result<Success, Refusal> {
    let rows = altcraft.workflows.iter().map(|(id, workflow)| {
        let row = json!({
            "id": id,
            "name": workflow.name,
            "list_id": workflow.database,
            "is_active": workflow.is_active,
            "mode": "regular",
            "ui_tags": [],
            "groups": [{ "ID": 1, "title": "main" }],
            "nodes": [
                { "name": "Default", "type": "start", "node_id": 1 },
                { "title": "Welcome", "type": "email", "node_id": 2 },
            ],
        });
        (*id, row)
    });
    let (data, next_from_id) = page(&parameters, rows)?;
    let total = json!(altcraft.workflows.len());
    Ok(Success::with_text_key("error text", [("data", data), ("next_from_id", next_from_id), ("total", total)]))
}

/// The rows from `from_id` on, at most `limit`, and where the next page begins. The page behind the last one is empty
/// and gives its own beginning.
fn page(parameters: &Parameters, rows: impl Iterator<Item = (i64, Value)>) -> Result<(Value, Value), Refusal> {
    let from_id = parameters.integer("from_id")?.unwrap_or(1);
    let limit = parameters.integer("limit")?.unwrap_or(DEFAULT_LIMIT);
    let limit = usize::try_from(limit)
        .ok()
        .filter(|limit| *limit > 0)
        .ok_or_else(|| Refusal::bad("Incorrect request: limit is not positive"))?;

    let page: Vec<(i64, Value)> = rows.filter(|(id, _)| *id >= from_id).take(limit).collect();
    let next_from_id = page.last().map_or(from_id, |(id, _)| id + 1);
    let data = page.into_iter().map(|(_, row)| row).collect();
    Ok((data, json!(next_from_id)))
}
