//! What people may do with runs, and with whose.

use std::time::Duration;

use patchbay_proto::executor::v1::{ListRunsRequest, Run, RunRequest};
use patchbay_service::status::to_fault;
use patchbay_types::RunId;
use serde_json::json;
use tonic::{Code, Status};

use crate::{
    house::{House, Setup, launch, of_workspace},
    partner::{Answer, Partner},
    peers::FOREIGN,
};

fn refusal(answer: Result<Run, Status>) -> (Code, String) {
    let status = answer.unwrap_err();
    (status.code(), status.message().to_owned())
}

#[tokio::test]
async fn runs_of_another_workspace_do_not_exist() {
    let (house, partner) = (House::new().await, Partner::new().await);
    let (automation, source) = house.peers.publish(launch(house.peers.connect(&partner)));
    partner.script([Answer::refuses(402, "no"), Answer::HangsUp]);
    for (event, status) in [("failed", "failed"), ("unknown", "outcome_unknown"), ("done", "succeeded")] {
        house.fire(source, event, json!({"email": "ann@a.test"})).await;
        house.when_is(event, status).await;
    }
    let before = house.runs().await;
    for run in &before {
        let request = RunRequest { workspace_id: FOREIGN, id: run.id.clone() };
        let mut client = house.client();
        let answers = [
            client.get_run(request.clone()).await.unwrap_err(),
            client.replay_run(request.clone()).await.unwrap_err(),
            client.cancel_run(request).await.unwrap_err(),
        ];
        let message = format!("run {} does not exist in this workspace", RunId::from_slice(&run.id).unwrap());
        for status in answers {
            assert_eq!((status.code(), to_fault(&status).message), (Code::NotFound, message.clone()));
        }
    }
    let automation_id = automation.as_bytes().to_vec().into();
    for request in [
        ListRunsRequest { workspace_id: FOREIGN, ..ListRunsRequest::default() },
        ListRunsRequest { workspace_id: FOREIGN, automation_id, ..ListRunsRequest::default() },
        ListRunsRequest { workspace_id: FOREIGN, event_id: "done".to_owned(), ..ListRunsRequest::default() },
        ListRunsRequest { workspace_id: FOREIGN, connection_id: 1, ..ListRunsRequest::default() },
    ] {
        assert_eq!(house.list(request).await.unwrap().runs, []);
    }
    assert_eq!(house.dead_letters(FOREIGN).await, []);
    assert_eq!(house.runs().await, before);
    assert_eq!(partner.calls().len(), 3);
}

#[tokio::test]
async fn a_run_that_succeeded_can_neither_be_replayed_nor_cancelled() {
    let (house, partner) = (House::new().await, Partner::new().await);
    let (_, source) = house.peers.publish(launch(house.peers.connect(&partner)));
    house.fire(source, "e", json!({"email": "ann@a.test"})).await;
    let run = house.when_is("e", "succeeded").await;
    let message = "run is succeeded and can't be replayed; expected failed, cancelled or outcome_unknown";
    assert_eq!(refusal(house.replay(&run).await), (Code::FailedPrecondition, message.to_owned()));
    let message = "run is succeeded and can't be cancelled; expected waiting or outcome_unknown";
    assert_eq!(refusal(house.cancel(&run).await), (Code::FailedPrecondition, message.to_owned()));
    assert_eq!(house.get(&run).await, run);
}

#[tokio::test]
async fn a_run_under_way_can_neither_be_replayed_nor_cancelled() {
    let (house, partner) = (House::new().await, Partner::new().await);
    let (_, source) = house.peers.publish(launch(house.peers.connect(&partner)));
    partner.script([Answer::Holds]);
    house.fire(source, "e", json!({"email": "ann@a.test"})).await;
    partner.asked(1).await;
    let run = house.when_is("e", "running").await;
    assert_eq!(refusal(house.replay(&run).await).0, Code::FailedPrecondition);
    assert_eq!(refusal(house.cancel(&run).await).0, Code::FailedPrecondition);
    partner.release();
    house.when_is("e", "succeeded").await;
    assert_eq!(partner.calls().len(), 1);
}

#[tokio::test]
async fn a_waiting_run_can_be_cancelled_and_taken_back() {
    let mut setup = Setup::default();
    setup.config.retry_delays = vec![Duration::from_secs(3_600)];
    let (house, partner) = (House::with(setup).await, Partner::new().await);
    let (_, source) = house.peers.publish(launch(house.peers.connect(&partner)));
    partner.script([Answer::unavailable()]);
    house.fire(source, "e", json!({"email": "ann@a.test"})).await;
    let run = house.when_is("e", "waiting").await;
    let cancelled = house.cancel(&run).await.unwrap();
    assert_eq!((cancelled.status.as_str(), cancelled.steps[0].status.as_str()), ("cancelled", "cancelled"));
    let replayed = house.replay(&cancelled).await.unwrap();
    assert_eq!((replayed.id, replayed.attempt), (run.id, 2));
    house.when_is("e", "succeeded").await;
    assert_eq!(partner.calls().len(), 2);
}

#[tokio::test]
async fn a_run_in_line_can_be_cancelled_and_the_others_go_on() {
    let (house, partner) = (House::new().await, Partner::new().await);
    let connection = house.peers.connect(&partner);
    house.peers.set_connection(connection, "disconnected");
    let (_, source) = house.peers.publish(launch(connection));
    house.fire_many(source, 3).await;
    let runs = house.when_all_are("waiting", 3).await;
    house.cancel(&runs[1]).await.unwrap();
    house.peers.set_connection(connection, "active");
    for run in [&runs[0], &runs[2]] {
        house.when_is(&run.event_id, "succeeded").await;
    }
    assert_eq!(partner.emails(), ["e0000", "e0002"]);
    house.fire(source, "later", json!({"email": "later"})).await;
    house.when_is("later", "succeeded").await;
}

#[tokio::test]
async fn two_replays_at_once_are_one() {
    let (house, partner) = (House::new().await, Partner::new().await);
    let (_, source) = house.peers.publish(launch(house.peers.connect(&partner)));
    partner.script([Answer::refuses(402, "no"), Answer::Holds]);
    house.fire(source, "e", json!({"email": "ann@a.test"})).await;
    let run = house.when_is("e", "failed").await;
    let (one, other) = tokio::join!(house.replay(&run), house.replay(&run));
    assert_eq!([&one, &other].into_iter().filter(|answer| answer.is_ok()).count(), 1, "{one:?} {other:?}");
    partner.release();
    house.when_is("e", "succeeded").await;
    assert_eq!(partner.calls().len(), 2);
}

#[tokio::test]
async fn a_run_that_never_was_is_not_found() {
    let house = House::new().await;
    let mut client = house.client();
    let id = RunId::generate();
    let request = RunRequest { workspace_id: of_workspace().workspace_id, id: id.as_bytes().to_vec().into() };
    assert_eq!(client.get_run(request).await.unwrap_err().code(), Code::NotFound);
    let wrong = RunRequest { workspace_id: of_workspace().workspace_id, id: Vec::from(*b"short").into() };
    assert_eq!(client.get_run(wrong).await.unwrap_err().code(), Code::InvalidArgument);
}
