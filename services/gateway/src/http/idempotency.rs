//! `Idempotency-Key`: a POST that is sent again gets the answer that the first one got.

use std::{sync::Arc, time::Duration};

use axum::{
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use patchbay_service::problem::Problem;
use patchbay_types::{
    Timestamp,
    fault::{Code, Fault},
};
use sha2::{Digest, Sha256};
use tokio::sync::oneshot;

use super::{Gateway, Shared, body, caller::Caller};
use crate::{
    Error,
    store::{Kept, Slot},
    workers::ANSWERS_KEPT,
};

const HEADER: &str = "idempotency-key";
const LONGEST_KEY: usize = 200;
/// A request without an answer after this time ended with its process: the next one may take its place.
const GIVEN_UP: Duration = Duration::from_mins(2);
/// The largest answer that is kept, in bytes.
const LARGEST_ANSWER: usize = 64 * 1024 * 1024;

/// What to do with a request.
enum Verdict {
    /// It is the first: perform it, and keep its answer in the slot taken at this time.
    Perform(Timestamp),
    Answered(Response),
}

pub(super) async fn keep(State(gateway): Shared, request: Request, next: Next) -> Response {
    if request.method() != Method::POST || !request.headers().contains_key(HEADER) {
        return next.run(request).await;
    }
    let caller = match Caller::find(&gateway, request.headers()).await {
        Ok(caller) => caller,
        Err(refusal) => return refusal.into_response(),
    };
    match keep_of(gateway, caller, request, next).await {
        Ok(response) => response,
        Err(fault) => Problem(fault).into_response(),
    }
}

async fn keep_of(gateway: Arc<Gateway>, caller: Caller, request: Request, next: Next) -> Result<Response, Fault> {
    let slot = slot(caller, request.uri().path(), request.headers())?;
    let (head, body) = request.into_parts();
    let body = body::read(body).await.map_err(|problem| problem.0)?;
    let body_digest = Sha256::digest(&body);
    let begun_at = match judge(&gateway, &slot, &body_digest).await? {
        Verdict::Perform(begun_at) => begun_at,
        Verdict::Answered(response) => return Ok(response),
    };
    let request = Request::from_parts(head, Body::from(body));
    // In a task of its own, so that it ends, and its answer is kept, when the caller does not wait for it.
    let (sender, receiver) = oneshot::channel();
    let tasks = gateway.tasks.clone();
    tasks.spawn("request with an idempotency key", async move {
        // Nobody may be there to receive it any more.
        let _ = sender.send(perform(&gateway, &slot, begun_at, request, next).await);
    });
    receiver.await.map_err(|_| Fault::new(Code::Unavailable, "the request was interrupted; send it again"))?
}

fn slot(caller: Caller, path: &str, headers: &HeaderMap) -> Result<Slot, Fault> {
    let key = headers.get(HEADER).and_then(|value| value.to_str().ok()).unwrap_or_default().trim();
    if key.is_empty() || key.len() > LONGEST_KEY {
        let message = format!("Idempotency-Key must have 1 to {LONGEST_KEY} visible characters");
        return Err(Fault::invalid(message).with_field("Idempotency-Key"));
    }
    let digest = Sha256::new().chain_update(path).chain_update([0]).chain_update(key).finalize().into();
    Ok(Slot { workspace: caller.workspace, digest })
}

async fn judge(gateway: &Gateway, slot: &Slot, body_digest: &[u8]) -> Result<Verdict, Fault> {
    let now = gateway.store.now(&gateway.clock).await.map_err(Error::Store)?;
    if gateway.store.begin_answer(slot, body_digest, now).await.map_err(Error::Store)? {
        return Ok(Verdict::Perform(now));
    }
    let Some(Kept { body_digest: first, begun_at, answer }) = gateway.store.answer(slot).await.map_err(Error::Store)?
    else {
        return Ok(Verdict::Answered(still_running()));
    };
    let age = now.since(begun_at);
    let is_the_same = first == body_digest;
    let is_over = age >= ANSWERS_KEPT || (is_the_same && answer.is_none() && age >= GIVEN_UP);
    if is_over {
        let taken = gateway.store.take_over_answer(slot, body_digest, now, begun_at).await.map_err(Error::Store)?;
        return Ok(if taken { Verdict::Perform(now) } else { Verdict::Answered(still_running()) });
    }
    if !is_the_same {
        let message = "this Idempotency-Key was used with another body; take a new key for a new request";
        return Err(Fault::new(Code::Conflict, message));
    }
    Ok(Verdict::Answered(answer.map_or_else(still_running, |(status, body)| replay(status, body))))
}

async fn perform(
    gateway: &Gateway,
    slot: &Slot,
    begun_at: Timestamp,
    request: Request,
    next: Next,
) -> Result<Response, Fault> {
    let (head, body) = next.run(request).await.into_parts();
    let unreadable = |_| Fault::new(Code::Internal, "the answer is too large");
    let body: Bytes = to_bytes(body, LARGEST_ANSWER).await.map_err(unreadable)?;
    let may_differ_next_time = head.status.is_server_error() || head.status == StatusCode::TOO_MANY_REQUESTS;
    let kept = if may_differ_next_time {
        gateway.store.drop_answer(slot, begun_at).await
    } else {
        gateway.store.finish_answer(slot, begun_at, head.status.as_u16(), &body).await
    };
    if let Err(error) = kept {
        // It was performed: the caller must learn the outcome all the same.
        tracing::error!(reason = error.chain(), "answer to a request with an idempotency key can't be kept");
    }
    Ok(Response::from_parts(head, Body::from(body)))
}

fn replay(status: i64, body: Vec<u8>) -> Response {
    let status = u16::try_from(status).ok().and_then(|status| StatusCode::from_u16(status).ok());
    let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let kind = if status.is_success() { "application/json" } else { "application/problem+json" };
    (status, [(header::CONTENT_TYPE, kind)], body).into_response()
}

fn still_running() -> Response {
    let message = "the first request with this Idempotency-Key is still being answered; try again in a second";
    let mut response = Problem(Fault::new(Code::Conflict, message)).into_response();
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    response
}
