//! Partners that fail, and what the others feel of it.

use std::time::Duration;

use patchbay_testing::{http, wait_for};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::house::{JSON, PATIENCE, Process, Scene, import, launch, post};

async fn fault(sandbox: &Process, fault: Value) {
    let body = fault.to_string();
    let answer = http::call(sandbox.address("listen"), "POST", "/_/faults", &[JSON], body.as_bytes()).await.unwrap();
    assert_eq!(answer.status, 200, "{}", answer.body);
}

#[tokio::test]
async fn a_run_waits_for_a_partner_that_fails_three_times_and_then_succeeds() {
    let scene = Scene::begin().await;
    let Scene { house, person, .. } = &scene;
    let connection = scene.connect().await;
    let (_, hook) = person.automate(launch(connection)).await;
    let path = "POST /api/v1.1/workflows/import_and_start";
    fault(&scene.sandbox, json!({"match": path, "status": 503, "body": "down", "times": 3})).await;

    let answer =
        post(house.address("listen"), &hook, "1", &json!({"email": "ann@shop.test", "first_name": "ann"})).await;
    assert_eq!(answer.map(|answer| answer.body), Some("OK".to_owned()));

    let waiting =
        wait_for("the run to wait", PATIENCE, async || person.runs("&status=waiting").await.into_iter().next()).await;
    assert_eq!(waiting["waiting"]["for"], "retry");
    assert!(waiting["waiting"]["until"].is_string(), "{waiting}");
    assert_eq!(waiting["steps"][0]["error"]["partner_status"], 503);
    let done =
        wait_for("the run to succeed", PATIENCE, async || person.runs("&status=succeeded").await.into_iter().next())
            .await;
    assert_eq!(done["steps"][0]["attempts"], 4);
    assert_eq!(done["steps"][0]["input"]["data"]["_fname"], "Ann");
}

#[tokio::test]
async fn a_partner_that_is_down_delays_only_its_own_runs_and_recovers_completely() {
    // A port where nobody listens yet: the partner that is down, until it comes back there.
    let down = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = down.local_addr().unwrap().to_string();
    drop(down);
    let scene = Scene::with(&[("PATCHBAY__EGRESS__ALLOW_PRIVATE", "[\"127.0.0.1\"]".to_owned())]).await;
    let Scene { house, person, .. } = &scene;
    let healthy = scene.connect().await;
    let broken = person.connect(&address).await;
    let (healthy_id, healthy_hook) = person.automate(import(healthy)).await;
    let (broken_id, broken_hook) = person.automate(import(broken)).await;

    const EVENTS: usize = 60;
    for number in 0..EVENTS {
        let body = json!({"email": format!("{number}@shop.test"), "first_name": "ann"});
        for hook in [&broken_hook, &healthy_hook] {
            let answer = post(house.address("listen"), hook, &number.to_string(), &body).await;
            assert_eq!(answer.map(|answer| answer.status), Some(200));
        }
    }
    let of = |id: &str| format!("&automation_id={id}");
    wait_for("the healthy partner's runs", PATIENCE, async || {
        let runs = person.runs(&of(&healthy_id)).await;
        let done = runs.iter().filter(|run| run["status"] == "succeeded").count();
        (done == EVENTS).then_some(())
    })
    .await;
    let waiting = wait_for("the broken partner's runs to wait behind their connection", PATIENCE, async || {
        let runs = person.runs(&of(&broken_id)).await;
        assert!(runs.iter().all(|run| run["status"] != "succeeded"));
        runs.into_iter().find(|run| run["waiting"]["for"] == "connection")
    })
    .await;
    assert_eq!(waiting["waiting"]["connection_id"], broken);

    let listen = address.as_str();
    let back = Process::start(&["sandbox", "--listen", listen], &[]);
    wait_for("the recovered partner's runs", PATIENCE * 2, async || {
        let runs = person.runs(&of(&broken_id)).await;
        let over = runs.iter().filter(|run| matches!(run["status"].as_str(), Some("succeeded" | "failed"))).count();
        (over == EVENTS).then_some(())
    })
    .await;
    let profiles = http::call(back.address("listen"), "GET", "/_/altcraft/profiles?db_id=7", &[], b"").await.unwrap();
    let imported = profiles.json()["items"].as_array().unwrap().len();
    let runs = person.runs(&of(&broken_id)).await;
    let succeeded = runs.iter().filter(|run| run["status"] == "succeeded").count();
    assert_eq!(imported, succeeded, "each run that succeeded left its profile");
    // Probes of a partner that is down use up tries of the runs that they are; all others must have come through.
    assert!(succeeded >= EVENTS - 15, "{succeeded} of {EVENTS} runs came through");
}

#[tokio::test]
async fn the_same_event_starts_one_run_and_an_event_after_publish_meets_the_new_version() {
    let scene = Scene::begin().await;
    let Scene { house, person, .. } = &scene;
    let connection = scene.connect().await;
    let (id, hook) = person.automate(import(connection)).await;
    let body = json!({"email": "ann@shop.test", "first_name": "ann"}).to_string();
    let address = house.address("listen");
    for _ in 0..2 {
        let answer = http::call(address, "POST", &hook, &[JSON], body.as_bytes()).await.unwrap();
        assert_eq!((answer.status, answer.body.as_str()), (200, "OK"));
    }
    for version in 2..6 {
        let published = person.post(&format!("/v1/automations/{id}/publish"), &json!({})).await;
        assert_eq!(published.json()["version"], version);
        let event = format!("after-{version}");
        post(address, &hook, &event, &json!({"email": format!("{event}@shop.test"), "first_name": "ann"}))
            .await
            .unwrap();
        let run = wait_for("its run", Duration::from_secs(20), async || {
            person.runs(&format!("&event_id={event}")).await.into_iter().next()
        })
        .await;
        assert_eq!(run["version"], version);
    }
    let first = person.runs("").await.into_iter().filter(|run| run["version"] == 1).count();
    assert_eq!(first, 1, "the same body twice starts one run");
}

#[tokio::test]
async fn a_process_that_stood_still_longer_than_its_lease_goes_on() {
    let scene = Scene::with(&[("PATCHBAY__EXECUTOR__LEASE", "500ms".to_owned())]).await;
    let Scene { house, person, .. } = &scene;
    let connection = scene.connect().await;
    let (_, hook) = person.automate(import(connection)).await;

    house.signal(rustix::process::Signal::STOP);
    // The time that it stands still is what is tested.
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    house.signal(rustix::process::Signal::CONT);

    let answer =
        post(house.address("listen"), &hook, "1", &json!({"email": "ann@shop.test", "first_name": "ann"})).await;
    assert_eq!(answer.map(|answer| answer.status), Some(200));
    wait_for("the run", PATIENCE, async || person.runs("&status=succeeded").await.into_iter().next()).await;
}
