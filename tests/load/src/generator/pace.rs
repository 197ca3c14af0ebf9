//! The beat of an open loop.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::sync::Semaphore;

use super::Plan;
use crate::clock::{NANOS_A_SECOND, now_nanos};

/// Beats closer than this go together: waking more often would take the processor from those who are measured.
const SHORTEST_REST: Duration = Duration::from_micros(100);

/// How many orders an open loop posts.
pub(super) fn total(rate: u64, plan: &Plan) -> u64 {
    rate * plan.duration.as_secs()
}

/// When an order is due, by its place in the order of posting.
pub(super) fn due_at(rate: u64, started_at: u64, place: u64) -> u64 {
    started_at + place * NANOS_A_SECOND / rate
}

/// Starts a thread that adds a permit when an order is due, since timers of the runtime are exact to a millisecond only, and at
/// last one for each worker, so that all learn of the end.
pub(super) fn start(rate: u64, plan: &Plan, started_at: u64, due: Arc<Semaphore>) -> Result<()> {
    let (total, workers) = (total(rate, plan), usize::try_from(plan.connections)?);
    let beat = move || {
        let mut released = 0;
        while released < total {
            let now_due = ((now_nanos() - started_at) * rate / NANOS_A_SECOND + 1).min(total);
            due.add_permits(usize::try_from(now_due - released).unwrap_or(0));
            released = now_due;
            let rest = due_at(rate, started_at, released).saturating_sub(now_nanos());
            std::thread::sleep(Duration::from_nanos(rest).max(SHORTEST_REST));
        }
        due.add_permits(workers);
    };
    std::thread::Builder::new().name("pace".to_owned()).spawn(beat).context("start the pace")?;
    Ok(())
}
