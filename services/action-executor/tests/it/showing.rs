//! Runs as they are listed and kept.

use patchbay_proto::executor::v1::ListRunsRequest;
use serde_json::{Value, json};
use tonic::Code;

use crate::{
    house::{House, import, launch, of_workspace},
    partner::{Answer, Partner},
};

#[tokio::test]
async fn a_list_is_read_page_by_page_newest_first() {
    let (house, partner) = (House::new().await, Partner::new().await);
    let (_, source) = house.peers.publish(launch(house.peers.connect(&partner)));
    // Some of them stay open, so that pages hold both kinds.
    partner.script((0..25).map(|number| if number % 3 == 0 { Answer::HangsUp } else { Answer::Done }));
    for number in 0..25 {
        house.fire(source, &number.to_string(), json!({"email": "ann@a.test"})).await;
        house.when(&number.to_string(), "settled", |run| run.status != "running").await;
    }
    let all: Vec<_> = house.runs().await.into_iter().map(|run| run.event_id).collect();
    assert_eq!(all, (0..25).rev().map(|number| number.to_string()).collect::<Vec<_>>());
    let (mut pages, mut before_id) = (Vec::new(), Vec::new().into());
    loop {
        let page = house.list(ListRunsRequest { limit: 10, before_id, ..of_workspace() }).await.unwrap();
        pages.push(page.runs.into_iter().map(|run| run.event_id).collect::<Vec<_>>());
        before_id = page.next_before_id;
        if before_id.is_empty() {
            break;
        }
    }
    assert_eq!(pages, all.chunks(10).map(<[String]>::to_vec).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_list_is_narrowed_by_what_is_asked() {
    let (house, partner) = (House::new().await, Partner::new().await);
    let (one, other) = (house.peers.connect(&partner), house.peers.connect(&partner));
    let (automation, source) = house.peers.publish(launch(one));
    let (_, other_source) = house.peers.publish(import(other));
    partner.script([Answer::Done, Answer::refuses(402, "no"), Answer::HangsUp, Answer::Done]);
    for (event, status) in [("a", "succeeded"), ("b", "failed"), ("c", "outcome_unknown")] {
        house.fire(source, event, json!({"email": "ann@a.test"})).await;
        house.when_is(event, status).await;
    }
    house.peers.set_connection(one, "disconnected");
    house.fire(source, "d", json!({"email": "ann@a.test"})).await;
    house.when_is("d", "waiting").await;
    house.fire(other_source, "e", json!({"email": "ann@a.test"})).await;
    house.when_is("e", "succeeded").await;

    let id = automation.as_bytes().to_vec();
    let status = |status: &str| ListRunsRequest { status: status.to_owned(), ..of_workspace() };
    let cases = [
        (status("succeeded"), "ea"),
        (status("failed"), "b"),
        (status("outcome_unknown"), "c"),
        (status("waiting"), "d"),
        (status("running"), ""),
        (status("nonsense"), ""),
        (ListRunsRequest { connection_id: one, ..of_workspace() }, "dcba"),
        (ListRunsRequest { connection_id: other, ..status("succeeded") }, "e"),
        (ListRunsRequest { automation_id: id.into(), ..status("succeeded") }, "a"),
        (ListRunsRequest { event_id: "c".to_owned(), ..of_workspace() }, "c"),
        (ListRunsRequest { limit: 2, ..of_workspace() }, "ed"),
    ];
    for (request, expected) in cases {
        let found: String =
            house.list(request.clone()).await.unwrap().runs.iter().map(|run| run.event_id.as_str()).collect();
        assert_eq!(found, expected, "{request:?}");
    }
}

#[tokio::test]
async fn ids_that_are_none_are_refused() {
    let house = House::new().await;
    let short = || Vec::from(*b"short").into();
    for request in [
        ListRunsRequest { before_id: short(), ..of_workspace() },
        ListRunsRequest { automation_id: short(), ..of_workspace() },
    ] {
        assert_eq!(house.list(request).await.unwrap_err().code(), Code::InvalidArgument);
    }
}

#[tokio::test]
async fn steps_that_were_not_begun_are_shown_as_pending() {
    let (house, partner) = (House::new().await, Partner::new().await);
    let connection = house.peers.connect(&partner);
    let mut steps = launch(connection);
    steps.as_array_mut().unwrap().extend(import(connection).as_array().unwrap().clone());
    let (_, source) = house.peers.publish(steps);
    partner.script([Answer::Holds]);
    house.fire(source, "e", json!({"email": "ann@a.test"})).await;
    partner.asked(1).await;
    let run = house.when_is("e", "running").await;
    let shown: Vec<_> = run.steps.iter().map(|step| (step.key.as_str(), step.status.as_str(), step.attempts)).collect();
    assert_eq!(shown, [("launch", "running", 1), ("import", "pending", 0)]);
    partner.release();
    house.when_is("e", "succeeded").await;
}

fn read(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap()
}

#[tokio::test]
async fn odd_texts_come_through_whole() {
    let (house, partner) = (House::new().await, Partner::new().await);
    let mut steps = import(house.peers.connect(&partner));
    steps[0]["input"]["data"] = json!("{{ trigger }}");
    let (_, source) = house.peers.publish(steps);
    let odd = json!({
        "email": "ann@a.test",
        "nul": "a\u{0}b",
        "emoji 🦊": "👩‍👩‍👧‍👦 \u{fffd} \u{202e} \"quoted\" \\ \n\t",
        "numbers": [0, -1, 999_999_999_999_999_999_i64, 1e300, 0.1],
        "nothing": [null, {}, [], "", "{{ trigger.email }}", "'; DROP TABLE executor_runs; --"],
        "long": "ж".repeat(100_000),
    });
    let event_id = "🦊'\"%_\\ \u{7f}";
    // Once through the store on its way.
    partner.script([Answer::unavailable()]);
    partner.otherwise(Answer::Says(200, json!({"error": 0, "profile_id": odd})));
    house.fire(source, event_id, odd.clone()).await;
    let run = house.when_is(event_id, "succeeded").await;
    assert!(run.trigger == odd.to_string(), "the payload is kept byte for byte");
    assert!(partner.calls().iter().all(|call| call.body["data"] == odd), "the partner gets all of it");
    assert!(read(&run.steps[0].input)["data"] == odd, "the input is kept");
    assert!(read(&run.steps[0].output)["profile_id"] == odd, "the output is kept");
    assert_eq!(partner.calls().len(), 2);
}

#[tokio::test]
async fn a_huge_event_is_kept_whole_and_used_in_part() {
    let (house, partner) = (House::new().await, Partner::new().await);
    let (_, source) = house.peers.publish(launch(house.peers.connect(&partner)));
    let huge = json!({"email": "ann@a.test", "text": "\u{0}ж".repeat(1_000_000)});
    partner.script([Answer::unavailable()]);
    house.fire(source, "e", huge.clone()).await;
    let run = house.when_is("e", "succeeded").await;
    assert!(run.trigger == huge.to_string(), "the payload is kept byte for byte");
    assert_eq!(partner.emails(), ["ann@a.test", "ann@a.test"]);
}

#[tokio::test]
async fn an_event_id_loses_its_nuls_only() {
    let (house, partner) = (House::new().await, Partner::new().await);
    let (_, source) = house.peers.publish(launch(house.peers.connect(&partner)));
    house.fire(source, "a\u{0}b", json!({"email": "ann@a.test"})).await;
    house.fire(source, "ab", json!({"email": "ann@a.test"})).await;
    let runs = house.when_all_are("succeeded", 2).await;
    assert!(runs.iter().all(|run| run.event_id == "ab"), "{runs:?}");
}

#[tokio::test]
async fn a_page_of_large_runs_is_shorter_than_asked_and_none_is_missed() {
    let (house, partner) = (House::new().await, Partner::new().await);
    let (_, source) = house.peers.publish(import(house.peers.connect(&partner)));
    // What can't be packed: each run is stored with more than a megabyte.
    let mut state = 1_u64;
    let mut noise = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        format!("{state:016x}")
    };
    for number in 0..12 {
        let text: String = (0..150_000).map(|_| noise()).collect();
        house.fire(source, &format!("e{number:02}"), json!({"email": "ann@a.test", "text": text})).await;
    }
    for number in 0..12 {
        house.when_is(&format!("e{number:02}"), "succeeded").await;
    }
    let (mut ids, mut before_id, mut pages) = (Vec::new(), bytes::Bytes::new(), 0);
    loop {
        let page = house.list(ListRunsRequest { limit: 1_000, before_id, ..of_workspace() }).await.unwrap();
        ids.extend(page.runs.into_iter().map(|run| run.event_id));
        pages += 1;
        if page.next_before_id.is_empty() {
            break;
        }
        before_id = page.next_before_id;
    }
    ids.sort();
    assert_eq!(ids, (0..12).map(|number| format!("e{number:02}")).collect::<Vec<_>>());
    assert!(pages > 1, "one page of 28 MB");
}
