//! What lists have in common: where a page begins and ends, and which rows are left out.

use serde_json::{Value, json};

use crate::altcraft::envelope::Refusal;
use crate::altcraft::parameters::Parameters;

const DEFAULT_LIMIT: usize = 1000;

/// Larger limits count as this one.
const LARGEST_LIMIT: usize = 10_000;

/// A group of objects, by which roles and lists may be narrowed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Group {
    pub(crate) id: i64,
    pub(crate) name: &'static str,
}

pub(crate) const MAIN: Group = Group { id: 1, name: "main" };
pub(crate) const LOYALTY: Group = Group { id: 2, name: "loyalty" };

/// A row with what lists are narrowed by.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) id: i64,
    pub(crate) tags: &'static [&'static str],
    pub(crate) group: Group,
    /// The row as it is shown.
    pub(crate) value: Value,
}

/// One page of rows.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) data: Value,
    /// Where the next page begins. The page behind the last one is empty and gives its own beginning.
    pub(crate) next_from_id: Value,
    /// How many rows there are on all pages.
    pub(crate) total: Value,
}

/// The rows from `from_id` on, at most `limit`, of those that `ui_tags`, `groups` and `groups_id` let pass.
pub(crate) fn page(parameters: &Parameters, rows: impl Iterator<Item = Row>) -> Result<Page, Refusal> {
    let tags = parameters.texts("ui_tags")?;
    let groups = parameters.texts("groups")?;
    let group_ids = parameters.integers("groups_id")?;
    let from_id = parameters.integer("from_id")?.unwrap_or(1);
    let limit = limit(parameters)?;

    let passes = |row: &Row| {
        (tags.is_empty() || tags.iter().any(|tag| row.tags.contains(&tag.as_str())))
            && (groups.is_empty() || groups.iter().any(|name| name == row.group.name))
            && (group_ids.is_empty() || group_ids.contains(&row.group.id))
    };
    let rows: Vec<Row> = rows.filter(passes).collect();
    let total = rows.len();
    let page: Vec<Row> = rows.into_iter().filter(|row| row.id >= from_id).take(limit).collect();
    let next_from_id = page.last().map_or(from_id, |row| row.id + 1);
    let data = page.into_iter().map(|row| row.value).collect();
    Ok(Page { data, next_from_id: json!(next_from_id), total: json!(total) })
}

/// How many rows a page may have.
pub(crate) fn limit(parameters: &Parameters) -> Result<usize, Refusal> {
    let Some(limit) = parameters.integer("limit")? else { return Ok(DEFAULT_LIMIT) };
    let limit = usize::try_from(limit).ok().filter(|limit| *limit > 0);
    let limit = limit.ok_or_else(|| Refusal::bad("Incorrect request: limit is not positive"))?;
    Ok(limit.min(LARGEST_LIMIT))
}
