//! The section `retention`.

use patchbay_action_executor::config::Retention;

use crate::failure::Failure;

/// A smaller file would keep no finished run: whoever asks for that has mistaken the unit.
const LEAST_BYTES: u64 = 1024 * 1024;

pub(super) fn check(retention: &Retention, is_file: bool) -> Result<(), Failure> {
    let is_positive = [("runs_days", retention.runs_days > 0), ("dedupe_days", retention.dedupe_days > 0)];
    if let Some((key, _)) = is_positive.iter().find(|(_, holds)| !holds) {
        return Err(Failure::usage(format!("retention.{key} must be at least 1")));
    }
    if retention.sweep_every.is_zero() {
        return Err(Failure::usage("retention.sweep_every must be more than 0s"));
    }
    if retention.max_bytes == 0 {
        return Ok(());
    }
    if !is_file {
        return Err(Failure::usage(
            "retention.max_bytes bounds a file of SQLite, but store.url is an address of a PostgreSQL, where partitions of \
             finished runs are dropped by days\n\
             hint: leave retention.max_bytes at 0, and set retention.runs_days to the days that finished runs are kept",
        ));
    }
    if retention.max_bytes < LEAST_BYTES {
        return Err(Failure::usage(format!(
            "retention.max_bytes is in bytes: it must be 0, which is no bound, or at least {LEAST_BYTES}"
        )));
    }
    Ok(())
}
