//! The sandbox's own paths under `/_/`: what partners got, what they hold, and how they shall fail.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use patchbay_types::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::altcraft;
use crate::call::Answer;
use crate::requests::{Filter, Item, Since};
use crate::state::{self, lock};

type Shared = State<Arc<state::State>>;

pub(crate) fn router() -> Router<Arc<state::State>> {
    Router::new()
        .route("/healthz", get(health))
        .route("/reset", post(reset))
        .route("/requests", get(requests))
        .route("/faults", get(faults).post(add_fault).delete(clear_faults))
        .nest("/altcraft", altcraft::inspection::router())
        .route("/crm/contacts", get(crm_contacts))
        .route("/crm/deliveries", get(crm_deliveries))
        .fallback(not_found)
}

async fn health() -> Response {
    done(&json!({ "status": "ok" }))
}

async fn reset(State(state): Shared) -> Response {
    state.reset();
    done(&json!({}))
}

#[derive(Deserialize)]
struct RequestQuery {
    partner: Option<String>,
    path: Option<String>,
    since: Option<String>,
}

async fn requests(State(state): Shared, Query(query): Query<RequestQuery>) -> Response {
    let since = match given(query.since).as_deref().map(since) {
        None => None,
        Some(Some(since)) => Some(since),
        Some(None) => return refused("since is neither the id of a request nor a time like 2026-01-31T08:00:00Z"),
    };
    let filter = Filter { partner: given(query.partner), path: given(query.path), since };
    let found = lock(&state.requests).list(&filter);
    let items: Vec<Item> = found.into_iter().map(|(id, request)| Item(id, request)).collect();
    listing(&items)
}

async fn faults(State(state): Shared) -> Response {
    let items = lock(&state.faults).list();
    listing(&items)
}

async fn add_fault(State(state): Shared, body: Bytes) -> Response {
    let added = lock(&state.faults).add(&body);
    match added {
        Ok(fault) => done(&fault),
        Err(error) => refused(&error.to_string()),
    }
}

async fn clear_faults(State(state): Shared) -> Response {
    lock(&state.faults).clear();
    done(&json!({}))
}

async fn crm_contacts(State(state): Shared) -> Response {
    let items = lock(&state.crm).contacts();
    listing(&items)
}

async fn crm_deliveries(State(state): Shared) -> Response {
    let items = lock(&state.crm).attempts();
    listing(&items)
}

async fn not_found() -> Response {
    error(StatusCode::NOT_FOUND, "the sandbox has no such path of its own")
}

/// A parameter that is not empty.
pub(crate) fn given(value: Option<String>) -> Option<String> {
    value.filter(|text| !text.is_empty())
}

/// Reads an id, or an RFC 3339 time in UTC of any precision.
fn since(text: &str) -> Option<Since> {
    if let Ok(id) = text.parse() {
        return Some(Since::Id(id));
    }
    let (date, second) = text.strip_suffix('Z')?.split_at_checked(19)?;
    let fraction: String = second.trim_start_matches('.').chars().chain("000000".chars()).take(6).collect();
    let time: Timestamp = serde_json::from_value(Value::String(format!("{date}.{fraction}Z"))).ok()?;
    Some(Since::Time(time))
}

pub(crate) fn listing<T: Serialize>(items: &[T]) -> Response {
    #[derive(Serialize)]
    struct Listing<'a, T> {
        items: &'a [T],
    }
    done(&Listing { items })
}

fn done(value: &impl Serialize) -> Response {
    Answer::json(StatusCode::OK, value).into_response()
}

pub(crate) fn refused(message: &str) -> Response {
    error(StatusCode::BAD_REQUEST, message)
}

pub(crate) fn error(status: StatusCode, message: &str) -> Response {
    Answer::json(status, &json!({ "error": message })).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_ids_and_times_of_any_precision() {
        let time = |micros| Some(Since::Time(Timestamp::from_micros(micros)));
        assert_eq!(since("17"), Some(Since::Id(17)));
        assert_eq!(since("1970-01-01T00:00:01Z"), time(1_000_000));
        assert_eq!(since("1970-01-01T00:00:01.5Z"), time(1_500_000));
        assert_eq!(since("1970-01-01T00:00:01.000002003Z"), time(1_000_002));
        assert_eq!(since("yesterday"), None);
        assert_eq!(since("-1"), None);
    }
}
