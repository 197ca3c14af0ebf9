//! `POST /user/auth`: a password for a token, in the envelope of the Universal API.

use std::sync::Arc;

use axum::{
    Json,
    extract::{FromRequest, Request, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use patchbay_types::Fault;
use serde::Deserialize;
use serde_json::json;

use super::{Gateway, Shared, body::JsonBody};

const MICROS_PER_SECOND: i64 = 1_000_000;

/// Holds a password, so it can't be printed.
#[derive(Deserialize)]
struct Credentials {
    email: String,
    password: String,
}

pub(super) async fn log_in(State(gateway): Shared, request: Request) -> Response {
    match admit(&gateway, request).await {
        Ok(response) => response,
        Err(fault) => refusal(&fault),
    }
}

async fn admit(gateway: &Arc<Gateway>, request: Request) -> Result<Response, Fault> {
    let JsonBody(Credentials { email, password }) =
        JsonBody::from_request(request, gateway).await.map_err(|problem| problem.0)?;
    let admission = gateway.door.log_in(&email, &password).await?;
    let valid_until = admission.valid_until.as_micros() / MICROS_PER_SECOND;
    let data = json!({"authToken": admission.token.reveal(), "validUntil": valid_until});
    Ok(Json(json!({"success": true, "data": data})).into_response())
}

fn refusal(fault: &Fault) -> Response {
    let status = StatusCode::from_u16(fault.code.http()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let name = status.canonical_reason().unwrap_or("Error");
    let data = json!({"name": name, "message": fault.message, "code": 0, "status": status.as_u16()});
    (status, Json(json!({"success": false, "data": data}))).into_response()
}
