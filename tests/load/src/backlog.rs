//! Many events of one workspace that wait for an executor: how fast it works them off, and how long those of another
//! workspace wait behind them.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use http::Uri;
use patchbay_runtime::Tasks;
use serde::Serialize;
use tokio::time::sleep;

use crate::clock::{NANOS_A_SECOND, now_nanos};
use crate::generator::{self, Accepted, Pace, Plan, Posted};
use crate::http_client::Connection;
use crate::latency::{Latency, Milliseconds, rounded};
use crate::order;
use crate::patchbay::EXECUTOR;
use crate::phase::{Tail, arrived};
use crate::report::mebibytes;
use crate::stub::Counters;
use crate::subject::Subject;

/// Who has few orders, in a workspace of their own.
const NEIGHBOUR: &str = "neighbour@example.com";
/// Orders of the neighbour, and the time between them.
const NEIGHBOUR_ORDERS: usize = 20;
const NEIGHBOUR_INTERVAL: Duration = Duration::from_millis(250);
const POLL_INTERVAL: Duration = Duration::from_millis(5);
/// For the first call after the start of the executor.
const FIRST_CALL_NANOS: u64 = 60 * NANOS_A_SECOND;

/// What is offered.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Backlog {
    pub(crate) events: u64,
    pub(crate) connections: u64,
    pub(crate) concurrency: u32,
}

/// What came of it.
#[derive(Debug, Serialize)]
pub(crate) struct Told {
    /// Accepted while no executor ran.
    pub(crate) events: u64,
    pub(crate) accepted_per_s: f64,
    pub(crate) refused: u64,
    /// From the start of the executor's process.
    pub(crate) first_call_after_s: f64,
    pub(crate) drain_s: f64,
    pub(crate) drained_per_s: Option<f64>,
    /// Of all processes.
    pub(crate) peak_rss_mb: f64,
    pub(crate) executor_peak_rss_mb: Option<f64>,
    /// From posting to the partner, of the neighbour's first order, posted when the drain had begun.
    pub(crate) neighbour_first_ms: Option<f64>,
    /// Of all the neighbour's orders during the drain.
    pub(crate) neighbour_orders: u64,
    pub(crate) neighbour_ms: Milliseconds,
    pub(crate) lost: u64,
    pub(crate) duplicates: u64,
}

/// Stops the executor, lets orders be accepted, starts it again, and waits until all have arrived.
pub(crate) async fn run(subject: &mut Subject, backlog: Backlog, tasks: &Tasks) -> Result<Told> {
    let mesh = subject.mesh.clone().context("only the executor of a mesh can be stopped alone")?;
    mesh.create_user(NEIGHBOUR)?;
    let neighbour = subject.prepare(NEIGHBOUR, backlog.concurrency, tasks).await?;
    subject.fleet.end(EXECUTOR)?;

    let before = subject.stub.counters().await?;
    let first_number = subject.next_number;
    let began_at = now_nanos();
    let mut posted = accept(subject, backlog, tasks).await?;
    let accepting_s = (now_nanos() - began_at) as f64 / NANOS_A_SECOND as f64;
    let events = u64::try_from(posted.accepted.len())?;
    ensure!(events > 0, "nothing was accepted\n{}", subject.fleet.last_words());
    ensure!(subject.stub.counters().await? == before, "the partner was called while no executor ran");

    let started_at = now_nanos();
    mesh.start_again(EXECUTOR, &mut subject.fleet, tasks).await?;
    wait_for_a_call(subject, before).await?;
    let neighbours = send_as_neighbour(subject, &neighbour, before, events, tasks).await?;

    posted.accepted.extend(neighbours.iter().copied());
    let (arrivals, told) = arrived(subject, before, &posted, first_number).await?;
    let after = subject.stub.counters().await?;
    let first_neighbour = neighbours.first().map_or(subject.next_number, |order| order.number);
    let (own, others) = arrivals.split_at(usize::try_from(first_neighbour - first_number)?);
    let first_call_at = own.iter().copied().filter(|at| *at > 0).min().unwrap_or(started_at);
    let drain = Tail::of(own, first_call_at);
    let waits = waits(&neighbours, others)?;
    Ok(Told {
        events,
        accepted_per_s: rounded(events as f64 / accepting_s, 1),
        refused: posted.refused,
        first_call_after_s: rounded(first_call_at.saturating_sub(started_at) as f64 / NANOS_A_SECOND as f64, 3),
        drain_s: rounded(drain.seconds, 2),
        drained_per_s: drain.per_s().map(|per_s| rounded(per_s, 1)),
        peak_rss_mb: mebibytes(subject.fleet.peak_memory()?),
        executor_peak_rss_mb: subject.fleet.peak_memory_by_member()?.get(EXECUTOR).copied().map(mebibytes),
        neighbour_first_ms: first_wait_ms(&neighbours, others),
        neighbour_orders: u64::try_from(neighbours.len())?,
        neighbour_ms: waits.milliseconds(),
        lost: told.lost,
        duplicates: after.repeated - before.repeated,
    })
}

/// Posts as many orders as are asked for.
async fn accept(subject: &mut Subject, backlog: Backlog, tasks: &Tasks) -> Result<Posted> {
    let plan = Plan {
        address: subject.fleet.hooks,
        hook: subject.hook.clone(),
        connections: backlog.connections,
        pace: Pace::Count { total: backlog.events },
        duration: Duration::ZERO,
        first_number: subject.next_number,
    };
    let mut running = generator::start(&plan, tasks).await?;
    let mut posted = Posted::nothing()?;
    while let Some(share) = running.shares.recv().await {
        posted.add(share?)?;
        subject.fleet.check()?;
    }
    subject.next_number = running.next_number();
    Ok(posted)
}

async fn wait_for_a_call(subject: &mut Subject, before: Counters) -> Result<()> {
    let give_up_at = now_nanos() + FIRST_CALL_NANOS;
    while subject.stub.counters().await? == before {
        subject.fleet.check()?;
        ensure!(now_nanos() < give_up_at, "the executor called nobody\n{}", subject.fleet.last_words());
        sleep(POLL_INTERVAL).await;
    }
    Ok(())
}

/// Posts orders of the neighbour one after the other while others wait.
async fn send_as_neighbour(
    subject: &mut Subject,
    hook: &Uri,
    before: Counters,
    events: u64,
    tasks: &Tasks,
) -> Result<Vec<Accepted>> {
    let mut connection = Connection::open(subject.fleet.hooks, tasks).await?;
    let mut sent = Vec::new();
    while sent.len() < NEIGHBOUR_ORDERS && subject.stub.counters().await?.arrived < before.arrived + events {
        let (number, scheduled_at) = (subject.next_number, now_nanos());
        subject.next_number += 1;
        let status = connection.post(hook.clone(), order::body(number)).await?;
        ensure!(status.is_success(), "an order of the neighbour was answered {status}");
        sent.push(Accepted { number, scheduled_at });
        sleep(NEIGHBOUR_INTERVAL).await;
        subject.fleet.check()?;
    }
    Ok(sent)
}

/// `arrivals` are those of the same orders, 0 where nothing arrived.
fn waits(sent: &[Accepted], arrivals: &[u64]) -> Result<Latency> {
    let mut waits = Latency::new()?;
    for (order, arrived_at) in sent.iter().zip(arrivals).filter(|(_, at)| **at > 0) {
        waits.record(order.scheduled_at, *arrived_at);
    }
    Ok(waits)
}

fn first_wait_ms(sent: &[Accepted], arrivals: &[u64]) -> Option<f64> {
    let (order, arrived_at) = sent.first().zip(arrivals.first().filter(|at| **at > 0))?;
    Some(rounded(arrived_at.saturating_sub(order.scheduled_at) as f64 / 1e6, 3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_of_those_that_arrived() {
        let sent = [(0, 1_000_000), (1, 2_000_000)].map(|(number, scheduled_at)| Accepted { number, scheduled_at });
        assert_eq!(first_wait_ms(&sent, &[4_000_000, 0]), Some(3.0));
        assert_eq!(first_wait_ms(&sent, &[0, 4_000_000]), None);
        assert_eq!(first_wait_ms(&[], &[]), None);
        assert!((waits(&sent, &[0, 4_000_000]).unwrap().milliseconds().max - 2.0).abs() < 0.01);
    }
}
