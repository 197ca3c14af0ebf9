//! The trigger-poller service over an automation service that a test plays.
#![expect(clippy::unwrap_used, reason = "tests say by panic what went wrong")]

mod automation;

use std::time::Duration;

use patchbay_service::{Check, Ground};
use patchbay_testing::wait_for;
use patchbay_trigger_poller::{Config, Error, role};

use crate::automation::{Automation, source};

const PATIENCE: Duration = Duration::from_secs(30);

async fn install(automation: &Automation) -> (Ground, Check, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let ground = patchbay_testing::ground(folder.path()).await;
    let config = Config { refresh: Duration::from_millis(10) };
    let mut installed = role::install(&ground, &config, automation.route()).unwrap();
    (ground, installed.checks.remove(0), folder)
}

async fn counts(ground: &Ground, sources: usize) {
    let line = format!("patchbay_poller_sources {sources}\n");
    wait_for(&line, PATIENCE, async || ground.metrics.render().contains(&line).then_some(())).await;
}

async fn says(check: &Check, expected: Result<(), String>) {
    wait_for(&format!("{expected:?}"), PATIENCE, async || (check.holds() == expected).then_some(())).await;
}

#[tokio::test]
async fn counts_the_sources_that_are_polled() {
    let automation = Automation::default();
    automation.set(2, vec![source(1, "poll", 1), source(2, "webhook", 2)]);
    let (ground, check, _folder) = install(&automation).await;
    counts(&ground, 1).await;
    says(&check, Ok(())).await;

    let mut deleted = source(1, "poll", 4);
    deleted.deleted = true;
    automation.set(4, vec![source(3, "poll", 3), deleted, source(4, "poll", 4)]);
    counts(&ground, 2).await;
}

#[tokio::test]
async fn starts_over_when_the_revision_went_back() {
    let automation = Automation::default();
    automation.set(7, vec![source(1, "poll", 7), source(2, "poll", 7)]);
    let (ground, _check, _folder) = install(&automation).await;
    counts(&ground, 2).await;
    automation.set(1, vec![source(3, "poll", 1)]);
    counts(&ground, 1).await;
}

#[tokio::test]
async fn says_why_it_is_not_ready_and_goes_on_by_itself() {
    let automation = Automation::default();
    automation.refuse(true);
    let (_ground, check, _folder) = install(&automation).await;
    says(&check, Err("sources of automation can't be read: automation is away".to_owned())).await;
    automation.refuse(false);
    says(&check, Ok(())).await;
}

#[tokio::test]
async fn refuses_to_ask_without_a_pause() {
    let folder = tempfile::tempdir().unwrap();
    let ground = patchbay_testing::ground(folder.path()).await;
    let config = Config { refresh: Duration::ZERO };
    let refused = role::install(&ground, &config, Automation::default().route());
    assert!(matches!(refused, Err(Error::Config(_))), "{refused:?}");
}
