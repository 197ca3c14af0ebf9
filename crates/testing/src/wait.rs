//! Waiting for a condition instead of for a time.

use std::{future::Future, time::Duration};

const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Looks again and again until `look` finds something, and gives it back.
///
/// # Panics
/// When nothing is found within `patience`: says `what` was waited for.
pub async fn wait_for<T, F>(what: &str, patience: Duration, mut look: impl FnMut() -> F) -> T
where
    F: Future<Output = Option<T>>,
{
    let looking = async {
        loop {
            if let Some(found) = look().await {
                return found;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    };
    match tokio::time::timeout(patience, looking).await {
        Ok(found) => found,
        Err(_) => panic!("waited {patience:?} in vain for {what}"),
    }
}
