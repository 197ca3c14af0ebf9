//! A long queue at the start: memory stays bounded, and the events of others do not wait behind it.

use std::time::{Duration, Instant};

use patchbay_testing::{http, wait_for};
use serde_json::json;

use crate::{
    house::{PATIENCE, Person, create_user_named, import, post, sandbox},
    mesh::{self, Ground, Mesh},
};

/// In a build without optimisation; `make bench` has the figures for 100,000.
const EVENTS: usize = 5_000;
const POSTERS: usize = 16;
/// How long an event of another workspace may take.
const OTHER: Duration = Duration::from_secs(5);
/// Memory of the executor, beyond what it has when it is idle.
const GROWTH_KIB: u64 = 200 * 1_024;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_of_another_workspace_does_not_wait_behind_a_backlog() {
    let sandbox = sandbox();
    let mut mesh = Mesh::start(&Ground::shared(), &mesh::settings(&sandbox), &[]).await;
    create_user_named("bob@example.com", &[], &mesh.borrowed(&[]));
    let gateway = mesh.members["gateway"].listen().to_owned();
    let (ann, bob) = (mesh.log_in().await, Person::log_in_as("bob@example.com", &gateway).await);
    let partner = sandbox.address("listen");
    let (_, crowded) = ann.automate(import(ann.connect(partner).await)).await;
    let (_, quiet) = bob.automate(import(bob.connect(partner).await)).await;
    let ingress = mesh.members["webhook-ingress"].listen().to_owned();
    let idle = mesh.member("action-executor").resident_kib();
    mesh.member("action-executor").kill();

    let posters = (0..POSTERS).map(|poster| {
        let (ingress, crowded) = (ingress.clone(), crowded.clone());
        tokio::task::spawn(async move {
            for number in (poster..EVENTS).step_by(POSTERS) {
                let body = json!({"email": format!("{number}@shop.test"), "first_name": "ann"});
                let answer = post(&ingress, &crowded, &number.to_string(), &body).await.unwrap();
                assert_eq!(answer.status, 200, "{}", answer.body);
            }
        })
    });
    for poster in posters.collect::<Vec<_>>() {
        poster.await.unwrap();
    }
    mesh.run("action-executor");
    wait_for("the backlog to be worked on", PATIENCE, async || {
        (!ann.get("/v1/runs?limit=1").await["items"].as_array().unwrap().is_empty()).then_some(())
    })
    .await;

    let sent = Instant::now();
    let body = json!({"email": "bob@shop.test", "first_name": "bob"});
    assert_eq!(post(&ingress, &quiet, "1", &body).await.map(|answer| answer.status), Some(200));
    wait_for("the run of the other workspace", PATIENCE, async || bob.runs("&status=succeeded").await.pop().map(drop))
        .await;
    assert!(sent.elapsed() < OTHER, "it took {:?}", sent.elapsed());
    wait_for("the whole backlog", PATIENCE * 2, async || {
        let profiles = http::call(partner, "GET", "/_/altcraft/profiles?db_id=7", &[], b"").await.unwrap().json();
        // One more is of the other workspace.
        (profiles["items"].as_array().unwrap().len() == EVENTS + 1).then_some(())
    })
    .await;
    let grown = mesh.member("action-executor").resident_kib().saturating_sub(idle);
    assert!(grown < GROWTH_KIB, "the executor grew by {grown} KiB");
}
