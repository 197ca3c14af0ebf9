//! Deletes what has had its time.

use std::time::Duration;

use patchbay_runtime::{Clock, Shutdown};

use crate::store::Store;

/// How long the answer to a request with an idempotency key is kept.
pub(crate) const ANSWERS_KEPT: Duration = Duration::from_hours(24);
const EVERY: Duration = Duration::from_mins(10);

/// Deletes expired tokens and old answers until the shutdown begins.
pub(crate) async fn sweep(store: Store, clock: Clock, shutdown: Shutdown) {
    loop {
        let now = clock.now();
        if let Err(error) = store.sweep(now, now.before(ANSWERS_KEPT)).await {
            tracing::warn!(reason = error.chain(), "expired tokens and answers can't be deleted yet");
        }
        if shutdown.or(tokio::time::sleep(EVERY)).await.is_none() {
            return;
        }
    }
}
