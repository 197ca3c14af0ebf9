//! One phase: a load, until everything accepted has arrived, and what it cost.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use patchbay_runtime::Tasks;
use tokio::time::{sleep, timeout};

use crate::clock::{NANOS_A_SECOND, now_nanos};
use crate::fleet::MemoryByMember;
use crate::generator::{self, Accepted, Pace, Plan, Posted, Running};
use crate::latency::{Latency, Milliseconds};
use crate::stub::Counters;
use crate::subject::Subject;

/// How often the partner is asked how much arrived.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(5);
/// What was accepted and has not arrived is lost when nothing arrived for so long.
const STILL_NANOS: u64 = 20 * NANOS_A_SECOND;
/// After the last arrival, for outcomes to be written and for arrivals that should not be.
const QUIET: Duration = Duration::from_millis(500);
const MEMORY_INTERVAL_NANOS: u64 = 60 * NANOS_A_SECOND;

/// What a phase offers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Load {
    pub(crate) pace: Pace,
    pub(crate) connections: u64,
    pub(crate) duration: Duration,
}

/// What came of it.
#[derive(Debug, Clone)]
pub(crate) struct Phase {
    pub(crate) accepted_per_s: f64,
    pub(crate) completed_per_s: f64,
    pub(crate) refused: u64,
    /// Orders of an open loop that were not posted, because the system was too far behind.
    pub(crate) given_up: u64,
    pub(crate) ack: Milliseconds,
    pub(crate) end_to_end: Milliseconds,
    pub(crate) cpu_us_per_event: f64,
    pub(crate) peak_memory: u64,
    pub(crate) peak_memory_by_member: MemoryByMember,
    pub(crate) after: Tail,
    /// Bytes of memory at the end of each minute.
    pub(crate) memory_by_minute: Vec<u64>,
    pub(crate) lost: u64,
    pub(crate) duplicates: u64,
}

/// What arrived after the end of the load.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Tail {
    pub(crate) arrivals: u64,
    /// Until the last one.
    pub(crate) seconds: f64,
}

impl Tail {
    /// `times` are those of all arrivals, in any order.
    pub(crate) fn of(times: &[u64], ends_at: u64) -> Self {
        let late: Vec<u64> = times.iter().copied().filter(|at| *at >= ends_at).collect();
        let last = late.iter().copied().max().unwrap_or(ends_at);
        Self { arrivals: late.len() as u64, seconds: (last - ends_at) as f64 / NANOS_A_SECOND as f64 }
    }

    pub(crate) fn per_s(&self) -> Option<f64> {
        (self.seconds > 0.0).then(|| self.arrivals as f64 / self.seconds)
    }
}

/// Offers the load, waits until all that was accepted arrived, and counts.
pub(crate) async fn run(subject: &mut Subject, load: Load, tasks: &Tasks) -> Result<Phase> {
    let plan = Plan {
        address: subject.fleet.hooks,
        hook: subject.hook.clone(),
        connections: load.connections,
        pace: load.pace,
        duration: load.duration,
        first_number: subject.next_number,
    };
    let before = subject.stub.counters().await?;
    let cpu_before = subject.fleet.cpu_nanos()?;
    let mut running = generator::start(&plan, tasks).await?;
    let watched = watch(subject, &mut running, before).await;
    if watched.is_err() {
        eprintln!("{}", subject.fleet.last_words());
    }
    let (posted, memory_by_minute) = watched.context("the system under load failed")?;
    if posted.accepted.is_empty() {
        bail!("nothing was accepted\n{}", subject.fleet.last_words());
    }
    subject.next_number = running.next_number();
    let (arrivals, told) = arrived(subject, before, &posted, plan.first_number).await?;
    let after = subject.stub.counters().await?;
    ensure!(after.unknown == before.unknown, "the partner was called without the number of an order");

    let cpu_nanos = subject.fleet.cpu_nanos()? - cpu_before;
    let in_time = arrivals.iter().filter(|at| (running.started_at..running.ends_at).contains(at)).count();
    let seconds = load.duration.as_secs_f64();
    Ok(Phase {
        accepted_per_s: posted.accepted_in_time as f64 / seconds,
        completed_per_s: in_time as f64 / seconds,
        refused: posted.refused,
        given_up: posted.given_up,
        ack: posted.ack.milliseconds(),
        end_to_end: told.end_to_end.milliseconds(),
        cpu_us_per_event: cpu_nanos as f64 / 1000.0 / posted.accepted.len().max(1) as f64,
        peak_memory: subject.fleet.peak_memory()?,
        peak_memory_by_member: subject.fleet.peak_memory_by_member()?,
        after: Tail::of(&arrivals, running.ends_at),
        memory_by_minute,
        lost: told.lost,
        duplicates: after.repeated - before.repeated,
    })
}

/// Tells the workers how much arrived, until all have ended.
async fn watch(subject: &mut Subject, running: &mut Running, before: Counters) -> Result<(Posted, Vec<u64>)> {
    let mut posted = Posted::nothing()?;
    let mut memory_by_minute = Vec::new();
    let mut sample_at = running.started_at + MEMORY_INTERVAL_NANOS;
    loop {
        match timeout(PROGRESS_INTERVAL, running.shares.recv()).await {
            Ok(Some(share)) => posted.add(share?)?,
            Ok(None) => return Ok((posted, memory_by_minute)),
            Err(_) => {}
        }
        let counters = subject.stub.counters().await?;
        running.completed.send_replace(counters.arrived - before.arrived);
        subject.fleet.check()?;
        if now_nanos() >= sample_at {
            memory_by_minute.push(subject.fleet.memory()?);
            sample_at += MEMORY_INTERVAL_NANOS;
        }
    }
}

/// Waits for all that was accepted, and returns when each order arrived and what is to tell about it.
pub(crate) async fn arrived(
    subject: &mut Subject,
    before: Counters,
    posted: &Posted,
    first_number: u64,
) -> Result<(Vec<u64>, Told)> {
    let accepted = u64::try_from(posted.accepted.len())?;
    drain(subject, before, accepted).await?;
    let arrivals = subject.stub.arrivals(first_number, subject.next_number).await?;
    let told = tell(&posted.accepted, first_number, &arrivals)?;
    if told.lost == 0 || posted.refused == 0 {
        return Ok((arrivals, told));
    }
    // What was refused may arrive too, when only the answer failed: then some that were accepted are still under way.
    drain(subject, before, accepted + posted.refused).await?;
    let arrivals = subject.stub.arrivals(first_number, subject.next_number).await?;
    let told = tell(&posted.accepted, first_number, &arrivals)?;
    Ok((arrivals, told))
}

/// Waits until so many more orders than before have arrived, or nothing arrives any more.
async fn drain(subject: &mut Subject, before: Counters, accepted: u64) -> Result<()> {
    let mut counters = subject.stub.counters().await?;
    let mut moved_at = now_nanos();
    while counters.arrived < before.arrived + accepted && now_nanos() < moved_at + STILL_NANOS {
        sleep(PROGRESS_INTERVAL).await;
        subject.fleet.check()?;
        let newer = subject.stub.counters().await?;
        if newer != counters {
            moved_at = now_nanos();
        }
        counters = newer;
    }
    sleep(QUIET).await;
    subject.fleet.check()
}

pub(crate) struct Told {
    pub(crate) end_to_end: Latency,
    pub(crate) lost: u64,
}

/// `arrivals` are times by number from `first_number` on, 0 where nothing arrived.
fn tell(accepted: &[Accepted], first_number: u64, arrivals: &[u64]) -> Result<Told> {
    let mut told = Told { end_to_end: Latency::new()?, lost: 0 };
    for order in accepted {
        match arrivals.get(usize::try_from(order.number - first_number)?) {
            None | Some(0) => told.lost += 1,
            Some(arrived_at) => told.end_to_end.record(order.scheduled_at, *arrived_at),
        }
    }
    Ok(told)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_accepted_and_did_not_arrive_is_lost() {
        let accepted = [11, 12, 13].map(|number| Accepted { number, scheduled_at: 1_000_000 });
        let told = tell(&accepted, 10, &[5, 3_000_000, 0]).unwrap();
        assert_eq!(told.lost, 2);
        assert!((told.end_to_end.milliseconds().max - 2.0).abs() < 0.01);
    }

    #[test]
    fn the_tail_is_what_arrived_after_the_end() {
        let tail = Tail::of(&[0, 4 * NANOS_A_SECOND, 7 * NANOS_A_SECOND, 5 * NANOS_A_SECOND], 5 * NANOS_A_SECOND);
        assert_eq!(tail, Tail { arrivals: 2, seconds: 2.0 });
        assert_eq!(tail.per_s(), Some(1.0));
        assert_eq!(Tail::of(&[0, 1], 5).per_s(), None);
    }
}
