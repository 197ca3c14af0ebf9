//! Runs that wait in the store go on: when they are due, when their connection has room, when their process died.

use std::{sync::Arc, time::Duration};

use patchbay_store::Error;

use crate::{
    executor::Executor,
    gate::{Admission, Gate, Permit},
    revive::revive,
    rows::TakenRow,
    run::{Run, drive_taken, fail_at_once},
    slots::Slot,
};

/// Rows taken at once.
const BATCH: usize = 128;

/// Why rows were taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cause {
    Due,
    Behind,
    TakenOver,
}

/// How often the lines behind connections are counted anew, in case a count went astray.
const RECOUNT: Duration = Duration::from_secs(5);

/// When something was looked at last, since boot.
#[derive(Debug, Default)]
struct Looked {
    lines: Option<Duration>,
    due: Option<Duration>,
    dead: Option<Duration>,
}

/// Looks after waiting runs until the shutdown begins.
pub(crate) async fn wake(executor: Arc<Executor>) {
    let shutdown = executor.tasks.shutdown().clone();
    let mut looked = Looked::default();
    while !shutdown.has_begun() {
        match round(&executor, &mut looked).await {
            Ok(true) => continue,
            Ok(false) => {}
            Err(error) => tracing::warn!(error = %error.chain(), "waiting runs can't be read, trying again"),
        }
        let signals = executor.gates.signals();
        let pause = async {
            tokio::select! {
                () = signals.line.notified() => {}
                () = tokio::time::sleep(executor.config.poll) => {}
            }
        };
        shutdown.or(pause).await;
    }
}

/// One look at everything that waits, each kind as often as it needs. Tells whether something was taken.
async fn round(executor: &Arc<Executor>, looked: &mut Looked) -> Result<bool, Error> {
    if let Err(fault) = executor.definitions.refresh().await {
        tracing::warn!(error = %fault, "definitions can't be read, runs wait");
        return Ok(false);
    }
    let now = executor.clock.since_boot();
    let is_time = |last: Option<Duration>, every| last.is_none_or(|last| now.saturating_sub(last) >= every);
    let mut worked = false;
    if is_time(looked.lines, RECOUNT) {
        count_lines(executor).await?;
        looked.lines = Some(now);
    }
    // Where no other process can be, the dead ones died before this one began: looking once is enough.
    let dead_are_done = executor.store.is_local() && looked.dead.is_some();
    if !dead_are_done && is_time(looked.dead, executor.lease.length() / 3) {
        // Without room it is looked again soon; while some were found there may be more.
        let took = take_over(executor).await?;
        looked.dead = (took == Some(0)).then_some(now);
        worked |= took.is_some_and(|count| count > 0);
    }
    if is_time(looked.due, executor.config.poll) {
        let took = take_due(executor).await?;
        looked.due = (!took).then_some(now);
        worked |= took | revive(executor).await?;
    }
    for gate in executor.gates.all() {
        if gate.waiting() > 0 {
            worked |= take_behind(executor, &gate).await?;
        }
    }
    Ok(worked)
}

async fn count_lines(executor: &Arc<Executor>) -> Result<(), Error> {
    let counted = executor.store.count_behind().await?;
    for gate in executor.gates.all() {
        let waiting = counted.iter().find(|(id, _)| *id == gate.id()).map_or(0, |(_, count)| *count);
        gate.set_waiting(waiting);
    }
    for (id, waiting) in counted {
        executor.gates.gate(id).set_waiting(waiting);
    }
    Ok(())
}

/// How many runs were taken over; nothing when there was no room for any.
async fn take_over(executor: &Arc<Executor>) -> Result<Option<usize>, Error> {
    let Some(slots) = slots(executor, BATCH) else { return Ok(None) };
    let rows = executor.store.take_over(executor.lease.owner(), executor.now(), limit(slots.len())).await?;
    if !rows.is_empty() {
        tracing::info!(runs = rows.len(), "took over the runs of a dead process");
    }
    Ok(Some(resume(executor, rows, slots, Vec::new(), Cause::TakenOver)))
}

async fn take_due(executor: &Arc<Executor>) -> Result<bool, Error> {
    let now = executor.now();
    if executor.store.next_due().await?.is_none_or(|due| due > now) {
        return Ok(false);
    }
    let Some(slots) = slots(executor, BATCH) else { return Ok(false) };
    let rows = executor.store.take_due(executor.lease.owner(), now, limit(slots.len())).await?;
    Ok(resume(executor, rows, slots, Vec::new(), Cause::Due) > 0)
}

async fn take_behind(executor: &Arc<Executor>, gate: &Arc<Gate>) -> Result<bool, Error> {
    let permits = gate.admit_waiting(executor.clock.since_boot(), executor.slots.free().min(BATCH));
    let Some(slots) = slots(executor, permits.len()) else { return Ok(false) };
    let wanted = slots.len();
    let rows = executor.store.take_behind(executor.lease.owner(), gate.id(), limit(wanted)).await?;
    gate.left(rows.len());
    if rows.is_empty() {
        // The count went astray; it is taken anew at once, since newcomers line up while it is not zero.
        count_lines(executor).await?;
    }
    Ok(resume(executor, rows, slots, permits, Cause::Behind) > 0)
}

/// Room for up to `most` runs; nothing when there is none.
fn slots(executor: &Executor, most: usize) -> Option<Vec<Slot>> {
    let slots: Vec<Slot> = std::iter::from_fn(|| executor.slots.take_one(1)).take(most).collect();
    (!slots.is_empty()).then_some(slots)
}

fn limit(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// Drives the rows that were taken, each in a task of its own. Says how many.
fn resume(
    executor: &Arc<Executor>,
    rows: Vec<TakenRow>,
    slots: Vec<Slot>,
    permits: Vec<Permit>,
    cause: Cause,
) -> usize {
    let count = rows.len();
    let mut permits = permits.into_iter();
    for (row, slot) in rows.into_iter().zip(slots) {
        let permit = permits.next();
        executor.tasks.spawn("run", resume_one(Arc::clone(executor), row, slot, permit, cause));
    }
    count
}

async fn resume_one(executor: Arc<Executor>, row: TakenRow, slot: Slot, permit: Option<Permit>, cause: Cause) {
    let Some(identity) = row.identity() else {
        tracing::error!("a run's row can't be read, it stays where it is");
        return;
    };
    let compiled = loop {
        match executor.definitions.version(identity.automation, identity.version).await {
            Ok(compiled) => break compiled,
            Err(fault) => tracing::warn!(run = %identity.id, error = %fault, "its version can't be read, trying again"),
        }
        if executor.tasks.shutdown().or(tokio::time::sleep(executor.config.poll)).await.is_none() {
            return;
        }
    };
    let automation = match compiled {
        Ok(automation) => automation,
        Err(reason) => return fail_at_once(&executor, row, &reason, slot).await,
    };
    let step = row.state().step;
    let Some(connection) = automation.steps.get(step).map(|step| step.connection) else {
        return fail_at_once(&executor, row, "its step is not in its version", slot).await;
    };
    let permit = permit.or_else(|| match executor.gates.gate(connection).admit(executor.clock.since_boot()) {
        Admission::Permit(permit) => Some(permit),
        Admission::Full | Admission::Closed(_) => None,
    });
    // The slot goes with the run; a row that can't be read ends with its own.
    match Run::resume(row.clone(), automation, permit, slot) {
        Ok(run) => drive_taken(executor, run, cause == Cause::TakenOver).await,
        Err((reason, slot)) => fail_at_once(&executor, row, &reason, slot).await,
    }
}
