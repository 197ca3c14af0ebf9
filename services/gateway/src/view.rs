//! Runs and dead letters as the API answers them, and as the command line prints them.

use base64::{Engine, engine::general_purpose::STANDARD};
use patchbay_proto::executor::v1::{DeadLetterDetail, DeadLetterEntry, Run, Step, StepError, Waiting};
use patchbay_types::{AutomationId, ConnectionId, RunId, Timestamp};
use serde::Serialize;
use serde_json::value::RawValue;

/// Every status of a run.
pub const STATUSES: [&str; 8] =
    ["queued", "running", "waiting", "succeeded", "failed", "cancelled", "outcome_unknown", "filtered"];

/// A part of an executor's answer that can't be read.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("{0} can't be read")]
pub struct Unreadable(pub &'static str);

/// A run as it is answered. Payloads are JSON already and are passed on as they are.
#[derive(Debug, Serialize)]
pub struct ShownRun {
    id: RunId,
    automation_id: AutomationId,
    version: i64,
    event_id: String,
    status: String,
    started_at: Timestamp,
    finished_at: Option<Timestamp>,
    attempt: i64,
    trigger: Option<Box<RawValue>>,
    waiting: Option<ShownWaiting>,
    steps: Vec<ShownStep>,
}

#[derive(Debug, Serialize)]
struct ShownWaiting {
    r#for: String,
    until: Option<Timestamp>,
    connection_id: Option<ConnectionId>,
    reason: String,
}

#[derive(Debug, Serialize)]
struct ShownStep {
    key: String,
    operation: String,
    status: String,
    attempts: i64,
    input: Option<Box<RawValue>>,
    output: Option<Box<RawValue>>,
    error: Option<ShownError>,
}

#[derive(Debug, Serialize)]
struct ShownError {
    class: String,
    message: String,
    partner_status: Option<u32>,
}

/// A dead letter as it is answered.
#[derive(Debug, Serialize)]
pub struct ShownDeadLetter {
    id: i64,
    kind: String,
    reason: String,
    error: String,
    run_id: Option<RunId>,
    event_id: String,
    at: Timestamp,
}

/// A dead letter with the message that it is about.
#[derive(Debug, Serialize)]
pub struct ShownDeadLetterDetail {
    #[serde(flatten)]
    letter: ShownDeadLetter,
    /// The event's data, where it can be read.
    payload: Option<Box<RawValue>>,
    /// The topic of the message; null for those of runs.
    topic: Option<String>,
    /// The message as it came, in Base64; null for those of runs.
    original: Option<String>,
}

/// A run as the API answers it.
///
/// # Errors
/// When an id in it is none.
pub fn run(run: Run) -> Result<ShownRun, Unreadable> {
    Ok(ShownRun {
        id: RunId::from_slice(&run.id).map_err(|_| Unreadable("run id"))?,
        automation_id: AutomationId::from_slice(&run.automation_id).map_err(|_| Unreadable("automation id"))?,
        version: run.version,
        event_id: run.event_id,
        status: run.status,
        started_at: Timestamp::from_micros(run.started_at),
        finished_at: moment(run.finished_at),
        attempt: run.attempt,
        trigger: raw(&run.trigger),
        waiting: run.waiting.map(waiting),
        steps: run.steps.into_iter().map(step).collect(),
    })
}

fn waiting(waiting: Waiting) -> ShownWaiting {
    ShownWaiting {
        r#for: waiting.r#for,
        until: moment(waiting.until),
        connection_id: (waiting.connection_id != 0).then(|| ConnectionId::new(waiting.connection_id)),
        reason: waiting.reason,
    }
}

fn step(step: Step) -> ShownStep {
    ShownStep {
        key: step.key,
        operation: step.operation,
        status: step.status,
        attempts: step.attempts,
        input: raw(&step.input),
        output: raw(&step.output),
        error: step.error.map(|StepError { class, message, partner_status }| ShownError {
            class,
            message,
            partner_status,
        }),
    }
}

/// 0 stands for no time.
fn moment(micros: i64) -> Option<Timestamp> {
    (micros != 0).then(|| Timestamp::from_micros(micros))
}

/// JSON to embed as it is. What is empty, or is no JSON after all, is null.
fn raw(json: &[u8]) -> Option<Box<RawValue>> {
    serde_json::from_slice(json).ok()
}

/// A dead letter as the API answers it.
#[must_use]
pub fn dead_letter(entry: DeadLetterEntry) -> ShownDeadLetter {
    ShownDeadLetter {
        id: entry.id,
        kind: entry.kind,
        reason: entry.reason,
        error: entry.error,
        run_id: RunId::from_slice(&entry.run_id).ok(),
        event_id: entry.event_id,
        at: Timestamp::from_micros(entry.at),
    }
}

/// A dead letter with its message, as the API answers it.
#[must_use]
pub fn dead_letter_detail(detail: DeadLetterDetail) -> ShownDeadLetterDetail {
    ShownDeadLetterDetail {
        letter: dead_letter(detail.entry.unwrap_or_default()),
        payload: raw(&detail.payload),
        topic: Some(detail.topic).filter(|topic| !topic.is_empty()),
        original: (!detail.original.is_empty()).then(|| STANDARD.encode(&detail.original)),
    }
}
