//! Keeps the sources fresh.

use std::{sync::Arc, time::Duration};

use patchbay_runtime::{Shutdown, backoff::Backoff};
use patchbay_service::credentials::Credentials;

use crate::{sources::Sources, telemetry::Telemetry};

const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// Asks for what changed every `every`, less often while the peers can't be reached, until the shutdown begins.
/// Drops credentials that were held too long.
pub(crate) async fn keep_fresh(
    sources: Arc<Sources>,
    credentials: Arc<Credentials>,
    telemetry: Arc<Telemetry>,
    every: Duration,
    shutdown: Shutdown,
) {
    let mut backoff = Backoff::new(every, LONGEST_PAUSE.max(every));
    loop {
        let pause = match shutdown.or(sources.refresh()).await {
            None => return,
            Some(Ok(())) => {
                telemetry.refreshed();
                backoff.reset();
                every
            }
            Some(Err(trouble)) => {
                telemetry.refresh_failed(&trouble);
                backoff.next_wait()
            }
        };
        credentials.expire();
        if shutdown.or(tokio::time::sleep(pause)).await.is_none() {
            return;
        }
    }
}
