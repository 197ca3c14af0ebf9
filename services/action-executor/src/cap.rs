//! A file of SQLite is kept below a size: the oldest finished runs go, and nothing else.

use std::{sync::Arc, time::Duration};

use patchbay_runtime::Shutdown;
use patchbay_store::{Error, Size};

use crate::{
    executor::Executor,
    store::{File, Filling, Finished},
};

/// Finished runs looked at, and removed, at once.
const RUNS: i64 = 1_000;
/// Bytes of them that are removed at once, at least and at most: less is not worth a transaction, and more keeps writers
/// waiting.
const LEAST: u64 = 64 * 1024;
const MOST: u64 = 4 * 1024 * 1024;
/// Pages that the file is shortened by at once.
const PAGES: u32 = 256;
/// Writers go on meanwhile.
const PAUSE: Duration = Duration::from_millis(5);

/// How far it came.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    /// The file holds no more than it may.
    Below,
    /// No finished run is left that could be removed.
    Above(Size),
    /// Later more: the process ends, or its disk is full.
    Interrupted,
}

/// Removes finished runs while the file holds more than `retention.max_bytes`, then gives the room back.
pub(crate) async fn keep_below(executor: Arc<Executor>, file: File) {
    let shutdown = executor.tasks.shutdown().clone();
    let mut is_told = false;
    while shutdown.or(tokio::time::sleep(executor.retention.sweep_every)).await.is_some() {
        let looked = async {
            match remove(&executor, &file, &shutdown).await? {
                Outcome::Below => is_told = false,
                Outcome::Above(size) if !is_told => {
                    tell(&file, size, executor.retention.max_bytes).await?;
                    is_told = true;
                }
                Outcome::Above(_) | Outcome::Interrupted => {}
            }
            shorten(&executor, &file, &shutdown).await
        };
        if let Err(error) = looked.await {
            tracing::warn!(error = %error.chain(), "database can't be kept below retention.max_bytes, trying again");
        }
    }
}

async fn remove(executor: &Executor, file: &File, shutdown: &Shutdown) -> Result<Outcome, Error> {
    let most = executor.retention.max_bytes;
    let (mut place, mut removed) = (0, 0);
    let outcome = loop {
        if shutdown.has_begun() || executor.is_short_of_disk() {
            break Outcome::Interrupted;
        }
        let size = file.size().await?;
        if size.used <= most {
            break Outcome::Below;
        }
        let finished = file.oldest_finished(place, RUNS).await?;
        let Some(last) = last_of(&finished, size.used - most) else { break Outcome::Above(size) };
        if finished.iter().any(|run| !run.is_needed && run.place <= last) {
            removed += file.remove_finished(place, last).await?;
            shutdown.or(tokio::time::sleep(PAUSE)).await;
        }
        place = last;
    };
    if removed > 0 {
        tracing::info!(runs = removed, "the oldest finished runs were removed, to stay below retention.max_bytes");
    }
    Ok(outcome)
}

/// Up to which place so many bytes are removed, or as many as may be at once.
fn last_of(finished: &[Finished], excess: u64) -> Option<i64> {
    let enough = excess.clamp(LEAST, MOST);
    let mut bytes = 0;
    for run in finished.iter().filter(|run| !run.is_needed) {
        bytes += u64::try_from(run.bytes).unwrap_or(0);
        if bytes >= enough {
            return Some(run.place);
        }
    }
    finished.last().map(|run| run.place)
}

/// Shortens the file while it is longer than it may be and has pages that it does not use. Those below stay: they are
/// used again.
async fn shorten(executor: &Executor, file: &File, shutdown: &Shutdown) -> Result<(), Error> {
    let mut size = file.size().await?;
    let mut is_shorter = false;
    while size.file > executor.retention.max_bytes && size.file > size.used {
        if shutdown.has_begun() || executor.is_short_of_disk() {
            return Ok(());
        }
        file.shorten(PAGES).await?;
        let now = file.size().await?;
        if now.file >= size.file {
            break;
        }
        (size, is_shorter) = (now, true);
        shutdown.or(tokio::time::sleep(PAUSE)).await;
    }
    if is_shorter { file.checkpoint().await } else { Ok(()) }
}

async fn tell(file: &File, size: Size, most: u64) -> Result<(), Error> {
    let filling = file.filling().await?;
    tracing::warn!(
        used_bytes = size.used,
        max_bytes = most,
        open_runs_bytes = filling.open_runs,
        dead_letters_bytes = filling.dead_letters,
        event_ids_bytes = filling.event_ids,
        hint = hint(&filling, size.used),
        "database holds more than retention.max_bytes, and no finished run is left to remove"
    );
    Ok(())
}

/// What fills most of it, and what can be done about that.
fn hint(filling: &Filling, used: u64) -> &'static str {
    let Filling { open_runs, dead_letters, event_ids } = *filling;
    let others = i64::try_from(used).unwrap_or(i64::MAX) - open_runs - dead_letters - event_ids;
    match open_runs.max(dead_letters).max(event_ids).max(others) {
        most if most == open_runs => "open runs fill it: let them go on, cancel them, or raise retention.max_bytes",
        most if most == dead_letters => "dead letters fill it: replay or drop them, or raise retention.max_bytes",
        most if most == event_ids => "ids of events fill it: lower retention.dedupe_days, or raise retention.max_bytes",
        _ => "other tables than those of runs fill it: raise retention.max_bytes",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finished(runs: &[(i64, i64, bool)]) -> Vec<Finished> {
        runs.iter().map(|&(place, bytes, is_needed)| Finished { place, bytes, is_needed }).collect()
    }

    #[test]
    fn no_more_runs_are_removed_at_once_than_are_too_much() {
        let runs = finished(&[(3, 60_000, false), (4, 900_000, true), (7, 60_000, false), (9, 60_000, false)]);
        assert_eq!(last_of(&runs, 1), Some(7));
        assert_eq!(last_of(&runs, 121_000), Some(9));
        assert_eq!(last_of(&runs, u64::MAX), Some(9));
        assert_eq!(last_of(&[], 1), None);
    }

    #[test]
    fn few_large_runs_are_removed_at_once() {
        let runs = finished(&[(1, 3_000_000, false), (2, 3_000_000, false), (3, 3_000_000, false)]);
        assert_eq!(last_of(&runs, u64::MAX), Some(2));
        assert_eq!(last_of(&finished(&[(1, 90_000_000, false)]), 1), Some(1));
    }

    #[test]
    fn the_hint_is_about_what_fills_most() {
        let filling = |open_runs, dead_letters, event_ids| Filling { open_runs, dead_letters, event_ids };
        assert!(hint(&filling(5, 2, 1), 9).starts_with("open runs"));
        assert!(hint(&filling(2, 5, 1), 9).starts_with("dead letters"));
        assert!(hint(&filling(1, 2, 5), 9).contains("retention.dedupe_days"));
        assert!(hint(&filling(1, 2, 1), 90).starts_with("other tables"));
    }
}
