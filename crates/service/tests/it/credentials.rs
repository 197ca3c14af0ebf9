//! Credentials on loan: how long they are held, and when their owner is asked.

use std::{sync::Arc, time::Duration};

use futures_util::future::join_all;
use patchbay_runtime::Clock;
use patchbay_service::credentials::{Credential, Credentials};
use patchbay_types::{
    ConnectionId,
    fault::{Code, Fault},
};

use crate::owner::Owner;

const HOLD: Duration = Duration::from_mins(5);
const ID: ConnectionId = ConnectionId::new(4);
const OTHER: ConnectionId = ConnectionId::new(5);

fn credentials(owner: &Owner) -> (Credentials, Clock) {
    let clock = Clock::adjustable();
    (Credentials::new(owner.route(), clock.clone(), HOLD), clock)
}

fn secret(credential: &Credential) -> &str {
    std::str::from_utf8(&credential.fields).unwrap()
}

fn fault(code: Code) -> Fault {
    Fault::new(code, "it is so")
}

#[tokio::test]
async fn a_credential_is_asked_for_once_and_held_for_minutes_only() {
    let owner = Owner::of(7, "s3cr3t");
    let (credentials, clock) = credentials(&owner);
    for (seconds, asked) in [(0, 1), (0, 1), (290, 1), (20, 2), (0, 2)] {
        clock.advance(Duration::from_secs(seconds));
        let credential = credentials.get(ID, 7).await.unwrap();
        assert_eq!((secret(&credential), credential.revision, owner.asked()), ("s3cr3t", 7, asked));
    }
    credentials.get(OTHER, 7).await.unwrap();
    assert_eq!(owner.asked(), 3);
}

#[tokio::test]
async fn a_changed_connection_is_asked_for_at_once() {
    let owner = Owner::of(7, "old");
    let (credentials, _) = credentials(&owner);
    credentials.get(ID, 7).await.unwrap();
    owner.lends(8, "new");
    assert_eq!(secret(&credentials.get(ID, 7).await.unwrap()), "old");
    assert_eq!(secret(&credentials.get(ID, 8).await.unwrap()), "new");
    assert_eq!(secret(&credentials.get(ID, 7).await.unwrap()), "new");
    assert_eq!(owner.asked(), 2);
}

#[tokio::test]
async fn an_expired_credential_is_not_kept_in_memory() {
    let owner = Owner::of(7, "s3cr3t");
    let (credentials, clock) = credentials(&owner);
    let held = Arc::downgrade(&credentials.get(ID, 7).await.unwrap());
    credentials.expire();
    assert!(held.upgrade().is_some());
    clock.advance(HOLD);
    credentials.expire();
    assert!(held.upgrade().is_none());
}

#[tokio::test]
async fn who_waits_shares_one_question() {
    let owner = Owner::of(7, "s3cr3t");
    let (credentials, _) = credentials(&owner);
    owner.sleep();
    let waiting = join_all((0..20).map(|_| credentials.get(ID, 7)));
    let waking = async {
        patchbay_testing::wait_for("the question", HOLD, async || (owner.asked() > 0).then_some(())).await;
        // A question under way keeps its turn.
        credentials.expire();
        let (late, ()) = tokio::join!(credentials.get(ID, 7), async { owner.wake() });
        assert_eq!(secret(&late.unwrap()), "s3cr3t");
    };
    let (got, ()) = tokio::join!(waiting, waking);
    assert!(got.into_iter().all(|got| secret(&got.unwrap()) == "s3cr3t"));
    assert_eq!(owner.asked(), 1);
}

#[tokio::test]
async fn a_held_credential_does_not_wait_for_a_question_under_way() {
    let owner = Owner::of(7, "s3cr3t");
    let (credentials, clock) = credentials(&owner);
    let held = credentials.get(ID, 7).await.unwrap();
    clock.advance(Duration::from_secs(2));
    owner.sleep();
    let newer = credentials.newer(ID, &held);
    let meanwhile = async {
        patchbay_testing::wait_for("the question", HOLD, async || (owner.asked() > 1).then_some(())).await;
        assert_eq!(secret(&credentials.get(ID, 7).await.unwrap()), "s3cr3t");
        owner.wake();
    };
    let (newer, ()) = tokio::join!(newer, meanwhile);
    assert!(newer.unwrap().is_none());
}

#[tokio::test]
async fn a_fault_stands_for_a_second_or_until_the_connection_changes() {
    for code in [Code::NotFound, Code::FailedPrecondition, Code::Unavailable] {
        let owner = Owner::of(7, "s3cr3t");
        let (credentials, clock) = credentials(&owner);
        owner.fails(code);
        for (seconds, revision, asked) in [(0, 7, 1), (0, 7, 1), (2, 7, 2), (0, 8, 3), (0, 8, 3)] {
            clock.advance(Duration::from_secs(seconds));
            assert_eq!(credentials.get(ID, revision).await.unwrap_err(), fault(code));
            assert_eq!(owner.asked(), asked, "{code}");
        }
        owner.lends(9, "s3cr3t");
        assert_eq!(credentials.get(ID, 9).await.unwrap().revision, 9);
    }
}

#[tokio::test]
async fn a_newer_credential_is_asked_for_once_a_second() {
    let owner = Owner::of(7, "old");
    let (credentials, clock) = credentials(&owner);
    let old = credentials.get(ID, 7).await.unwrap();
    for (seconds, asked) in [(0, 1), (2, 2), (0, 2)] {
        clock.advance(Duration::from_secs(seconds));
        assert!(credentials.newer(ID, &old).await.unwrap().is_none());
        assert_eq!(owner.asked(), asked);
    }
    owner.lends(8, "new");
    clock.advance(Duration::from_secs(2));
    for _ in 0..2 {
        let newer = credentials.newer(ID, &old).await.unwrap().unwrap();
        assert_eq!((secret(&newer), owner.asked()), ("new", 3));
    }
}

#[tokio::test]
async fn a_held_credential_stays_while_its_owner_is_away() {
    let owner = Owner::of(7, "s3cr3t");
    let (credentials, clock) = credentials(&owner);
    let held = credentials.get(ID, 7).await.unwrap();
    owner.fails(Code::Unavailable);
    clock.advance(Duration::from_secs(2));
    for _ in 0..2 {
        assert_eq!(credentials.newer(ID, &held).await.unwrap_err(), fault(Code::Unavailable));
    }
    assert_eq!(secret(&credentials.get(ID, 7).await.unwrap()), "s3cr3t");
    assert_eq!(owner.asked(), 2);
}

#[tokio::test]
async fn a_held_credential_goes_when_its_owner_lends_it_no_longer() {
    let owner = Owner::of(7, "s3cr3t");
    let (credentials, clock) = credentials(&owner);
    let held = credentials.get(ID, 7).await.unwrap();
    owner.fails(Code::FailedPrecondition);
    clock.advance(Duration::from_secs(2));
    assert_eq!(credentials.newer(ID, &held).await.unwrap_err(), fault(Code::FailedPrecondition));
    assert_eq!(credentials.get(ID, 7).await.unwrap_err(), fault(Code::FailedPrecondition));
}

#[tokio::test]
async fn a_refused_credential_is_dropped_and_reported() {
    let owner = Owner::of(7, "s3cr3t");
    let (credentials, _) = credentials(&owner);
    credentials.get(ID, 7).await.unwrap();
    credentials.report_refused(ID, 7).await;
    credentials.get(ID, 7).await.unwrap();
    assert_eq!((owner.refused(), owner.asked()), (vec![(4, 7)], 2));
    // What was got since is not what was refused.
    credentials.report_refused(ID, 6).await;
    credentials.get(ID, 7).await.unwrap();
    assert_eq!((owner.refused(), owner.asked()), (vec![(4, 7), (4, 6)], 2));
    // It is dropped even if its owner is away.
    owner.fails(Code::Unavailable);
    credentials.report_refused(ID, 7).await;
    assert_eq!(credentials.get(ID, 7).await.unwrap_err(), fault(Code::Unavailable));
}

#[tokio::test]
async fn an_owner_that_does_not_answer_is_given_up() {
    let owner = Owner::of(7, "s3cr3t");
    let (credentials, _) = credentials(&owner);
    owner.sleep();
    let (one, other) = tokio::join!(credentials.get(ID, 7), credentials.get(ID, 7));
    let given_up = Fault::new(Code::Unavailable, "connection 4 could not be asked about in time; try again");
    assert_eq!((one.unwrap_err(), other.unwrap_err()), (given_up.clone(), given_up));
    owner.wake();
    assert_eq!(secret(&credentials.get(ID, 7).await.unwrap()), "s3cr3t");
}

#[tokio::test]
async fn what_operators_read_has_no_secret() {
    let owner = Owner::of(7, "s3cr3t");
    let (credentials, _) = credentials(&owner);
    let held = credentials.get(ID, 7).await.unwrap();
    assert_eq!(format!("{held:?}"), "Credential(revision 7, ••)");
    let (text, bytes) = (format!("{credentials:?}"), format!("{:?}", held.fields.as_slice()));
    assert!(text.contains("revision 7") && !text.contains("s3cr3t") && !text.contains(&bytes), "{text}");
}
