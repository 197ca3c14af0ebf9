//! A run in memory, and how it is driven: the engine decides, this performs.

use std::{sync::Arc, time::Duration};

use patchbay_flow::{
    Answer, Call, DeadReason, Effect, End, Input, Next, Phase, Record, Run as State, advance,
    expression::{Name, Scope, Value},
};
use patchbay_types::{IncarnationId, Timestamp};

use crate::{
    attempt::{Attempt, attempt, shown_input},
    event::EventData,
    executor::Executor,
    gate::{Admission, Permit},
    plan::CompiledAutomation,
    rows::{DeadRow, EndRow, Identity, ProgressRow, TakenRow},
    slots::Slot,
    steps::{self, StepError, StepRecord, StepStatus},
};

/// A run that this process owns.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) identity: Identity,
    pub(crate) epoch: i64,
    /// The incarnation of this process that its row names: it calls under no other.
    pub(crate) owner: IncarnationId,
    pub(crate) automation: Arc<CompiledAutomation>,
    pub(crate) state: State,
    pub(crate) steps: Vec<StepRecord>,
    pub(crate) event: EventData,
    /// The event's data as it is stored.
    pub(crate) packed: Vec<u8>,
    pub(crate) permit: Option<Permit>,
    pub(crate) slot: Slot,
    pub(crate) scope: Option<Scope>,
}

/// Why a run waits, in words for its owner.
const RETRY: &str = "the last try failed";
const UNKNOWN: &str = "nobody knows whether the partner did the step; replay the run to do it again, or cancel it";

impl Run {
    /// A run as it was taken from the store.
    pub(crate) fn resume(
        row: TakenRow,
        owner: IncarnationId,
        automation: Arc<CompiledAutomation>,
        permit: Option<Permit>,
        slot: Slot,
    ) -> Result<Self, (String, Slot)> {
        let read = || -> Result<_, String> {
            let identity = row.identity().ok_or("its ids can't be read")?;
            Ok((identity, steps::unpack(&row.steps)?, EventData::unpack(&row.input)?))
        };
        let (identity, steps, event) = match read() {
            Ok(parts) => parts,
            Err(reason) => return Err((reason, slot)),
        };
        let state = row.state();
        let (epoch, packed) = (row.epoch, row.input);
        Ok(Self { identity, epoch, owner, automation, state, steps, event, packed, permit, slot, scope: None })
    }

    /// What its templates see: the event, and what the steps before gave.
    pub(crate) fn scope(&mut self, now: Timestamp) -> Result<Scope, String> {
        if let Some(scope) = &self.scope {
            return Ok(scope.clone());
        }
        let mut scope = self.event.scope(self.automation.uses_meta, now)?;
        if self.state.step > 0 {
            let done = self.steps.iter().filter(|step| step.status == StepStatus::Succeeded);
            let outputs = done.map(|step| {
                let output = Value::from_pairs([("output", steps::value(step.output.as_deref()))]);
                (step.key.clone(), output)
            });
            scope.set(Name::Steps, Value::from_pairs(outputs));
        }
        self.scope = Some(scope.clone());
        Ok(scope)
    }

    /// The record of the step that is being done.
    pub(crate) fn step_record(&mut self) -> &mut StepRecord {
        let index = self.state.step;
        while self.steps.len() <= index {
            let step = &self.automation.steps[self.steps.len()];
            self.steps.push(StepRecord {
                key: step.key.clone(),
                operation: step.operation.name().to_owned(),
                status: StepStatus::Pending,
                attempts: 0,
                input: None,
                output: None,
                error: None,
            });
        }
        &mut self.steps[index]
    }
}

/// Drives a run that was claimed with a permit: its first step's start is recorded already.
pub(crate) async fn drive_claimed(executor: Arc<Executor>, run: Run, call: Call) {
    drive(&executor, run, call).await;
}

/// Drives a run that was read from the store.
pub(crate) async fn drive_taken(executor: Arc<Executor>, mut run: Run, taken_over: bool) {
    let permitted = run.permit.is_some();
    let input = if taken_over { Input::TakenOver { permitted } } else { Input::Due { permitted } };
    let (state, effects) = advance(run.state.clone(), &run.automation.flow, &input);
    run.state = state;
    if let Some((run, call)) = perform(&executor, run, effects, None).await {
        drive(&executor, run, call).await;
    }
}

async fn drive(executor: &Arc<Executor>, mut run: Run, mut call: Call) {
    loop {
        let Some(attempt) = attempt(executor, &mut run, call).await else {
            tracing::warn!(run = %run.identity.id, "this process was declared dead, the run goes on elsewhere");
            return;
        };
        run.permit = None;
        let last = call.step + 1 == run.automation.steps.len();
        if attempt.answer == Answer::Done && !last {
            run.permit = permit_for(executor, &run, call.step + 1);
        }
        let answered = Input::Answered { answer: attempt.answer, permitted: run.permit.is_some() };
        note(&mut run, call, &attempt);
        let (state, effects) = advance(run.state.clone(), &run.automation.flow, &answered);
        run.state = state;
        if attempt.answer == Answer::Done {
            run.scope = None;
        }
        match perform(executor, run, effects, attempt.reason).await {
            Some(next) => (run, call) = next,
            None => return,
        }
    }
}

/// Takes a permit for a step's connection, if one is to be had now.
pub(crate) fn permit_for(executor: &Executor, run: &Run, step: usize) -> Option<Permit> {
    let connection = run.automation.steps.get(step)?.connection;
    match executor.gates.gate(connection).admit(executor.clock.since_boot()) {
        Admission::Permit(permit) => Some(permit),
        Admission::Full | Admission::Closed(_) => None,
    }
}

/// Writes into the step's record how its try ended.
fn note(run: &mut Run, call: Call, attempt: &Attempt) {
    let record = run.step_record();
    if attempt.answer != Answer::NotTried {
        record.attempts = call.attempt;
    }
    if attempt.input.is_some() {
        record.input.clone_from(&attempt.input);
    }
    record.output.clone_from(&attempt.output);
    record.error = attempt.failure.as_ref().map(StepError::from);
    record.status = match attempt.answer {
        Answer::Done => StepStatus::Succeeded,
        Answer::Failed(Next::GiveUp) | Answer::Unknown(Next::GiveUp) => StepStatus::Failed,
        Answer::Failed(_) | Answer::Unknown(_) | Answer::NotTried => StepStatus::Waiting,
    };
}

/// Performs effects in their order. Gives the run back with its next call, or nothing when it left this process's hands.
async fn perform(
    executor: &Arc<Executor>,
    mut run: Run,
    effects: Vec<Effect>,
    reason: Option<String>,
) -> Option<(Run, Call)> {
    for effect in effects {
        match effect {
            Effect::Call(call) => return Some((run, call)),
            Effect::Record(Record::Ended(end)) => {
                finish(executor, run, end).await;
                return None;
            }
            Effect::Record(record) => {
                if !record_progress(executor, &mut run, record, reason.clone()).await {
                    return None;
                }
            }
        }
    }
    None
}

/// Records where the run stands. False when it is no longer ours.
async fn record_progress(executor: &Arc<Executor>, run: &mut Run, record: Record, reason: Option<String>) -> bool {
    let connection = run.automation.steps.get(run.state.step).map(|step| step.connection);
    let now = executor.now();
    let due = |delay: Duration| Some(now.after(delay));
    let (due_at, behind, reason) = match (record, run.state.phase) {
        (Record::Wait { delay }, _) => (due(delay), None, Some(RETRY.to_owned())),
        (Record::OutcomeUnknown, _) => {
            // Nothing was noted of a try over which its process died.
            let (attempts, input) = (run.state.attempts, shown_input(executor, run));
            let record = run.step_record();
            record.attempts = attempts;
            record.input = record.input.take().or(input);
            record.status = StepStatus::OutcomeUnknown;
            (None, None, Some(UNKNOWN.to_owned()))
        }
        (_, Phase::Behind) => (None, connection, reason.or_else(|| Some("waits for its connection".to_owned()))),
        (_, _) => (None, None, None),
    };
    let owner = executor.lease.owner();
    let mine = run.state.phase == Phase::Running;
    let row = ProgressRow {
        id: run.identity.id,
        epoch: run.epoch,
        state: run.state.clone(),
        owner: mine.then_some(owner),
        due_at,
        behind,
        reason,
        steps: steps::pack(&run.steps),
    };
    let written = executor.writer.progress(row).await;
    run.owner = owner;
    if !written {
        tracing::warn!(run = %run.identity.id, epoch = run.epoch, "run was taken by another process, it goes on there");
    } else if let Some(connection) = behind {
        executor.gates.gate(connection).joined();
    }
    written
}

async fn finish(executor: &Arc<Executor>, mut run: Run, end: End) {
    let now = executor.now();
    let (status, dead_reason) = match end {
        End::Succeeded => ("succeeded", None),
        End::Failed(reason) => ("failed", Some(reason)),
        End::Cancelled => ("cancelled", None),
    };
    if dead_reason.is_some() {
        run.step_record().status = StepStatus::Failed;
    }
    let error = run.steps.last().and_then(|step| step.error.clone());
    let dead = dead_reason.map(|reason| dead_run(&run.identity, reason, error.as_ref(), now));
    let row = EndRow {
        epoch: run.epoch,
        status,
        step: run.state.step,
        in_doubt: run.state.in_doubt,
        generation: run.state.generation,
        finished_at: now,
        error_class: error_class(dead.is_some(), error.as_ref()),
        connections: run.automation.connections.clone(),
        input: run.packed,
        steps: steps::pack(&run.steps),
        dead,
        identity: run.identity,
    };
    executor.writer.end(row, run.slot).await;
}

/// Ends a run that can't even begin, because its automation can't be compiled or its row can't be read.
pub(crate) async fn fail_at_once(executor: &Executor, row: TakenRow, reason: &str, slot: Slot) {
    let Some(identity) = row.identity() else {
        tracing::error!(reason, "a run's row can't be read, it stays where it is");
        return;
    };
    let now = executor.now();
    let class = patchbay_connector::ErrorClass::Configuration.name();
    let error = StepError { class: class.to_owned(), message: reason.to_owned(), partner_status: None };
    let state = row.state();
    let end = EndRow {
        epoch: row.epoch,
        status: "failed",
        step: state.step,
        in_doubt: state.in_doubt,
        generation: state.generation,
        finished_at: now,
        error_class: class,
        connections: String::from(","),
        dead: Some(dead_run(&identity, DeadReason::StepFailed, Some(&error), now)),
        input: row.input,
        steps: if row.steps.is_empty() { steps::unbegun(class, reason) } else { row.steps },
        identity,
    };
    executor.writer.end(end, slot).await;
}

fn dead_run(identity: &Identity, reason: DeadReason, error: Option<&StepError>, at: Timestamp) -> DeadRow {
    DeadRow {
        workspace: identity.workspace.get(),
        kind: "run",
        reason: reason.name().to_owned(),
        error: error.map(|error| error.message.clone()).unwrap_or_default(),
        run: Some(identity.id),
        source: None,
        event_id: identity.event_id.clone(),
        original: None,
        at,
    }
}

fn error_class(failed: bool, error: Option<&StepError>) -> &'static str {
    if !failed {
        return "";
    }
    let class = error.and_then(|error| patchbay_connector::ErrorClass::from_name(&error.class));
    class.map_or("system", patchbay_connector::ErrorClass::name)
}
