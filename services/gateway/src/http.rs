//! The public HTTP API.

mod automations;
mod body;
mod caller;
mod connections;
mod connectors;
mod dead_letters;
mod events;
mod idempotency;
mod login;
mod page;
mod path;
mod runs;
mod workspace;

use std::{future::Future, sync::Arc, time::Duration};

use axum::{
    Json, Router,
    http::{StatusCode, Uri},
    middleware,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use patchbay_runtime::{Clock, Tasks};
use patchbay_service::{
    problem::{self, Problem},
    status,
};
use patchbay_types::fault::{Code, Fault};
use tonic::Status;

use crate::{Peers, sessions::Sessions, store::Store, users::Door};

/// How long a peer may take to answer.
const PEER_DEADLINE: Duration = Duration::from_secs(30);
/// The largest answer of a peer, in bytes: a page of runs with their payloads.
const LARGEST_ANSWER: usize = 256 * 1024 * 1024;

/// What handlers need.
#[derive(Debug)]
pub(crate) struct Gateway {
    pub(crate) door: Door,
    pub(crate) sessions: Sessions,
    pub(crate) store: Store,
    pub(crate) clock: Clock,
    pub(crate) tasks: Tasks,
    pub(crate) peers: Peers,
    /// The public URL without a slash at its end.
    pub(crate) base: String,
}

type Shared = axum::extract::State<Arc<Gateway>>;
type Answer<T> = Result<T, Problem>;

pub(crate) fn router(gateway: Arc<Gateway>) -> Router {
    let native = Router::new()
        .route("/v1/automations", get(automations::list).post(automations::create))
        .route(
            "/v1/automations/{id}",
            get(automations::show).patch(automations::patch).put(automations::replace).delete(automations::delete),
        )
        .route("/v1/automations/{id}/publish", post(automations::publish))
        .route("/v1/automations/{id}/pause", post(automations::pause))
        .route("/v1/automations/{id}/start", post(automations::start))
        .route("/v1/connections", get(connections::list).post(connections::create))
        .route("/v1/connections/{id}", get(connections::show).patch(connections::patch).delete(connections::delete))
        .route("/v1/connections/{id}/test", post(connections::test))
        .route("/v1/connections/{id}/disconnect", post(connections::disconnect))
        .route("/v1/connections/{id}/reactivate", post(connections::reactivate))
        .route("/v1/connections/{id}/lists/{list}", get(connectors::options))
        .route("/v1/connections/{id}/update", post(connectors::update))
        .route("/v1/connectors", get(connectors::list))
        .route("/v1/connectors/{partner}", get(connectors::show))
        .route("/v1/connectors/{partner}/operations/{key}", get(connectors::show_operation))
        .route("/v1/connectors/{partner}/operations/{key}/fields", post(connectors::fields))
        .route("/v1/runs", get(runs::list))
        .route("/v1/runs/{id}", get(runs::show))
        .route("/v1/runs/{id}/replay", post(runs::replay))
        .route("/v1/runs/{id}/cancel", post(runs::cancel))
        .route("/v1/dead-letters", get(dead_letters::list))
        .route("/v1/dead-letters/{id}", get(dead_letters::show).delete(dead_letters::delete))
        .route("/v1/dead-letters/{id}/replay", post(dead_letters::replay))
        .route("/v1/workspace", get(workspace::show))
        .route_layer(middleware::from_fn_with_state(Arc::clone(&gateway), idempotency::keep));
    Router::new()
        .merge(native)
        // The key of what is published is the event's id, so no other key is kept.
        .route("/v1/events", post(events::publish).get(events::tail))
        .route("/user/auth", post(login::log_in))
        .route("/api/user/auth", post(login::log_in))
        .fallback(unknown_path)
        .method_not_allowed_fallback(async || problem::method_not_allowed("this path does not take this method"))
        .with_state(gateway)
}

async fn unknown_path(uri: Uri) -> Problem {
    let path: String = uri.path().chars().take(200).collect();
    Problem(Fault::new(Code::NotFound, format!("there is nothing at {path}")))
}

/// What a peer answers in time.
async fn ask<T>(peer: &'static str, call: impl Future<Output = Result<tonic::Response<T>, Status>>) -> Answer<T> {
    let answer = tokio::time::timeout(PEER_DEADLINE, call).await;
    let answer = answer.unwrap_or_else(|_| Err(Status::deadline_exceeded("no answer in time")));
    answer.map(tonic::Response::into_inner).map_err(|status| Problem(status::of_peer(peer, &status)))
}

/// A request that may take as long as we wait for it, because the peer itself waits for a partner or the broker.
fn patient<T>(message: T) -> tonic::Request<T> {
    let mut request = tonic::Request::new(message);
    request.set_timeout(PEER_DEADLINE);
    request
}

fn created(body: impl serde::Serialize) -> Response {
    (StatusCode::CREATED, Json(body)).into_response()
}

/// An answer of a peer that we can't read is a defect of ours, not of the caller.
fn unreadable(what: &'static str) -> Problem {
    tracing::error!(what, "a peer's answer can't be read");
    Problem(Fault::new(Code::Internal, "something is wrong here; the log says what"))
}
