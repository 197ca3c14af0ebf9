//! What is looked after without being asked: the lease, the telling, what is old.

use std::{sync::Arc, time::Duration};

use patchbay_types::IncarnationId;

use crate::{executor::Executor, tell::tell};

/// Batches told again at once.
const UNTOLD: i64 = 64;
/// Old runs removed at once.
const SWEEP: i64 = 1_000;

/// Renews the lease every fifth of it, and more often while that fails.
pub(crate) async fn keep_lease(executor: Arc<Executor>, stop: patchbay_runtime::Shutdown) {
    let length = executor.lease.length();
    let mut pause = length / 5;
    while stop.or(tokio::time::sleep(pause)).await.is_some() {
        pause = length / 15;
        match tokio::time::timeout(length / 5, renew(&executor)).await {
            Ok(Ok(())) => pause = length / 5,
            Ok(Err(error)) => tracing::warn!(error = %error.chain(), "lease can't be renewed, trying again"),
            Err(_) => tracing::warn!("lease can't be renewed, the database does not answer, trying again"),
        }
    }
}

/// A process that stood still, frozen or cut off from its database, may have been declared dead by another, which then
/// takes its runs. It goes on as somebody new. What it holds in memory ends by itself: a call is begun only under the
/// incarnation that the run's row names, and what a call that was under way gave is written only where nobody took the
/// run meanwhile.
async fn renew(executor: &Executor) -> Result<(), patchbay_store::Error> {
    let (lease, asked) = (&executor.lease, executor.clock.since_boot());
    if executor.store.renew_incarnation(lease.owner(), lease.length(), executor.now()).await? {
        lease.renewed(asked);
        return Ok(());
    }
    let owner = IncarnationId::generate();
    executor.store.begin_incarnation(owner, lease.length(), executor.now()).await?;
    tracing::error!(before = %lease.owner(), now = %owner, "this process was declared dead, it begins anew");
    executor.telemetry.leases_lost.inc();
    lease.begun(owner, asked);
    Ok(())
}

/// Tells what was not told, and counts what is open.
pub(crate) async fn retell(executor: Arc<Executor>) {
    let shutdown = executor.tasks.shutdown().clone();
    let every = executor.config.retell_after / 2;
    while shutdown.or(tokio::time::sleep(every)).await.is_some() {
        executor.credentials.expire();
        let before = executor.now().before(executor.config.retell_after);
        match executor.store.untold(before, UNTOLD).await {
            Ok(batches) if batches.is_empty() => {}
            Ok(batches) => tell(&executor.broker, &executor.writer, batches).await,
            Err(error) => tracing::warn!(error = %error.chain(), "untold runs can't be read, trying again"),
        }
        match executor.store.open_runs().await {
            Ok((count, oldest)) => {
                executor.telemetry.open_runs.set(count);
                let age = oldest.map_or(Duration::ZERO, |oldest| executor.now().since(oldest));
                executor.telemetry.oldest_open_seconds.set(i64::try_from(age.as_secs()).unwrap_or(i64::MAX));
            }
            Err(error) => tracing::warn!(error = %error.chain(), "open runs can't be counted, trying again"),
        }
    }
}

/// Removes finished runs and remembered events whose time is over, a little at a time.
pub(crate) async fn sweep(executor: Arc<Executor>) {
    let shutdown = executor.tasks.shutdown().clone();
    let mut part: u8 = 0;
    while shutdown.or(tokio::time::sleep(executor.retention.sweep_every)).await.is_some() {
        if executor.is_short_of_disk() {
            continue;
        }
        let swept = async {
            // A window that is over is not enough: the same delivery may still come again, as late as the broker keeps it.
            executor.store.sweep_seen(part, executor.now().before(executor.retention.dedupe())).await?;
            executor.store.make_days_ahead().await?;
            let before = executor.now().before(executor.retention.runs());
            while executor.store.sweep_history(before, SWEEP).await? > 0 && !shutdown.has_begun() {}
            Ok::<(), patchbay_store::Error>(())
        };
        if let Err(error) = swept.await {
            tracing::warn!(error = %error.chain(), "old runs can't be removed, trying again");
        }
        part = part.wrapping_add(1);
    }
}
