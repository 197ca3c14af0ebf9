//! Dead letters: shown, brought in again, dropped; by the process itself and by one beside it.

use std::time::Duration;

use bytes::Bytes;
use patchbay_action_executor::Desk;
use patchbay_proto::executor::v1::{DeadLetterDetail, DeadLetterEntry, DeadLetterRequest, RunRequest};
use patchbay_service::status::to_fault;
use patchbay_testing::wait_for;
use patchbay_types::{Fault, fault::Code};
use serde_json::json;

use crate::{
    house::{House, PATIENCE, import, launch},
    partner::{Answer, Partner},
    peers::{FOREIGN, WORKSPACE},
};

const OURS: i64 = WORKSPACE;

fn named(workspace_id: i64, id: i64) -> DeadLetterRequest {
    DeadLetterRequest { workspace_id, id }
}

async fn show(house: &House, workspace: i64, id: i64) -> Result<DeadLetterDetail, Fault> {
    let answer = house.client().get_dead_letter(named(workspace, id)).await;
    answer.map(tonic::Response::into_inner).map_err(|status| to_fault(&status))
}

async fn replay(house: &House, workspace: i64, id: i64) -> Result<DeadLetterEntry, Fault> {
    let answer = house.client().replay_dead_letter(named(workspace, id)).await;
    answer.map(tonic::Response::into_inner).map_err(|status| to_fault(&status))
}

async fn discard(house: &House, workspace: i64, id: i64) -> Result<(), Fault> {
    let answer = house.client().drop_dead_letter(named(workspace, id)).await;
    answer.map(drop).map_err(|status| to_fault(&status))
}

/// A house with an event that came too late.
async fn with_old_event() -> (House, Partner, DeadLetterEntry) {
    let (house, partner) = (House::new().await, Partner::new().await);
    let (_, source) = house.peers.publish(import(house.peers.connect(&partner)));
    let mut event = house.event(source, "old", &json!({"email": "ann@a.test"}));
    event.accepted_at -= i64::try_from(Duration::from_hours(7 * 24 + 1).as_micros()).unwrap();
    house.publish(&[event]).await;
    house.acknowledged().await;
    let letter = house.dead_letters(OURS).await.remove(0);
    (house, partner, letter)
}

#[tokio::test]
async fn a_dead_letter_shows_the_event_that_it_is_about() {
    let (house, _, letter) = with_old_event().await;
    let shown = show(&house, OURS, letter.id).await.unwrap();
    assert_eq!(shown.entry, Some(letter));
    assert_eq!(shown.payload, Bytes::from_static(b"{\"email\":\"ann@a.test\"}"));
    assert_eq!(shown.topic, "trigger.fired");
    assert!(!shown.original.is_empty());
}

#[tokio::test]
async fn an_event_is_brought_in_again_once() {
    let (house, partner, letter) = with_old_event().await;
    replay(&house, OURS, letter.id).await.unwrap();
    house.when_is("old", "succeeded").await;
    wait_for("the dead letter to go", PATIENCE, || async { house.dead_letters(OURS).await.is_empty().then_some(()) })
        .await;
    assert_eq!(replay(&house, OURS, letter.id).await.unwrap_err().code, Code::NotFound);
    assert_eq!((house.runs().await.len(), partner.calls().len()), (1, 1));
}

#[tokio::test]
async fn a_replay_that_was_asked_for_beside_the_process_is_done_by_it() {
    let (house, _partner, letter) = with_old_event().await;
    let desk = Desk::open(house.ground().engine.clone(), house.ground().clock.clone()).await.unwrap();
    desk.replay_dead_letter(&named(OURS, letter.id)).await.unwrap();
    let run = house.when_is("old", "succeeded").await;
    let shown = desk.get_run(&RunRequest { workspace_id: OURS, id: run.id.clone() }).await.unwrap();
    assert_eq!(shown, run);
}

#[tokio::test]
async fn the_dead_letter_of_a_run_repeats_the_run() {
    let (house, partner) = (House::new().await, Partner::new().await);
    let (_, source) = house.peers.publish(launch(house.peers.connect(&partner)));
    partner.script([Answer::refuses(402, "no")]);
    house.fire(source, "refused", json!({"email": "ann@a.test"})).await;
    house.when_is("refused", "failed").await;
    let letter = house.dead_letters(OURS).await.remove(0);
    let shown = show(&house, OURS, letter.id).await.unwrap();
    assert_eq!((shown.entry.as_ref(), shown.original.is_empty()), (Some(&letter), true));

    replay(&house, OURS, letter.id).await.unwrap();
    let run = wait_for("the run to succeed", PATIENCE, || async {
        house.runs_of("refused").await.into_iter().find(|run| run.status == "succeeded")
    })
    .await;
    assert_eq!((run.attempt, house.dead_letters(OURS).await), (2, vec![]));
}

#[tokio::test]
async fn a_message_that_cannot_be_read_is_dropped_and_not_replayed() {
    let house = House::new().await;
    house.publish_raw(vec![("key".to_owned(), Bytes::from_static(b"\xff no protobuf"))]).await;
    house.acknowledged().await;
    let letter = house.dead_letters(0).await.remove(0);
    let fault = replay(&house, 0, letter.id).await.unwrap_err();
    let message = "its message can't be read, so there is no event to bring in; drop the dead letter";
    assert_eq!((fault.code, fault.message.as_str()), (Code::FailedPrecondition, message));
    assert_eq!(show(&house, 0, letter.id).await.unwrap().payload, Bytes::new());
    discard(&house, 0, letter.id).await.unwrap();
    assert_eq!(house.dead_letters(0).await, []);
    assert_eq!(discard(&house, 0, letter.id).await.unwrap_err().code, Code::NotFound);
}

#[tokio::test]
async fn dead_letters_of_another_workspace_do_not_exist() {
    let (house, _, letter) = with_old_event().await;
    let message = format!("dead letter {} does not exist in this workspace", letter.id);
    for fault in [
        show(&house, FOREIGN, letter.id).await.unwrap_err(),
        replay(&house, FOREIGN, letter.id).await.unwrap_err(),
        discard(&house, FOREIGN, letter.id).await.unwrap_err(),
    ] {
        assert_eq!((fault.code, fault.message.as_str()), (Code::NotFound, message.as_str()));
    }
    assert_eq!(house.dead_letters(OURS).await, [letter]);
}
