//! Peers that come, go, and come again.

use std::{net::SocketAddr, time::Duration};

use patchbay_service::Role;
use patchbay_testing::{proxy::Proxy, wait_for};
use tokio::net::TcpListener;
use tonic::Code;

use crate::process::{Caller, FakeRole, Manner, PATIENCE, Process, TOKEN, access, options};

/// An address where nobody listens.
async fn nowhere() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap()
}

/// Takes connections, and never says a word, as a process that is stopped.
async fn silent() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    (listener, address)
}

#[tokio::test]
async fn a_peer_that_is_away_is_named_with_the_reason() {
    let address = nowhere().await;
    let caller = Caller::of(&format!("http://{address}"));
    let expected = format!("can't be reached at http://{address}: connection refused");

    caller.complains(&expected).await;
    for refused in [caller.get().await, caller.create().await] {
        let status = refused.unwrap_err();
        assert_eq!((status.code(), status.message()), (Code::Unavailable, format!("connection {expected}").as_str()));
    }
}

#[tokio::test]
async fn a_name_that_does_not_exist_is_named() {
    let caller = Caller::with(
        "https://nobody.invalid:8081",
        &access(TOKEN, Some(crate::authority::Authority::new("ours").tls())),
        &options(),
    );
    let start = "can't be reached at https://nobody.invalid:8081: ";
    let said = caller.complains_so(|said| said.starts_with(start)).await;
    let status = caller.get().await.unwrap_err();
    assert_eq!((status.code(), status.message()), (Code::Unavailable, format!("connection {said}").as_str()));
}

#[tokio::test]
async fn a_peer_may_start_later() {
    let address = nowhere().await;
    let caller = Caller::of(&format!("http://{address}"));
    caller.complains(&format!("can't be reached at http://{address}: connection refused")).await;

    let role = FakeRole::new(Manner::Answers);
    let _process = Process::start_at(address, Some(access(TOKEN, None)), role, Vec::new()).await;

    assert_eq!(caller.create().await.unwrap(), 4);
    caller.found().await;
}

#[tokio::test]
async fn a_peer_is_found_again_after_a_crash() {
    let mut process = Process::start(access(TOKEN, None)).await;
    let caller = Caller::of(&process.http());
    assert_eq!(caller.create().await.unwrap(), 4);
    caller.found().await;

    process.crash().await;
    caller.complains(&format!("can't be reached at {}: connection refused", process.http())).await;
    assert_eq!(caller.create().await.unwrap_err().code(), Code::Unavailable);
    // Who had reached it goes on with what does not need it.
    assert_eq!(caller.peer.check.holds(), Ok(()));

    process.start_again().await;
    assert_eq!(caller.create().await.unwrap(), 4);
    caller.found().await;
}

#[tokio::test]
async fn a_crash_between_calls_goes_unnoticed_when_the_peer_is_back() {
    let mut process = Process::start(access(TOKEN, None)).await;
    let caller = Caller::of(&process.http());
    for _ in 0..5 {
        assert_eq!(caller.get().await.unwrap(), 4);
        process.crash().await;
        process.start_again().await;
    }
}

#[tokio::test]
async fn calls_go_around_an_address_where_nobody_listens() {
    let process = Process::start(access(TOKEN, None)).await;
    let caller = Caller::of(&format!("http://{},{}", nowhere().await, process.http()));
    for _ in 0..20 {
        assert_eq!(caller.get().await.unwrap(), 4);
        assert_eq!(caller.create().await.unwrap(), 4);
    }
    caller.found().await;
    assert_eq!((process.role.calls("Get"), process.role.calls("Create")), (20, 20));
}

#[tokio::test]
async fn calls_go_around_an_address_that_is_silent() {
    let process = Process::start(access(TOKEN, None)).await;
    let (_listener, silent) = silent().await;
    let caller = Caller::of(&format!("{silent},{}", process.http()));
    for _ in 0..20 {
        assert_eq!(caller.get().await.unwrap(), 4);
        assert_eq!(caller.create().await.unwrap(), 4);
    }
    assert_eq!((process.role.calls("Get"), process.role.calls("Create")), (20, 20));
}

#[tokio::test]
async fn calls_leave_an_address_that_falls_silent() {
    let (one, two) = (Process::start(access(TOKEN, None)).await, Process::start(access(TOKEN, None)).await);
    let proxy = Proxy::to(one.address.to_string());
    let caller = Caller::of(&format!("http://{},{}", proxy.address(), two.http()));
    wait_for("calls at both", PATIENCE, async || {
        assert_eq!(caller.get().await.unwrap(), 4);
        (one.role.calls("Get") > 0 && two.role.calls("Get") > 0).then_some(())
    })
    .await;

    proxy.cut();

    // Those that are under way there are given up as soon as it is known to be silent, and go to the other.
    for _ in 0..6 {
        assert_eq!(caller.get().await.unwrap(), 4);
    }
    let before = two.role.calls("Create");
    for _ in 0..6 {
        assert_eq!(caller.create().await.unwrap(), 4);
    }
    assert_eq!(two.role.calls("Create"), before + 6);
}

#[tokio::test]
async fn peers_are_left_when_the_process_ends() {
    let process = Process::start(access(TOKEN, None)).await;
    let caller = Caller::of(&format!("{},http://localhost:{}", process.http(), process.address.port()));
    caller.found().await;
    assert!(caller.end(Duration::from_secs(5)).await);
}

#[tokio::test]
async fn both_of_two_addresses_are_called() {
    let (one, two) = (Process::start(access(TOKEN, None)).await, Process::start(access(TOKEN, None)).await);
    let caller = Caller::of(&format!("{},{}", one.http(), two.http()));
    wait_for("calls at both", PATIENCE, async || {
        assert_eq!(caller.get().await.unwrap(), 4);
        (one.role.calls("Get") > 0 && two.role.calls("Get") > 0).then_some(())
    })
    .await;
}

#[tokio::test]
async fn what_waits_for_a_silent_peer_is_told_in_time() {
    let (_listener, silent) = silent().await;
    let caller = Caller::of(&silent);
    let cause = "it is either busy or no gRPC listener without TLS; no word from it within 1s";
    caller.complains(&format!("can't be reached at {silent}: {cause}")).await;
    let status = caller.create().await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
}

#[tokio::test]
async fn a_process_without_the_role_is_named() {
    let process = Process::start(access(TOKEN, None)).await;
    let caller = Caller::of_role(Role::Catalog, &process.http(), &access(TOKEN, None), &options());
    let cause = "nobody is catalog there; see peers.catalog and the --roles of that process";
    caller.complains(&format!("has another role at {}: {cause}", process.http())).await;
}
