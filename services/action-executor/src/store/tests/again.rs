//! A commit whose answer is lost is written again, and must not be written twice.

use uuid::Uuid;

use super::{Changes, Desk, Written, end, letter, now, opening, progress};

async fn twice(desk: &Desk, mut changes: Changes<'_>) -> (Written, Written) {
    let first = desk.write(&changes).await;
    changes.again = true;
    (first, desk.write(&changes).await)
}

#[tokio::test]
async fn runs_are_opened_once_and_are_ours_both_times() {
    let desk = Desk::new().await;
    let owner = desk.begin().await;
    let rows = [opening(Some(owner)), opening(None), opening(Some(owner))];
    let (first, second) = twice(&desk, Changes { opens: rows.iter().collect(), ..Changes::default() }).await;
    assert_eq!(first.opened.len(), 3);
    assert_eq!(second.opened, first.opened);
    assert!(second.refused.is_empty() && second.lost.is_empty());
    assert_eq!((desk.count("executor_runs").await, desk.count("executor_seen").await), (3, 3));
}

#[tokio::test]
async fn an_event_that_another_run_was_opened_for_is_still_a_repeated_one() {
    let desk = Desk::new().await;
    let owner = desk.begin().await;
    let first = opening(Some(owner));
    let mut other = opening(Some(owner));
    other.seen = first.seen;
    desk.open(std::slice::from_ref(&first)).await;
    let fresh = opening(Some(owner));
    let rows = [other, fresh, first.clone()];
    let written = desk.write(&Changes { opens: rows.iter().collect(), again: true, ..Changes::default() }).await;
    let opened = [rows[1].identity.id, first.identity.id].into_iter().collect();
    assert_eq!(written.opened, opened);
    assert_eq!(desk.count("executor_runs").await, 2);
}

#[tokio::test]
async fn a_run_that_ended_meanwhile_is_not_opened_again() {
    let desk = Desk::new().await;
    let rows = [opening(None)];
    desk.open(&rows).await;
    let cancelled = desk.store.cancel(super::WORKSPACE, rows[0].identity.id, now()).await.unwrap();
    assert!(cancelled.is_some());
    desk.write(&Changes { opens: rows.iter().collect(), again: true, ..Changes::default() }).await;
    assert_eq!((desk.count("executor_runs").await, desk.count("executor_history").await), (0, 1));
}

#[tokio::test]
async fn progress_is_no_lost_run() {
    let desk = Desk::new().await;
    let owner = desk.begin().await;
    let rows = [opening(Some(owner)), opening(Some(owner)), opening(Some(owner))];
    desk.open(&rows).await;
    let steps = [progress(&rows[0], 1, Some(owner)), progress(&rows[1], 1, None), progress(&rows[2], 1, None)];
    let mut changes = Changes { progress: steps.iter().collect(), ..Changes::default() };
    assert!(desk.write(&changes).await.lost.is_empty());
    // Another executor takes what is in line before it is written again.
    let other = desk.begin().await;
    if desk.is_postgres() {
        assert_eq!(desk.store.take_behind(other, patchbay_types::ConnectionId::new(5), 1).await.unwrap().len(), 1);
    }
    changes.again = true;
    assert!(desk.write(&changes).await.lost.is_empty());
    let strange = [progress(&rows[0], 9, Some(owner))];
    let written = desk.write(&Changes { progress: strange.iter().collect(), again: true, ..Changes::default() }).await;
    assert_eq!(written.lost, [rows[0].identity.id].into_iter().collect());
}

#[tokio::test]
async fn ends_are_kept_told_and_buried_once() {
    let desk = Desk::new().await;
    let owner = desk.begin().await;
    let rows = [opening(Some(owner)), opening(Some(owner)), opening(Some(owner))];
    desk.open(&rows).await;
    let ends = [end(&rows[0], 1), end(&rows[1], 1), end(&rows[2], 4)];
    let (first, second) = twice(&desk, Changes { ends: ends.iter().collect(), ..Changes::default() }).await;
    let lost = [rows[2].identity.id].into_iter().collect();
    assert_eq!((&first.lost, &second.lost), (&lost, &lost));
    let (batch, told) = first.finished.unwrap();
    assert_eq!((told.runs.len(), second.finished.is_none()), (2, true));
    assert_eq!(desk.store.untold(now(), 10).await.unwrap(), [(batch, told)]);
    assert_eq!((desk.count("executor_runs").await, desk.count("executor_history").await), (1, 2));
    assert_eq!(desk.count("executor_dead_letters").await, 2);
    let (_, _) = twice(&desk, Changes { told: vec![batch, Uuid::now_v7()], ..Changes::default() }).await;
    assert_eq!(desk.count("executor_finished").await, 0);
}

#[tokio::test]
async fn a_letter_is_buried_once_and_another_beside_it() {
    let desk = Desk::new().await;
    let letters = [letter(None, now()), letter(None, now().after(super::LEASE))];
    twice(&desk, Changes { dead: letters.iter().collect(), ..Changes::default() }).await;
    assert_eq!(desk.count("executor_dead_letters").await, 2);
}

#[tokio::test]
async fn a_batch_writes_everything_at_once() {
    let desk = Desk::new().await;
    let owner = desk.begin().await;
    let rows = [opening(Some(owner)), opening(Some(owner))];
    desk.open(&rows).await;
    let (opens, steps, ends) = ([opening(None)], [progress(&rows[0], 1, None)], [end(&rows[1], 1)]);
    let letters = [letter(None, now())];
    let written = desk
        .write(&Changes {
            opens: opens.iter().collect(),
            progress: steps.iter().collect(),
            ends: ends.iter().collect(),
            dead: letters.iter().collect(),
            told: vec![Uuid::now_v7()],
            again: false,
        })
        .await;
    assert!(written.lost.is_empty() && written.refused.is_empty());
    assert_eq!(written.opened.len(), 1);
    assert_eq!((desk.count("executor_runs").await, desk.count("executor_history").await), (2, 1));
    assert_eq!((desk.count("executor_dead_letters").await, desk.count("executor_finished").await), (2, 1));
    let behind = desk.store.count_behind().await.unwrap();
    assert_eq!(behind, [(patchbay_types::ConnectionId::new(5), 2)]);
}
