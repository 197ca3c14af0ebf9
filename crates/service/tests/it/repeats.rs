//! What is sent again, and what never is.

use patchbay_testing::wait_for;
use tonic::Code;

use crate::process::{Caller, Manner, PATIENCE, Process, TOKEN, access};

#[tokio::test]
async fn a_safe_call_is_repeated_when_its_answer_was_lost() {
    let mut process = Process::start(access(TOKEN, None)).await;
    let caller = Caller::of(&process.http());
    process.role.behaves(Manner::Hangs);

    let (answer, ()) = tokio::join!(caller.get(), async {
        let role = process.role.clone();
        wait_for("the call", PATIENCE, async || (role.calls("Get") == 1).then_some(())).await;
        process.role.behaves(Manner::Answers);
        process.crash().await;
        process.start_again().await;
    });

    assert_eq!((answer.unwrap(), process.role.calls("Get")), (4, 2));
}

#[tokio::test]
async fn an_unsafe_call_is_not_repeated_when_its_answer_was_lost() {
    let mut processes = [Process::start(access(TOKEN, None)).await, Process::start(access(TOKEN, None)).await];
    let roles = processes.each_ref().map(|process| process.role.clone());
    let addresses = processes.each_ref().map(Process::http);
    let caller = Caller::of(&addresses.join(","));
    for role in &roles {
        role.behaves(Manner::Hangs);
    }

    let (answer, hit) = tokio::join!(caller.create(), async {
        let called = async || roles.iter().position(|role| role.calls("Create") == 1);
        let hit = wait_for("the call", PATIENCE, called).await;
        for role in &roles {
            role.behaves(Manner::Answers);
        }
        processes[hit].crash().await;
        processes[hit].start_again().await;
        hit
    });

    let status = answer.unwrap_err();
    let expected = format!("connection gave no answer at {}: ", addresses[hit]);
    assert_eq!(status.code(), Code::Unavailable);
    assert!(status.message().starts_with(&expected), "{}", status.message());
    assert_eq!(roles.iter().map(|role| role.calls("Create")).sum::<usize>(), 1);
}

#[tokio::test]
async fn a_safe_call_is_repeated_while_the_peer_can_not_do_it() {
    let process = Process::start(access(TOKEN, None)).await;
    let caller = Caller::of(&process.http());
    process.role.behaves(Manner::Unavailable(2));
    assert_eq!((caller.get().await.unwrap(), process.role.calls("Get")), (4, 3));
}

#[tokio::test]
async fn repetitions_end_with_what_the_peer_says() {
    let process = Process::start(access(TOKEN, None)).await;
    let caller = Caller::of(&process.http());
    process.role.behaves(Manner::Unavailable(usize::MAX));
    let status = caller.get().await.unwrap_err();
    assert_eq!((status.code(), status.message()), (Code::Unavailable, "its database is away"));
    assert_eq!(process.role.calls("Get"), 3);
}

#[tokio::test]
async fn an_unsafe_call_is_not_repeated_when_the_peer_can_not_do_it() {
    let process = Process::start(access(TOKEN, None)).await;
    let caller = Caller::of(&process.http());
    process.role.behaves(Manner::Unavailable(1));
    let status = caller.create().await.unwrap_err();
    assert_eq!((status.code(), status.message()), (Code::Unavailable, "its database is away"));
    assert_eq!(process.role.calls("Create"), 1);
}
