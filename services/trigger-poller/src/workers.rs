//! Keeps the sources fresh.

use std::{sync::Arc, time::Duration};

use patchbay_runtime::{Shutdown, backoff::Backoff};

use crate::{
    sources::{Reader, Verdict},
    telemetry::Telemetry,
};

const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// Asks for what changed every `every`, less often while `automation` can't be reached, until the shutdown begins.
pub(crate) async fn keep_fresh(
    mut reader: Reader,
    verdict: Arc<Verdict>,
    telemetry: Telemetry,
    every: Duration,
    shutdown: Shutdown,
) {
    let mut backoff = Backoff::new(every, LONGEST_PAUSE.max(every));
    loop {
        let pause = match shutdown.or(reader.refresh()).await {
            None => return,
            Some(Ok(sources)) => {
                telemetry.read(sources);
                verdict.set(Ok(()));
                backoff.reset();
                every
            }
            Some(Err(fault)) => {
                telemetry.failed(&fault);
                verdict.set(Err(format!("sources of automation can't be read: {}", fault.message)));
                backoff.next_wait()
            }
        };
        if shutdown.or(tokio::time::sleep(pause)).await.is_none() {
            return;
        }
    }
}
