//! What is looked after without being asked: the lease, the telling, what is old.

use std::{sync::Arc, time::Duration};

use crate::{executor::Executor, tell::tell};

/// Batches told again at once.
const UNTOLD: i64 = 64;
/// Old runs removed at once.
const SWEEP: i64 = 1_000;
/// How often something old is looked for.
const SWEEP_EVERY: Duration = Duration::from_secs(15);

/// Renews the lease every fifth of it.
///
/// A process that stood still for longer, frozen or asleep with its machine, finds it ended. Where nobody else could take
/// its runs meanwhile it just goes on; elsewhere it must not, since a call that it is about to make may have been made.
pub(crate) async fn keep_lease(executor: Arc<Executor>, stop: patchbay_runtime::Shutdown) {
    let lease = &executor.lease;
    while stop.or(tokio::time::sleep(lease.length() / 5)).await.is_some() {
        let asked = executor.clock.since_boot();
        let now = executor.now();
        let until = now.after(lease.length());
        let renewed = match executor.store.renew_incarnation(lease.owner(), now, until).await {
            Ok(false) if executor.store.is_local() => {
                tracing::warn!(
                    "the lease ended before it was renewed: this process stood still for a while, it goes on"
                );
                executor.store.begin_incarnation(lease.owner(), now, until).await.map(|()| true)
            }
            other => other,
        };
        match renewed {
            Ok(true) => lease.renewed(asked),
            Ok(false) => {
                tracing::error!("the lease ended before it was renewed, others take the runs: shutting down");
                executor.tasks.shutdown().begin();
                return;
            }
            Err(error) => tracing::warn!(error = %error.chain(), "lease can't be renewed, trying again"),
        }
    }
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
    while shutdown.or(tokio::time::sleep(SWEEP_EVERY)).await.is_some() {
        if executor.is_short_of_disk() {
            continue;
        }
        let swept = async {
            // A window that is over is not enough: the same delivery may still come again, as late as the broker keeps it.
            executor.store.sweep_seen(part, executor.now().before(executor.retention.dedupe())).await?;
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
