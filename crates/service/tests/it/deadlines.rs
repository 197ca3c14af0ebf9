//! No call takes longer than it may, and no answer is larger.

use std::time::Duration;

use patchbay_proto::connection::v1::GetConnectionRequest;
use patchbay_service::{peer, status::to_fault};
use patchbay_testing::proxy::Proxy;
use patchbay_types::fault;
use tokio::time::Instant;
use tonic::{Code, Request};

use crate::process::{Caller, Manner, Process, TOKEN, access, options};

#[tokio::test]
async fn a_peer_that_never_answers_is_given_up_in_time() {
    let process = Process::start(access(TOKEN, None)).await;
    process.role.behaves(Manner::Hangs);
    let options = peer::Options { timeout: Duration::from_millis(700), ..options() };
    let caller = Caller::with(&process.http(), &access(TOKEN, None), &options);

    let status = caller.get().await.unwrap_err();

    assert_eq!(status.code(), Code::DeadlineExceeded);
    assert_eq!(status.message(), "connection gave no answer within 700ms");
    assert_eq!(to_fault(&status).code, fault::Code::Timeout);
    assert!(to_fault(&status).code.retryable());
}

#[tokio::test]
async fn the_shorter_deadline_of_the_caller_wins() {
    let process = Process::start(access(TOKEN, None)).await;
    process.role.behaves(Manner::Hangs);
    let caller = Caller::of(&process.http());
    caller.found().await;
    let mut request = Request::new(GetConnectionRequest::default());
    request.set_timeout(Duration::from_millis(300));

    let status = caller.client().get(request).await.unwrap_err();

    assert_eq!(status.message(), "connection gave no answer within 300ms");
    let heads = process.role.heads("Get");
    let told: u64 = heads[0]["grpc-timeout"].to_str().unwrap().strip_suffix('m').unwrap().parse().unwrap();
    assert!(told <= 300, "{told}");
}

#[tokio::test]
async fn the_longer_deadline_of_the_caller_wins_too() {
    let process = Process::start(access(TOKEN, None)).await;
    process.role.behaves(Manner::Hangs);
    let options = peer::Options { timeout: Duration::from_millis(300), ..options() };
    let caller = Caller::with(&process.http(), &access(TOKEN, None), &options);
    let mut request = Request::new(GetConnectionRequest::default());
    request.set_timeout(Duration::from_millis(900));
    let status = caller.client().get(request).await.unwrap_err();
    assert_eq!(status.message(), "connection gave no answer within 900ms");
}

#[tokio::test]
async fn a_message_larger_than_the_client_takes_is_refused() {
    let process = Process::start(access(TOKEN, None)).await;
    process.role.behaves(Manner::Large(100_000));
    let caller = Caller::of(&process.http());
    let get = async |most| {
        let mut client = caller.client().max_decoding_message_size(most);
        client.get(GetConnectionRequest::default()).await
    };
    assert_eq!(get(1_000).await.unwrap_err().code(), Code::OutOfRange);
    assert_eq!(get(200_000).await.unwrap().into_inner().title.len(), 100_000);
}

#[tokio::test]
async fn a_connection_that_lost_the_peer_is_noticed() {
    let process = Process::start(access(TOKEN, None)).await;
    let proxy = Proxy::to(process.address.to_string());
    let options = peer::Options { timeout: Duration::from_secs(60), ..options() };
    let caller = Caller::with(&format!("http://{}", proxy.address()), &access(TOKEN, None), &options);
    caller.found().await;
    proxy.cut();

    let began = Instant::now();
    let status = caller.create().await.unwrap_err();

    // A second until the connection is tested, and one for the answer.
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    assert_eq!(status.code(), Code::Unavailable);
    proxy.heal();
    caller.found().await;
}
