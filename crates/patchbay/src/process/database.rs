//! The database of a process, looked at again and again while the process lives.

use std::time::Duration;

use anyhow::anyhow;
use patchbay_runtime::Shutdown;
use patchbay_store::{Probe, Trouble};
use tokio::sync::mpsc;

use super::board::Verdict;

/// How often it is looked at, and how often when it is lost.
const LOOK_EVERY: Duration = Duration::from_secs(1);
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// Looks until the shutdown. Before the database was well for the first time, what only a person can change is a reason
/// to give up, said through `alarm`.
pub(super) async fn look_after(
    mut probe: Probe,
    verdict: Verdict,
    alarm: mpsc::Sender<anyhow::Error>,
    shutdown: Shutdown,
) {
    let mut was_well = false;
    while let Some(looked) = shutdown.or(probe.look()).await {
        let pause = match looked {
            Ok(()) => {
                was_well = true;
                if verdict.set(Ok(())) {
                    tracing::info!("database can be used");
                }
                LOOK_EVERY
            }
            Err(Trouble::Definite(words)) if !was_well => {
                // Who listens ends the process; somebody may have given the alarm already.
                let _ = alarm.try_send(anyhow!(words).context("database can't be used"));
                return;
            }
            Err(trouble) => {
                let words = trouble.to_string();
                let reason = words.lines().next().unwrap_or_default();
                if verdict.set(Err(reason.to_owned())) {
                    tracing::warn!(reason, "database can't be used now");
                }
                LOOK_AGAIN
            }
        };
        if shutdown.or(tokio::time::sleep(pause)).await.is_none() {
            return;
        }
    }
}
