//! Posts orders over keep-alive connections.

mod pace;
mod worker;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use anyhow::Result;
use http::Uri;
use patchbay_runtime::Tasks;
use tokio::sync::{Semaphore, mpsc, watch};

use self::worker::Worker;
use crate::clock::{NANOS_A_SECOND, now_nanos};
use crate::http_client::Connection;
use crate::latency::Latency;

/// What is posted, and how fast.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) address: SocketAddr,
    pub(crate) hook: Uri,
    pub(crate) connections: u64,
    pub(crate) pace: Pace,
    pub(crate) duration: Duration,
    /// The number of the first order; the others follow without gaps.
    pub(crate) first_number: u64,
}

/// When the next order is posted.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Pace {
    /// When the one before is answered, as long as fewer than `backlog` orders are accepted and not yet at the partner.
    Closed { backlog: u64 },
    /// At its time, whatever happened to those before: so many a second. Latencies count from that time, so an order that had to
    /// wait for a free connection is late.
    Open {
        rate: u64,
        /// An order that is still not posted so long after the end of the phase is given up.
        patience: Duration,
    },
    /// When the one before is answered, until so many orders were posted, however long that takes.
    Count { total: u64 },
}

/// Workers that post until the time is over.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) started_at: u64,
    pub(crate) ends_at: u64,
    /// What each worker did, when it ends.
    pub(crate) shares: mpsc::Receiver<Result<Posted>>,
    /// To be told how many orders are at the partner.
    pub(crate) completed: watch::Sender<u64>,
    next_number: Arc<AtomicU64>,
}

impl Running {
    /// After the last number that was given to an order.
    pub(crate) fn next_number(&self) -> u64 {
        self.next_number.load(std::sync::atomic::Ordering::Relaxed)
    }
}

/// An order that was accepted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Accepted {
    pub(crate) number: u64,
    /// When it was to be posted, which in a closed loop is when it was.
    pub(crate) scheduled_at: u64,
}

/// What became of orders.
#[derive(Debug)]
pub(crate) struct Posted {
    pub(crate) accepted: Vec<Accepted>,
    /// Of `accepted`, those answered before the end of the time.
    pub(crate) accepted_in_time: u64,
    /// Answered otherwise.
    pub(crate) refused: u64,
    /// Not posted, because the system was too far behind.
    pub(crate) given_up: u64,
    pub(crate) ack: Latency,
}

impl Posted {
    pub(crate) fn nothing() -> Result<Self> {
        Ok(Self { accepted: Vec::new(), accepted_in_time: 0, refused: 0, given_up: 0, ack: Latency::new()? })
    }

    pub(crate) fn add(&mut self, other: Self) -> Result<()> {
        self.accepted.extend(other.accepted);
        self.accepted_in_time += other.accepted_in_time;
        self.refused += other.refused;
        self.given_up += other.given_up;
        self.ack.add(&other.ack)
    }
}

/// Opens the connections, then starts the clock and the workers.
pub(crate) async fn start(plan: &Plan, tasks: &Tasks) -> Result<Running> {
    let mut connections = Vec::new();
    for _ in 0..plan.connections {
        connections.push(Connection::open(plan.address, tasks).await?);
    }
    let due = Arc::new(Semaphore::new(0));
    let next_number = Arc::new(AtomicU64::new(plan.first_number));
    let accepted = Arc::new(AtomicU64::new(0));
    let (completed, _) = watch::channel(0);
    let (done, shares) = mpsc::channel(connections.len());
    let started_at = now_nanos();
    let ends_at = started_at + plan.duration.as_secs() * NANOS_A_SECOND;
    for connection in connections {
        let worker = Worker {
            connection,
            plan: plan.clone(),
            started_at,
            ends_at,
            due: Arc::clone(&due),
            next_number: Arc::clone(&next_number),
            accepted: Arc::clone(&accepted),
            completed: completed.subscribe(),
            posted: Posted::nothing()?,
        };
        let done = done.clone();
        tasks.spawn("load worker", async move {
            // Nobody waits any more when the phase failed.
            let _ = done.send(worker.run().await).await;
        });
    }
    if let Pace::Open { rate, .. } = plan.pace {
        pace::start(rate, plan, started_at, due)?;
    }
    Ok(Running { started_at, ends_at, shares, completed, next_number })
}
