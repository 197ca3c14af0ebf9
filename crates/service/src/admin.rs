//! The admin listener: liveness, readiness, metrics.

use std::{fmt::Write, sync::Arc};

use axum::{
    Router,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use patchbay_runtime::telemetry::Metrics;

use crate::{Check, Verdict};

/// `/healthz` (the process lives), `/readyz` (it makes progress), `/metrics` (Prometheus).
pub fn router(metrics: Metrics, checks: Vec<Check>) -> Router {
    let checks = Arc::new(checks);
    Router::new()
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(async move || readiness(&checks)))
        .route("/metrics", get(async move || exposition(&metrics)))
}

fn readiness(checks: &[Check]) -> Response {
    let mut ready = true;
    let mut text = String::new();
    for check in checks {
        let verdict = check.verdict();
        ready &= !matches!(verdict, Verdict::Fails(_));
        // Writing into a string can't fail.
        let _ = match verdict {
            Verdict::Holds => writeln!(text, "{}: ok", check.name()),
            Verdict::Degraded(reason) => writeln!(text, "{}: degraded: {reason}", check.name()),
            Verdict::Fails(reason) => writeln!(text, "{}: {reason}", check.name()),
        };
    }
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, text).into_response()
}

fn exposition(metrics: &Metrics) -> Response {
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], metrics.render()).into_response()
}
