//! What became of calls, under `/_/altcraft/`.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use serde::{Deserialize, Serialize};

use crate::altcraft::{Altcraft, segments};
use crate::inspection::{error, given, listing, refused};
use crate::state::{self, lock};

type Shared = State<Arc<state::State>>;

pub(crate) fn router() -> Router<Arc<state::State>> {
    Router::new()
        .route("/profiles", get(profiles))
        .route("/workflows/{id}/entries", get(entries))
        .route("/triggers/{id}/launches", get(launches))
        .route("/segments/{id}/members", get(members))
        .route("/goals", get(goals))
}

#[derive(Deserialize)]
struct ProfileQuery {
    db_id: Option<String>,
}

/// The profiles of one database or of all, as they were written.
async fn profiles(State(state): Shared, Query(query): Query<ProfileQuery>) -> Response {
    let wanted = match given(query.db_id).map(|text| text.parse::<i64>()) {
        None => None,
        Some(Ok(database)) => Some(database),
        Some(Err(_)) => return refused("db_id is not a whole number"),
    };
    let items: Vec<_> = rows(&state, |altcraft| {
        let databases = altcraft.databases.iter().filter(|(id, _)| wanted.is_none_or(|wanted| wanted == **id));
        databases.flat_map(|(id, database)| database.profiles.iter().map(|profile| profile.row(*id))).collect()
    });
    listing(&items)
}

/// Who entered a scenario, oldest first.
async fn entries(State(state): Shared, Path(id): Path<String>) -> Response {
    let entries = rows(&state, |altcraft| {
        let workflow = altcraft.workflows.get(&id.parse().ok()?)?;
        Some(workflow.entries.iter().map(|(_, entry)| entry.clone()).collect::<Vec<_>>())
    });
    found(entries, "scenario", &id)
}

/// For whom a trigger mailing was launched, oldest first.
async fn launches(State(state): Shared, Path(id): Path<String>) -> Response {
    let launches = rows(&state, |altcraft| {
        let trigger = altcraft.triggers.get(&id.parse().ok()?)?;
        Some(trigger.launches.iter().map(|(_, launch)| launch.clone()).collect::<Vec<_>>())
    });
    found(launches, "trigger mailing", &id)
}

/// Who is in a static segment.
async fn members(State(state): Shared, Path(id): Path<String>) -> Response {
    let members = rows(&state, |altcraft| segments::members(altcraft, id.parse().ok()?));
    found(members, "segment", &id)
}

/// The registered goals, oldest first.
async fn goals(State(state): Shared) -> Response {
    let items: Vec<_> = rows(&state, |altcraft| altcraft.goals.iter().map(|(_, goal)| goal.clone()).collect());
    listing(&items)
}

/// Copies, so that the account is not locked while they are written.
fn rows<T>(state: &state::State, copy: impl FnOnce(&Altcraft) -> T) -> T {
    copy(&lock(&state.altcraft))
}

fn found<T: Serialize>(items: Option<Vec<T>>, kind: &str, id: &str) -> Response {
    match items {
        Some(items) => listing(&items),
        None => error(StatusCode::NOT_FOUND, &format!("there is no {kind} {id}")),
    }
}
