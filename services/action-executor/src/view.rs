//! Runs as they are shown.

use patchbay_proto::executor::v1::{DeadLetterEntry, Run, Step, StepError, Waiting};

use crate::{
    event::EventData,
    rows::{DeadLetterView, ViewRow},
    steps::{self, StepRecord, StepStatus},
};

/// A run with all steps that its version has: those that were not begun are `pending`. `keys` are (key, operation).
pub(crate) fn run(row: ViewRow, keys: &[(String, String)]) -> Run {
    let status = if row.status == "behind" { "waiting".to_owned() } else { row.status.clone() };
    let mut shown: Vec<Step> = match steps::unpack(&row.steps) {
        Ok(steps) => steps.into_iter().map(step).collect(),
        Err(reason) => {
            tracing::error!(%reason, "steps of a run can't be read");
            Vec::new()
        }
    };
    for (key, operation) in keys.iter().skip(shown.len()) {
        let status = StepStatus::Pending.name().to_owned();
        shown.push(Step { key: key.clone(), operation: operation.clone(), status, ..Step::default() });
    }
    show_current(&row, &mut shown);
    let trigger = EventData::unpack(&row.input).map(|event| event.payload).unwrap_or_default();
    Run {
        waiting: waiting(&row, &status),
        id: row.id.into(),
        workspace_id: row.workspace_id,
        automation_id: row.automation_id.into(),
        version: row.version,
        event_id: row.event_id,
        status,
        started_at: row.started_at,
        finished_at: row.finished_at,
        attempt: row.attempt,
        steps: shown,
        trigger,
    }
}

/// What the row knows better than the journal: the step that is being done.
fn show_current(row: &ViewRow, steps: &mut [Step]) {
    let Some(step) = usize::try_from(row.step).ok().and_then(|index| steps.get_mut(index)) else { return };
    let status = match row.status.as_str() {
        "running" => StepStatus::Running,
        "waiting" | "behind" => StepStatus::Waiting,
        "cancelled" => StepStatus::Cancelled,
        _ => return,
    };
    step.status = status.name().to_owned();
    step.attempts = step.attempts.max(row.attempts);
}

fn waiting(row: &ViewRow, status: &str) -> Option<Waiting> {
    if status != "waiting" && status != "outcome_unknown" {
        return None;
    }
    let what = match (row.due_at, row.behind) {
        (Some(_), _) => "retry",
        (None, Some(_)) => "connection",
        (None, None) => "decision",
    };
    Some(Waiting {
        r#for: what.to_owned(),
        until: row.due_at.unwrap_or(0),
        connection_id: row.behind.unwrap_or(0),
        reason: row.reason.clone().unwrap_or_default(),
    })
}

fn step(record: StepRecord) -> Step {
    let json = |raw: Option<Box<serde_json::value::RawValue>>| {
        raw.map(|raw| bytes::Bytes::from(Box::<str>::from(raw).into_string())).unwrap_or_default()
    };
    Step {
        key: record.key,
        operation: record.operation,
        status: record.status.name().to_owned(),
        attempts: i64::from(record.attempts),
        input: json(record.input),
        output: json(record.output),
        error: record.error.map(|error| StepError {
            class: error.class,
            message: error.message,
            partner_status: error.partner_status.map(u32::from),
        }),
    }
}

/// A dead letter.
pub(crate) fn dead_letter(row: DeadLetterView) -> DeadLetterEntry {
    DeadLetterEntry {
        id: row.id,
        workspace_id: row.workspace_id,
        kind: row.kind,
        reason: row.reason,
        error: row.error,
        run_id: row.run_id.unwrap_or_default().into(),
        event_id: row.event_id,
        at: row.at,
    }
}
