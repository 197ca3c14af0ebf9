//! Named, owned tasks, and how they are told to end.

use std::{
    future::Future,
    panic::AssertUnwindSafe,
    sync::{Arc, OnceLock},
    time::Duration,
};

use futures_util::FutureExt;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Tells everybody who holds a clone that it is time to end.
#[derive(Debug, Clone, Default)]
pub struct Shutdown {
    token: CancellationToken,
}

impl Shutdown {
    /// Begins the end.
    pub fn begin(&self) {
        self.token.cancel();
    }

    /// Whether the end has begun.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        self.token.is_cancelled()
    }

    /// Returns when the end begins.
    pub async fn begun(&self) {
        self.token.cancelled().await;
    }

    /// A shutdown that begins with this one, and can begin earlier by itself.
    #[must_use]
    pub fn child(&self) -> Self {
        Self { token: self.token.child_token() }
    }

    /// What `future` yields, or nothing when the end begins first.
    pub async fn or<T>(&self, future: impl Future<Output = T>) -> Option<T> {
        self.token.run_until_cancelled(future).await
    }
}

/// The tasks of one process. Each has a name; a panic in one is said with that name and ends the process in order,
/// because a part that silently stands still is worse than a restart.
#[derive(Debug, Clone, Default)]
pub struct Tasks {
    tracker: TaskTracker,
    shutdown: Shutdown,
    failed: Arc<OnceLock<&'static str>>,
}

impl Tasks {
    /// No tasks yet; `shutdown` begins when one of them fails.
    #[must_use]
    pub fn new(shutdown: Shutdown) -> Self {
        Self { tracker: TaskTracker::new(), shutdown, failed: Arc::default() }
    }

    /// The shutdown that these tasks obey.
    #[must_use]
    pub const fn shutdown(&self) -> &Shutdown {
        &self.shutdown
    }

    /// Starts a task that ends by itself, or when the shutdown begins.
    pub fn spawn(&self, name: &'static str, future: impl Future<Output = ()> + Send + 'static) {
        let (shutdown, failed) = (self.shutdown.clone(), Arc::clone(&self.failed));
        let guarded = async move {
            if AssertUnwindSafe(future).catch_unwind().await.is_err() {
                tracing::error!(task = name, "task panicked, shutting down");
                let _ = failed.set(name);
                shutdown.begin();
            }
        };
        self.tracker.spawn(guarded);
    }

    /// The task that failed, if one did.
    #[must_use]
    pub fn failed(&self) -> Option<&'static str> {
        self.failed.get().copied()
    }

    /// Waits until all tasks ended. Returns whether they did so in time.
    pub async fn join(&self, within: Duration) -> bool {
        self.tracker.close();
        tokio::time::timeout(within, self.tracker.wait()).await.is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_begins_the_shutdown_and_is_named() {
        let tasks = Tasks::new(Shutdown::default());
        tasks.spawn("careless", async { panic!("deliberate") });
        tasks.shutdown().begun().await;
        assert!(tasks.join(Duration::from_secs(5)).await);
        assert_eq!(tasks.failed(), Some("careless"));
    }

    #[tokio::test]
    async fn tasks_end_with_the_shutdown() {
        let tasks = Tasks::new(Shutdown::default());
        let shutdown = tasks.shutdown().clone();
        tasks.spawn("patient", async move { shutdown.begun().await });
        tasks.shutdown().begin();
        assert!(tasks.join(Duration::from_secs(5)).await);
        assert_eq!(tasks.failed(), None);
    }
}
