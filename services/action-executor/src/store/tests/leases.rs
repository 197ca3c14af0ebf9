//! Who may take and write what.

use std::{collections::HashSet, time::Duration};

use patchbay_types::IncarnationId;

use super::{Changes, Desk, now, opening, progress};

/// One whose lease is over.
async fn expired(desk: &Desk) -> IncarnationId {
    let owner = IncarnationId::generate();
    desk.store.begin_incarnation(owner, Duration::ZERO, now()).await.unwrap();
    owner
}

#[tokio::test]
async fn a_lease_is_renewed_until_somebody_calls_its_holder_dead() {
    let desk = Desk::new().await;
    if !desk.is_postgres() {
        return;
    }
    let (late, other) = (expired(&desk).await, desk.begin().await);
    assert!(desk.store.renew_incarnation(late, Duration::ZERO, now()).await.unwrap(), "nobody noticed");
    desk.store.end_incarnations(other).await.unwrap();
    assert!(!desk.store.renew_incarnation(late, super::LEASE, now()).await.unwrap());
    assert!(desk.store.renew_incarnation(other, super::LEASE, now()).await.unwrap());
    desk.store.end_incarnations(late).await.unwrap();
    assert!(desk.store.renew_incarnation(other, super::LEASE, now()).await.unwrap());
}

#[tokio::test]
async fn the_dead_open_nothing_and_their_events_come_again() {
    let desk = Desk::new().await;
    if !desk.is_postgres() {
        return;
    }
    let dead = IncarnationId::generate();
    let rows = [opening(Some(dead)), opening(None)];
    let written = desk.open(&rows).await;
    assert_eq!(written.refused, [rows[0].identity.id].into_iter().collect());
    assert_eq!(written.opened, [rows[1].identity.id].into_iter().collect());
    assert_eq!((desk.count("executor_runs").await, desk.count("executor_seen").await), (1, 1));
    let alive = desk.begin().await;
    let again = super::OpenRow { owner: Some(alive), ..rows[0].clone() };
    assert_eq!(desk.open(&[again]).await.opened, [rows[0].identity.id].into_iter().collect());
}

#[tokio::test]
async fn the_dead_take_nothing() {
    let desk = Desk::new().await;
    if !desk.is_postgres() {
        return;
    }
    desk.open(&[opening(None)]).await;
    let connection = patchbay_types::ConnectionId::new(5);
    let dead = IncarnationId::generate();
    assert!(desk.store.take_behind(dead, connection, 9).await.unwrap().is_empty());
    assert!(desk.store.take_over(dead, 9).await.unwrap().is_empty());
    assert_eq!(desk.store.take_behind(desk.begin().await, connection, 9).await.unwrap().len(), 1);
}

#[tokio::test]
async fn what_the_dead_held_is_taken_once_and_they_can_write_it_no_more() {
    let desk = Desk::new().await;
    if !desk.is_postgres() {
        return;
    }
    let (dead, living) = (expired(&desk).await, desk.begin().await);
    let rows: Vec<_> = (0..100).map(|_| opening(Some(dead))).collect();
    let kept: Vec<_> = (0..10).map(|_| opening(Some(living))).collect();
    desk.open(&rows).await;
    desk.open(&kept).await;
    assert!(desk.store.take_over(living, 1_000).await.unwrap().is_empty(), "nobody called it dead");
    desk.store.end_incarnations(living).await.unwrap();
    let other = desk.begin().await;
    let beside = desk.beside().await;
    let mut taken = Vec::new();
    loop {
        let (one, two) = tokio::join!(desk.store.take_over(living, 7), beside.take_over(other, 7));
        let rows: Vec<_> = one.unwrap().into_iter().chain(two.unwrap()).collect();
        if rows.is_empty() {
            break;
        }
        taken.extend(rows);
    }
    assert!(taken.iter().all(|row| row.epoch == 2), "each was taken once");
    let ids: HashSet<_> = taken.iter().filter_map(|row| row.identity()).map(|identity| identity.id).collect();
    assert_eq!(ids, rows.iter().map(|row| row.identity.id).collect());
    let late = [progress(&rows[0], 1, Some(dead))];
    let written = desk.write(&Changes { progress: late.iter().collect(), ..Changes::default() }).await;
    assert_eq!(written.lost.len(), 1);
}

#[tokio::test]
async fn runs_that_are_due_are_taken_once_each_the_first_first() {
    let desk = Desk::new().await;
    let (one, other) = (desk.begin().await, desk.begin().await);
    let owner = if desk.is_postgres() { one } else { other };
    let rows: Vec<_> = (0..40).map(|_| opening(Some(owner))).collect();
    desk.open(&rows).await;
    let waits = |(number, row): (u64, &super::OpenRow)| {
        let due_at = Some(now().before(Duration::from_secs(1_000 - number)));
        super::ProgressRow { due_at, behind: None, ..progress(row, 1, None) }
    };
    let steps: Vec<_> = (0..).zip(&rows).map(waits).collect();
    desk.write(&Changes { progress: steps.iter().collect(), ..Changes::default() }).await;
    assert!(desk.store.is_due(now()).await.unwrap());
    let first = desk.store.take_due(owner, now(), 10).await.unwrap();
    let ids: HashSet<_> = first.iter().filter_map(|row| row.identity()).map(|identity| identity.id).collect();
    assert_eq!(ids, rows[..10].iter().map(|row| row.identity.id).collect());
    let (left, right) = tokio::join!(desk.store.take_due(owner, now(), 20), desk.store.take_due(owner, now(), 20));
    assert_eq!(left.unwrap().len() + right.unwrap().len(), 30);
    assert!(!desk.store.is_due(now()).await.unwrap());
}
