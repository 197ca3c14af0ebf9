//! What must be true for this process to make progress. Conditions are added as its parts come.

use std::sync::{Arc, Mutex, PoisonError, RwLock};

use patchbay_service::Check;

/// The conditions of readiness; clones share them.
#[derive(Debug, Clone, Default)]
pub(super) struct Board {
    checks: Arc<RwLock<Vec<Arc<Check>>>>,
}

impl Board {
    pub(super) fn add(&self, check: Check) {
        self.checks.write().unwrap_or_else(PoisonError::into_inner).push(Arc::new(check));
    }

    /// The conditions that there are now.
    pub(super) fn checks(&self) -> Vec<Check> {
        let checks = self.all();
        checks.into_iter().map(|check| Check::new(check.name(), move || check.verdict())).collect()
    }

    /// All of them as one, also those that come later.
    pub(super) fn whole(&self) -> Check {
        let board = self.clone();
        Check::new("process", move || match board.missing().into_iter().next() {
            None => Ok(()),
            Some((name, reason)) => Err(format!("{name}: {reason}")),
        })
    }

    /// Those that don't hold, and why.
    pub(super) fn missing(&self) -> Vec<(&'static str, String)> {
        let checks = self.all();
        checks.iter().filter_map(|check| check.holds().err().map(|reason| (check.name(), reason))).collect()
    }

    fn all(&self) -> Vec<Arc<Check>> {
        self.checks.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// One condition that somebody says something about from time to time.
#[derive(Debug, Clone)]
pub(super) struct Verdict(Arc<Mutex<Result<(), String>>>);

impl Verdict {
    /// Does not hold, for this reason.
    pub(super) fn new(reason: &str) -> Self {
        Self(Arc::new(Mutex::new(Err(reason.to_owned()))))
    }

    /// Says it, and returns whether that is something else than before.
    pub(super) fn set(&self, verdict: Result<(), String>) -> bool {
        let mut said = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let changed = *said != verdict;
        *said = verdict;
        changed
    }

    pub(super) fn get(&self) -> Result<(), String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn check(&self, name: &'static str) -> Check {
        let verdict = self.clone();
        Check::new(name, move || verdict.get())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_holds_when_every_condition_does_also_a_later_one() {
        let board = Board::default();
        let whole = board.whole();
        assert_eq!(whole.holds(), Ok(()));
        let verdict = Verdict::new("not looked at yet");
        board.add(Check::new("broker", || Ok(())));
        board.add(verdict.check("database"));
        assert_eq!(whole.holds(), Err("database: not looked at yet".to_owned()));
        assert_eq!(board.missing(), [("database", "not looked at yet".to_owned())]);
        assert!(verdict.set(Ok(())) && !verdict.set(Ok(())));
        assert_eq!(whole.holds(), Ok(()));
        assert_eq!(board.checks().iter().map(Check::name).collect::<Vec<_>>(), ["broker", "database"]);
    }
}
