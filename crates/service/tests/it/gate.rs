//! Who is let in.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use futures_util::StreamExt;
use patchbay_proto::connection::v1::{GetConnectionRequest, connection_service_client::ConnectionServiceClient};
use patchbay_service::Check;
use tonic::{Code, Request, transport::Channel};
use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient};
use tonic_reflection::pb::v1::{
    ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
    server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
};

use crate::process::{Caller, FakeRole, Manner, Process, TOKEN, access, options};

async fn stranger(process: &Process) -> Channel {
    Channel::from_shared(process.http()).unwrap().connect().await.unwrap()
}

fn with_token<T>(message: T, token: &str) -> Request<T> {
    let mut request = Request::new(message);
    request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    request
}

async fn services(process: &Process) -> Vec<String> {
    let question = MessageRequest::ListServices(String::new());
    let request = ServerReflectionRequest { host: String::new(), message_request: Some(question) };
    let mut client = ServerReflectionClient::new(stranger(process).await);
    let mut answers = client.server_reflection_info(futures_util::stream::iter([request])).await.unwrap().into_inner();
    match answers.next().await.unwrap().unwrap().message_response.unwrap() {
        MessageResponse::ListServicesResponse(list) => list.service.into_iter().map(|service| service.name).collect(),
        other => panic!("{other:?}"),
    }
}

async fn health(process: &Process, service: &str) -> Result<ServingStatus, Code> {
    let question = HealthCheckRequest { service: service.to_owned() };
    let answer = HealthClient::new(stranger(process).await).check(question).await;
    answer.map(|answer| answer.get_ref().status()).map_err(|status| status.code())
}

#[tokio::test]
async fn the_service_token_lets_in() {
    let process = Process::start(access(TOKEN, None)).await;
    let caller = Caller::of(&process.http());
    assert_eq!(caller.create().await.unwrap(), 4);
    caller.found().await;
}

#[tokio::test]
async fn a_token_with_odd_characters_lets_in() {
    let token = "sésame, ouvre-toi! \"'\\%00 ключ 🔑";
    let process = Process::start(access(token, None)).await;
    let caller = Caller::with(&process.http(), &access(token, None), &options());
    assert_eq!(caller.create().await.unwrap(), 4);
}

#[tokio::test]
async fn a_wrong_token_is_refused_in_words_that_say_what_to_do() {
    let process = Process::start(access(TOKEN, None)).await;
    let caller = Caller::with(&process.http(), &access("another token of some length", None), &options());
    let expected = format!("refuses the service token at {}: set the same service_auth.token in both", process.http());

    caller.complains(&expected).await;
    for refused in [caller.get().await, caller.create().await] {
        let status = refused.unwrap_err();
        assert_eq!((status.code(), status.message()), (Code::Unavailable, format!("connection {expected}").as_str()));
    }
    assert_eq!((process.role.calls("Get"), process.role.calls("Create")), (0, 0));
}

#[tokio::test]
async fn without_a_token_only_health_and_reflection_answer() {
    let process = Process::start(access(TOKEN, None)).await;

    let refused = ConnectionServiceClient::new(stranger(&process).await).get(GetConnectionRequest::default()).await;
    let status = refused.unwrap_err();
    assert_eq!(status.code(), Code::Unauthenticated);
    let expected = "the service token is missing; send service_auth.token as `authorization: Bearer …`";
    assert_eq!(status.message(), expected);

    assert_eq!(health(&process, "").await, Ok(ServingStatus::Serving));
    let here = "patchbay.connection.v1.ConnectionService";
    assert_eq!(health(&process, here).await, Ok(ServingStatus::Serving));
    assert_eq!(health(&process, "patchbay.catalog.v1.CatalogService").await, Err(Code::NotFound));
    let listed = services(&process).await;
    assert_eq!(listed, [here, "grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection"]);
}

#[tokio::test]
async fn who_shows_a_wrong_token_learns_nothing() {
    let process = Process::start(access(TOKEN, None)).await;
    let channel = stranger(&process).await;
    let question = HealthCheckRequest::default();
    for (token, code) in [(TOKEN, None), ("a wrong token, long enough", Some(Code::Unauthenticated))] {
        let answer = HealthClient::new(channel.clone()).check(with_token(question.clone(), token)).await;
        let refused = answer.err();
        assert_eq!(refused.as_ref().map(tonic::Status::code), code);
        let message = refused.map(|status| status.message().to_owned()).unwrap_or_default();
        assert!(!message.contains(TOKEN), "{message}");
        assert_eq!(code.is_some(), message.contains("service_auth.token"), "{message}");
    }
}

#[tokio::test]
async fn without_access_nothing_but_health_and_reflection_is_served() {
    let role = FakeRole::new(Manner::Answers);
    let process = Process::start_at("127.0.0.1:0".parse().unwrap(), None, role, Vec::new()).await;
    let request = with_token(GetConnectionRequest::default(), TOKEN);
    let refused = ConnectionServiceClient::new(stranger(&process).await).get(request).await;
    assert_eq!(refused.unwrap_err().code(), Code::Unimplemented);
    assert_eq!(health(&process, "").await, Ok(ServingStatus::Serving));
    assert_eq!(services(&process).await, ["grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection"]);
}

#[tokio::test]
async fn health_follows_the_checks() {
    let good = Arc::new(AtomicBool::new(true));
    let seen = Arc::clone(&good);
    let look = move || if seen.load(Ordering::Relaxed) { Ok(()) } else { Err("away".to_owned()) };
    let role = FakeRole::new(Manner::Answers);
    let access = access(TOKEN, None);
    let address = "127.0.0.1:0".parse().unwrap();
    let process = Process::start_at(address, Some(access), role, vec![Check::new("database", look)]).await;
    let mut client = HealthClient::new(stranger(&process).await);
    let mut watched = client.watch(HealthCheckRequest::default()).await.unwrap().into_inner();

    assert_eq!(watched.message().await.unwrap().unwrap().status(), ServingStatus::Serving);
    good.store(false, Ordering::Relaxed);
    assert_eq!(watched.message().await.unwrap().unwrap().status(), ServingStatus::NotServing);
    assert_eq!(health(&process, "").await, Ok(ServingStatus::NotServing));

    // Up but not ready is there: else processes that wait for each other would never become ready.
    let caller = Caller::of(&process.http());
    caller.found().await;
    assert_eq!(caller.get().await.unwrap(), 4);
}
