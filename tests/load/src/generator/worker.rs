//! One connection's part of the load.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Result;
use tokio::sync::{Semaphore, watch};
use tokio::time::{sleep, timeout};

use super::{Accepted, Pace, Plan, Posted, pace};
use crate::clock::now_nanos;
use crate::http_client::Connection;
use crate::order;

/// After a refusal.
const REFUSED_PAUSE: Duration = Duration::from_millis(5);

pub(super) struct Worker {
    pub(super) connection: Connection,
    pub(super) plan: Plan,
    pub(super) started_at: u64,
    pub(super) ends_at: u64,
    /// A permit for each order of an open loop whose time has come.
    pub(super) due: Arc<Semaphore>,
    pub(super) next_number: Arc<AtomicU64>,
    pub(super) accepted: Arc<AtomicU64>,
    pub(super) completed: watch::Receiver<u64>,
    pub(super) posted: Posted,
}

impl Worker {
    pub(super) async fn run(mut self) -> Result<Posted> {
        match self.plan.pace {
            Pace::Closed { backlog } => self.run_closed(backlog).await?,
            Pace::Open { rate, patience } => self.run_open(rate, patience).await?,
            Pace::Count { total } => self.run_count(total).await?,
        }
        Ok(self.posted)
    }

    async fn run_closed(&mut self, backlog: u64) -> Result<()> {
        loop {
            let left = Duration::from_nanos(self.ends_at.saturating_sub(now_nanos()));
            let accepted = Arc::clone(&self.accepted);
            let has_room = |completed: &u64| accepted.load(Ordering::Relaxed) < completed + backlog;
            if left.is_zero() {
                return Ok(());
            }
            if !has_room(&self.completed.borrow()) {
                // Whether there is room or the time is over is looked at again.
                let _ = timeout(left, self.completed.wait_for(has_room)).await;
                continue;
            }
            let number = self.next_number.fetch_add(1, Ordering::Relaxed);
            self.post(number, now_nanos()).await?;
        }
    }

    async fn run_open(&mut self, rate: u64, patience: Duration) -> Result<()> {
        let give_up_at = self.ends_at + u64::try_from(patience.as_nanos())?;
        let total = pace::total(rate, &self.plan);
        loop {
            self.due.acquire().await?.forget();
            let number = self.next_number.fetch_add(1, Ordering::Relaxed);
            let place = number - self.plan.first_number;
            if place >= total {
                return Ok(());
            }
            if now_nanos() > give_up_at {
                self.posted.given_up += 1;
                continue;
            }
            self.post(number, pace::due_at(rate, self.started_at, place)).await?;
        }
    }

    async fn run_count(&mut self, total: u64) -> Result<()> {
        loop {
            let number = self.next_number.fetch_add(1, Ordering::Relaxed);
            if number - self.plan.first_number >= total {
                return Ok(());
            }
            self.post(number, now_nanos()).await?;
        }
    }

    async fn post(&mut self, number: u64, scheduled_at: u64) -> Result<()> {
        let status = self.connection.post(self.plan.hook.clone(), order::body(number)).await?;
        let answered_at = now_nanos();
        if !status.is_success() {
            self.posted.refused += 1;
            sleep(REFUSED_PAUSE).await;
            return Ok(());
        }
        self.accepted.fetch_add(1, Ordering::Relaxed);
        self.posted.accepted.push(Accepted { number, scheduled_at });
        self.posted.accepted_in_time += u64::from(answered_at < self.ends_at);
        self.posted.ack.record(scheduled_at, answered_at);
        Ok(())
    }
}
