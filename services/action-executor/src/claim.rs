//! The claim: runs and the memory of their events in one transaction, then the acknowledgement, then the first call.

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use patchbay_broker::Delivery;
use patchbay_connector::ErrorClass;
use patchbay_flow::{Effect, Input, Run as State, advance};
use patchbay_proto::event::v1::TriggerFired;
use patchbay_types::{ConnectionId, IncarnationId, RunId, Timestamp, WorkspaceId};

use crate::{
    batch::FIRST_EPOCH,
    definitions::{Compiled, Listener},
    event::{EventData, seen_key},
    executor::Executor,
    gate::Permit,
    plan::CompiledAutomation,
    rows::{DeadRow, EndRow, Identity, OpenRow},
    run::{Run, drive_claimed},
    slots::Slot,
    steps,
};

/// A run that is about to be claimed.
#[derive(Debug)]
pub(crate) struct Candidate {
    identity: Identity,
    pub(crate) compiled: Compiled,
    event: EventData,
    packed: Vec<u8>,
    seen: [u8; 16],
    seen_at: Timestamp,
    seen_until: Timestamp,
    pub(crate) permit: Option<Permit>,
    pub(crate) reason: Option<&'static str>,
    slot: Slot,
    share: Arc<Share>,
}

/// A delivery that several runs share: acknowledged when the last of them is claimed, released when one is dropped.
#[derive(Debug)]
pub(crate) struct Share {
    delivery: Mutex<Option<Delivery>>,
    open: AtomicUsize,
}

impl Share {
    pub(crate) fn new(delivery: Delivery, runs: usize) -> Arc<Self> {
        Arc::new(Self { delivery: Mutex::new(Some(delivery)), open: AtomicUsize::new(runs) })
    }

    /// One of its runs is claimed. Gives the delivery back when it was the last.
    fn claimed(&self) -> Option<Delivery> {
        let last = self.open.fetch_sub(1, Ordering::AcqRel) == 1;
        last.then(|| self.delivery.lock().unwrap_or_else(PoisonError::into_inner).take()).flatten()
    }
}

/// Claims in one transaction, acknowledges, and begins what was claimed with a permit.
pub(crate) async fn claim(executor: &Arc<Executor>, candidates: Vec<Candidate>) {
    let owner = executor.lease.owner();
    let mut rows = Vec::with_capacity(candidates.len());
    let mut begun = HashMap::with_capacity(candidates.len());
    for candidate in candidates {
        let (row, state, effects) = open_row(&candidate, owner);
        begun.insert(row.identity.id, (candidate, state, effects));
        rows.push(row);
    }
    let Some(opened) = executor.writer.open(rows).await else { return };
    let mut acknowledged = Vec::with_capacity(begun.len());
    let opened: HashSet<RunId> = opened.into_iter().collect();
    for (id, (candidate, state, effects)) in begun {
        acknowledged.extend(candidate.share.claimed());
        if opened.contains(&id) {
            begin(executor, candidate, owner, state, effects);
        }
    }
    Delivery::acknowledge_all(acknowledged);
}

/// A run of one automation for one event, without a permit yet.
pub(crate) fn candidate(
    executor: &Executor,
    event: &TriggerFired,
    listener: Listener,
    data: &EventData,
    packed: Vec<u8>,
    slot: Slot,
    share: &Arc<Share>,
) -> Candidate {
    let now = executor.now();
    let accepted_at = Timestamp::from_micros(event.accepted_at);
    let window = match u64::try_from(event.dedupe_window) {
        Ok(micros) if micros > 0 => Duration::from_micros(micros),
        _ => executor.retention.dedupe(),
    };
    let identity = Identity {
        id: RunId::generate(),
        workspace: WorkspaceId::new(listener.workspace),
        automation: listener.id,
        version: listener.version,
        event_id: event.event_id.replace('\0', ""),
        started_at: now,
        attempt: 1,
    };
    Candidate {
        seen: seen_key(listener.id, event),
        seen_at: accepted_at,
        seen_until: accepted_at.after(window),
        identity,
        compiled: listener.compiled,
        event: data.clone(),
        packed,
        permit: None,
        reason: None,
        slot,
        share: Arc::clone(share),
    }
}

/// The connection that a run needs first.
pub(crate) fn first_connection(compiled: &Compiled) -> Option<ConnectionId> {
    compiled.as_ref().ok().and_then(|automation| automation.steps.first()).map(|step| step.connection)
}

fn open_row(candidate: &Candidate, owner: IncarnationId) -> (OpenRow, State, Vec<Effect>) {
    // A run that can't be compiled is opened as ours, and failed right after.
    let permitted = candidate.permit.is_some();
    let (state, effects) = match &candidate.compiled {
        Ok(automation) => advance(State::new(), &automation.flow, &Input::Claimed { permitted }),
        Err(_) => (State::new(), Vec::new()),
    };
    let behind = first_connection(&candidate.compiled).filter(|_| !permitted);
    let row = OpenRow {
        identity: candidate.identity.clone(),
        state: state.clone(),
        owner: behind.is_none().then_some(owner),
        behind,
        reason: candidate.reason,
        connections: candidate
            .compiled
            .as_ref()
            .map_or_else(|_| ",".to_owned(), |compiled| compiled.connections.clone()),
        input: candidate.packed.clone(),
        seen: candidate.seen,
        seen_at: candidate.seen_at,
        seen_until: candidate.seen_until,
    };
    (row, state, effects)
}

/// Begins a run that is durable now.
fn begin(executor: &Arc<Executor>, candidate: Candidate, owner: IncarnationId, state: State, effects: Vec<Effect>) {
    let automation = match &candidate.compiled {
        Ok(automation) => Arc::clone(automation),
        Err(reason) => {
            let reason = Arc::clone(reason);
            let executor_of_task = Arc::clone(executor);
            let failing = async move { fail_uncompiled(&executor_of_task, candidate, &reason).await };
            executor.tasks.spawn("run that can't begin", failing);
            return;
        }
    };
    let call = effects.iter().find_map(|effect| match effect {
        Effect::Call(call) => Some(*call),
        Effect::Record(_) => None,
    });
    match call {
        Some(call) => {
            let run = into_run(candidate, owner, automation, state);
            executor.tasks.spawn("run", drive_claimed(Arc::clone(executor), run, call));
        }
        None => {
            if let Some(step) = automation.steps.first() {
                executor.gates.gate(step.connection).joined();
            }
        }
    }
}

fn into_run(candidate: Candidate, owner: IncarnationId, automation: Arc<CompiledAutomation>, state: State) -> Run {
    Run {
        identity: candidate.identity,
        epoch: FIRST_EPOCH,
        owner,
        automation,
        state,
        steps: Vec::new(),
        event: candidate.event,
        packed: candidate.packed,
        permit: candidate.permit,
        slot: candidate.slot,
        scope: None,
    }
}

async fn fail_uncompiled(executor: &Executor, candidate: Candidate, reason: &str) {
    let class = ErrorClass::Configuration.name();
    let now = executor.now();
    let identity = candidate.identity;
    let dead = DeadRow {
        workspace: identity.workspace.get(),
        kind: "run",
        reason: "step_failed".to_owned(),
        error: reason.to_owned(),
        run: Some(identity.id),
        source: None,
        event_id: identity.event_id.clone(),
        original: None,
        at: now,
    };
    let row = EndRow {
        epoch: FIRST_EPOCH,
        status: "failed",
        step: 0,
        in_doubt: false,
        generation: 0,
        finished_at: now,
        error_class: class,
        connections: ",".to_owned(),
        input: candidate.packed,
        steps: steps::unbegun(class, reason),
        dead: Some(dead),
        identity,
    };
    executor.writer.end(row, candidate.slot).await;
}
