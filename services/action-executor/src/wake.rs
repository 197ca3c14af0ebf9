//! Runs that wait in the store go on: when they are due, when their connection has room, when their process died.

use std::{sync::Arc, time::Duration};

use patchbay_store::Error;
use patchbay_types::IncarnationId;

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
    /// Which line was the first.
    turn: usize,
    /// Under which name runs are taken, and since when.
    taker: Option<(IncarnationId, Duration)>,
}

/// Looks after waiting runs until the shutdown begins.
pub(crate) async fn wake(executor: Arc<Executor>) {
    let shutdown = executor.tasks.shutdown().clone();
    let mut looked = Looked::default();
    while !shutdown.has_begun() {
        match round(&executor, &mut looked).await {
            Ok(true) => continue,
            Ok(false) => {}
            // What was taken and not begun is taken over soon: it was taken under a name that is never renewed.
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
    if executor.definitions.refresh().await.is_err() {
        return Ok(false);
    }
    let now = executor.clock.since_boot();
    let is_time = |last: Option<Duration>, every| last.is_none_or(|last| now.saturating_sub(last) >= every);
    let taker = taker(executor, looked).await?;
    let mut worked = false;
    if is_time(looked.lines, RECOUNT) {
        count_lines(executor).await?;
        looked.lines = Some(now);
    }
    // Where no other process can be, the dead ones died before this one began: looking once is enough.
    let dead_are_done = executor.store.is_local() && looked.dead.is_some();
    if !dead_are_done && is_time(looked.dead, executor.lease.length() / 3) {
        // Without room it is looked again soon; while some were found there may be more.
        let took = take_over(executor, taker).await?;
        looked.dead = (took == Some(0)).then_some(now);
        worked |= took.is_some_and(|count| count > 0);
    }
    if is_time(looked.due, executor.config.poll) {
        let took = take_due(executor, taker).await?;
        looked.due = (!took).then_some(now);
        worked |= took | revive(executor).await?;
    }
    // Each line gets its share of the room, and another one is the first each time.
    let mut lines: Vec<Arc<Gate>> = executor.gates.all().into_iter().filter(|gate| gate.waiting() > 0).collect();
    if !lines.is_empty() {
        looked.turn = looked.turn.wrapping_add(1);
        let first = looked.turn % lines.len();
        lines.rotate_left(first);
    }
    for (served, gate) in lines.iter().enumerate() {
        let most = executor.slots.free().div_ceil(lines.len() - served);
        worked |= take_behind(executor, taker, gate, most).await?;
    }
    Ok(worked)
}

/// Under which name runs are taken. Where an answer can be lost on its way, the rows that it named would be held for ever
/// by a process that knows nothing of them: so they are taken under a name that is never renewed. A run is recorded under
/// the name of its process before its first call, and what is still held when the other name is over is taken again.
async fn taker(executor: &Executor, looked: &mut Looked) -> Result<IncarnationId, Error> {
    if executor.store.is_local() {
        return Ok(executor.lease.owner());
    }
    let (now, length) = (executor.clock.since_boot(), executor.lease.length());
    if let Some((taker, since)) = looked.taker
        && now.saturating_sub(since) < length / 2
    {
        return Ok(taker);
    }
    let taker = IncarnationId::generate();
    executor.store.begin_incarnation(taker, length, executor.now()).await?;
    looked.taker = Some((taker, now));
    Ok(taker)
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
async fn take_over(executor: &Arc<Executor>, taker: IncarnationId) -> Result<Option<usize>, Error> {
    let Some(slots) = slots(executor, BATCH) else { return Ok(None) };
    // Nobody is called dead before the living had time to renew their leases, which nobody can while the database is away.
    if executor.lease.held_for() >= executor.lease.length() / 2 {
        executor.store.end_incarnations(executor.lease.owner()).await?;
    }
    let rows = executor.store.take_over(taker, limit(slots.len())).await?;
    if !rows.is_empty() {
        tracing::info!(runs = rows.len(), "took over the runs of a dead process");
    }
    Ok(Some(resume(executor, rows, taker, slots, Vec::new(), Cause::TakenOver)))
}

async fn take_due(executor: &Arc<Executor>, taker: IncarnationId) -> Result<bool, Error> {
    let now = executor.now();
    if !executor.store.is_due(now).await? {
        return Ok(false);
    }
    let Some(slots) = slots(executor, BATCH) else { return Ok(false) };
    let rows = executor.store.take_due(taker, now, limit(slots.len())).await?;
    Ok(resume(executor, rows, taker, slots, Vec::new(), Cause::Due) > 0)
}

/// Takes the first runs of a line, as many as its connection and `most` allow.
async fn take_behind(
    executor: &Arc<Executor>,
    taker: IncarnationId,
    gate: &Arc<Gate>,
    most: usize,
) -> Result<bool, Error> {
    let permits = gate.admit_waiting(executor.clock.since_boot(), most.min(BATCH));
    let Some(slots) = slots(executor, permits.len()) else { return Ok(false) };
    let rows = executor.store.take_behind(taker, gate.id(), limit(slots.len())).await?;
    if gate.waiting() <= limit_of(rows.len()) || rows.is_empty() {
        // Long lines are not counted to their end, and a count may go astray: newcomers must not overtake those who are
        // left, nor line up behind nobody.
        gate.set_waiting(executor.store.count_line(gate.id()).await?);
    } else {
        gate.left(rows.len());
    }
    Ok(resume(executor, rows, taker, slots, permits, Cause::Behind) > 0)
}

/// Room for up to `most` runs; nothing when there is none.
fn slots(executor: &Executor, most: usize) -> Option<Vec<Slot>> {
    let slots: Vec<Slot> = std::iter::from_fn(|| executor.slots.take_one(1)).take(most).collect();
    (!slots.is_empty()).then_some(slots)
}

fn limit_of(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

fn limit(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// Drives the rows that were taken, each in a task of its own. Says how many.
fn resume(
    executor: &Arc<Executor>,
    rows: Vec<TakenRow>,
    owner: IncarnationId,
    slots: Vec<Slot>,
    permits: Vec<Permit>,
    cause: Cause,
) -> usize {
    let count = rows.len();
    let mut permits = permits.into_iter();
    for (row, slot) in rows.into_iter().zip(slots) {
        let permit = permits.next();
        executor.tasks.spawn("run", resume_one(Arc::clone(executor), row, owner, slot, permit, cause));
    }
    count
}

async fn resume_one(
    executor: Arc<Executor>,
    row: TakenRow,
    owner: IncarnationId,
    slot: Slot,
    permit: Option<Permit>,
    cause: Cause,
) {
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
    match Run::resume(row.clone(), owner, automation, permit, slot) {
        Ok(run) => drive_taken(executor, run, cause == Cause::TakenOver).await,
        Err((reason, slot)) => fail_at_once(&executor, row, &reason, slot).await,
    }
}
