//! Room for runs in memory: a bounded number, of bounded size together.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

const KIB: usize = 1_024;

/// The room.
#[derive(Debug, Clone)]
pub(crate) struct Slots {
    runs: Arc<Semaphore>,
    kib: Arc<Semaphore>,
    most_runs: usize,
    most_kib: usize,
}

/// The place of one run, with its event's data. Dropping it makes room.
#[derive(Debug)]
pub(crate) struct Slot {
    _run: OwnedSemaphorePermit,
    _kib: OwnedSemaphorePermit,
}

impl Slots {
    pub(crate) fn new(runs: usize, bytes: usize) -> Self {
        // Every run takes 1 KiB at least.
        let most_kib = (bytes / KIB).max(runs);
        Self {
            runs: Arc::new(Semaphore::new(runs)),
            kib: Arc::new(Semaphore::new(most_kib)),
            most_runs: runs,
            most_kib,
        }
    }

    /// Places for `count` runs of `bytes` each; nothing when there is no room for all of them now.
    pub(crate) fn take(&self, count: usize, bytes: usize) -> Option<Vec<Slot>> {
        // Runs that are together larger than all room take all room: they must not wait for ever.
        let bytes = bytes.min(self.most_kib / count.max(1) * KIB);
        (0..count).map(|_| self.take_one(bytes)).collect()
    }

    /// Runs that there is room for when nothing else is in memory.
    pub(crate) fn most(&self) -> usize {
        self.most_runs
    }

    /// A place for one run.
    pub(crate) fn take_one(&self, bytes: usize) -> Option<Slot> {
        let kib = u32::try_from(self.kib_of(bytes)).unwrap_or(u32::MAX);
        let run = Arc::clone(&self.runs).try_acquire_owned().ok()?;
        let kib = Arc::clone(&self.kib).try_acquire_many_owned(kib).ok()?;
        Some(Slot { _run: run, _kib: kib })
    }

    /// Returns when there may be room for a run of `bytes`, with how many runs there is room for.
    pub(crate) async fn room(&self, bytes: usize) -> usize {
        let kib = u32::try_from(self.kib_of(bytes)).unwrap_or(u32::MAX);
        // Both are given back at once: this only waits. The semaphores are never closed.
        drop(self.runs.acquire().await);
        drop(self.kib.acquire_many(kib).await);
        self.runs.available_permits().max(1)
    }

    /// How many runs there is room for now.
    pub(crate) fn free(&self) -> usize {
        self.runs.available_permits()
    }

    /// Returns when no run is in memory.
    pub(crate) async fn empty(&self) {
        let all = u32::try_from(self.most_runs).unwrap_or(u32::MAX);
        drop(self.runs.acquire_many(all).await);
    }

    fn kib_of(&self, bytes: usize) -> usize {
        bytes.div_ceil(KIB).clamp(1, self.most_kib)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_runs_and_bytes() {
        let slots = Slots::new(3, 10 * KIB);
        let held = slots.take(2, 4 * KIB).unwrap();
        assert!(slots.take(1, 4 * KIB).is_none(), "bytes are out");
        assert!(slots.take(2, 1).is_none(), "runs are out");
        drop(held);
        assert_eq!(slots.take(3, 1).unwrap().len(), 3);
    }

    #[test]
    fn runs_that_are_together_larger_than_all_room_find_it_when_it_is_free() {
        let slots = Slots::new(8, 10 * KIB);
        assert_eq!(slots.take(7, 4 * KIB).map(|held| held.len()), Some(7));
        assert_eq!(slots.take(8, 1_000 * KIB).map(|held| held.len()), Some(8));
    }

    #[test]
    fn a_run_larger_than_all_room_takes_all_room() {
        let slots = Slots::new(3, 10 * KIB);
        let held = slots.take_one(1_000 * KIB).unwrap();
        assert!(slots.take_one(1).is_none());
        drop(held);
        assert!(slots.take_one(1).is_some());
    }
}
