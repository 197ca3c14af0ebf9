//! Serving it.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::serve::ListenerExt;
use patchbay_runtime::Clock;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::crm::{Deliveries, WebhookError};
use crate::inspection;
use crate::partner;
use crate::state::{State, lock};

/// How long calls in flight may go on after the shutdown, such as those that a fault delays.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(1);

/// The partners, their memory, and the means to look into it and to make them misbehave.
pub struct Sandbox {
    state: Arc<State>,
}

impl Sandbox {
    /// Partners with their fixed accounts and no profiles.
    #[must_use]
    pub fn new() -> Self {
        // Milliseconds, so that whoever remembers the contacts of an earlier sandbox never meets their ids again.
        let millis = Clock::system().now().as_micros() / 1000;
        Self::with_contacts_from(u64::try_from(millis).unwrap_or(1000))
    }

    /// As [`Self::new`], with the id after this one for the first contact of the CRM.
    #[must_use]
    pub fn with_contacts_from(id: u64) -> Self {
        Self { state: Arc::new(State::new(Clock::system(), id)) }
    }

    /// The whole HTTP surface. All routers of one sandbox share its memory. Webhooks hear nothing until it is served.
    pub fn router(&self) -> Router {
        Router::new().nest("/_", inspection::router()).fallback(partner::receive).with_state(Arc::clone(&self.state))
    }

    /// Makes the CRM tell `url` about every new contact, as `POST /crm/webhooks` with nothing but a URL does.
    ///
    /// # Errors
    /// When the URL can't be called, or there are too many webhooks.
    pub fn register_crm_webhook(&self, url: &str) -> Result<(), WebhookError> {
        lock(&self.state.crm).register_webhook(url)
    }

    /// Serves on `listener` until `shutdown` resolves, then lets calls in flight end for at most a second. Deliveries to
    /// webhooks end with it, also when the future is dropped.
    ///
    /// # Errors
    /// When the listener or the client for deliveries fails for good.
    pub async fn serve(
        self,
        listener: TcpListener,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> std::io::Result<()> {
        // Without this the answer may wait for the acknowledgement of the one before it. A failure only costs time.
        let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
        let deliveries = Deliveries::begin(Arc::clone(&self.state))?;
        let (stopping, stopped) = oneshot::channel();
        let server = axum::serve(listener, self.router()).with_graceful_shutdown(async move {
            shutdown.await;
            // Nobody listens once the server has ended by itself.
            let _ = stopping.send(());
        });
        let grace = async move {
            if stopped.await.is_err() {
                std::future::pending::<()>().await;
            }
            tokio::time::sleep(SHUTDOWN_GRACE).await;
        };
        let result = tokio::select! {
            result = server => result,
            () = grace => Ok(()),
            error = deliveries.failed() => Err(error),
        };
        deliveries.end().await;
        result
    }
}

impl Default for Sandbox {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Sandbox {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Sandbox").finish_non_exhaustive()
    }
}
