//! Which version of an automation a run follows.

use patchbay_types::SourceId;
use serde_json::json;

use crate::{
    house::{House, Setup, import, launch},
    partner::{Answer, Partner},
};

#[tokio::test]
async fn an_event_follows_the_version_that_was_published_before_it() {
    let (house, partner) = (House::new().await, Partner::new().await);
    let connection = house.peers.connect(&partner);
    let (automation, source) = house.peers.publish(launch(connection));
    for version in 1..=3 {
        let id = version.to_string();
        house.fire(source, &id, json!({"email": "ann@a.test"})).await;
        assert_eq!(house.when_is(&id, "succeeded").await.version, version);
        house.peers.publish_again(automation, source, json!({"steps": launch(connection)}));
    }
}

#[tokio::test]
async fn a_run_ends_by_the_version_that_it_began_with() {
    let mut setup = Setup::default();
    setup.config.retry_delays = vec![std::time::Duration::from_millis(300)];
    let (mut house, partner) = (House::with(setup).await, Partner::new().await);
    let connection = house.peers.connect(&partner);
    let (automation, source) = house.peers.publish(import(connection));
    partner.script([Answer::unavailable()]);
    house.fire(source, "old", json!({"email": "ann@a.test"})).await;
    house.when_is("old", "waiting").await;
    house.peers.publish_again(automation, source, json!({"steps": launch(connection)}));
    house.fire(source, "new", json!({"email": "bob@b.test"})).await;
    let new = house.when_is("new", "succeeded").await;
    // The next life knows nothing of the old version and asks for it.
    house.crash();
    house.begin().await;
    let old = house.when_is("old", "succeeded").await;
    assert_eq!((old.version, new.version), (1, 2));
    let paths: Vec<_> = partner.calls().into_iter().map(|call| (call.path, call.body["email"].clone())).collect();
    let expected = [
        ("/api/v1.1/profiles/import", "ann@a.test"),
        ("/api/v1.1/workflows/import_and_start", "bob@b.test"),
        ("/api/v1.1/profiles/import", "ann@a.test"),
    ];
    assert_eq!(paths, expected.map(|(path, email)| (path.to_owned(), json!(email))));
}

#[tokio::test]
async fn a_version_may_listen_to_another_source() {
    let (house, partner) = (House::new().await, Partner::new().await);
    let connection = house.peers.connect(&partner);
    let (automation, before) = house.peers.publish(import(connection));
    house.fire(before, "1", json!({"email": "ann@a.test"})).await;
    house.when_is("1", "succeeded").await;
    let after = SourceId::generate();
    house.peers.publish_again(automation, after, json!({"steps": import(connection)}));
    house.fire(before, "2", json!({"email": "ann@a.test"})).await;
    house.fire(after, "3", json!({"email": "ann@a.test"})).await;
    house.when_is("3", "succeeded").await;
    house.counted("patchbay_events_discarded_total{reason=\"no_automation\"} 1").await;
    assert_eq!(house.runs().await.len(), 2);
}

#[tokio::test]
async fn a_waiting_run_of_a_deleted_automation_fails_and_says_so() {
    let mut setup = Setup::default();
    setup.config.retry_delays = vec![std::time::Duration::from_millis(300)];
    let (mut house, partner) = (House::with(setup).await, Partner::new().await);
    let (automation, source) = house.peers.publish(import(house.peers.connect(&partner)));
    partner.script([Answer::unavailable()]);
    house.fire(source, "e", json!({"email": "ann@a.test"})).await;
    house.when_is("e", "waiting").await;
    house.peers.set_automation(automation, "deleted");
    house.crash();
    house.begin().await;
    let run = house.when_is("e", "failed").await;
    let dead = house.dead_letters(run.workspace_id).await;
    assert_eq!((dead.len(), dead[0].error.as_str()), (1, "its automation was deleted"));
    assert_eq!(partner.calls().len(), 1);
}

#[tokio::test]
async fn versions_that_cannot_be_asked_for_make_runs_wait() {
    let mut setup = Setup::default();
    setup.config.retry_delays = vec![std::time::Duration::from_secs(1)];
    let (mut house, partner) = (House::with(setup).await, Partner::new().await);
    let connection = house.peers.connect(&partner);
    let (automation, source) = house.peers.publish(import(connection));
    partner.script([Answer::unavailable()]);
    house.fire(source, "e", json!({"email": "ann@a.test"})).await;
    house.when_is("e", "waiting").await;
    house.crash();
    house.peers.publish_again(automation, source, json!({"steps": launch(connection)}));
    house.peers.set_automation_down(true);
    house.begin().await;
    assert_eq!(house.when("e", "open", |run| run.finished_at == 0).await.status, "waiting");
    house.peers.set_automation_down(false);
    assert_eq!(house.when_is("e", "succeeded").await.version, 1);
    assert_eq!(partner.calls()[1].path, "/api/v1.1/profiles/import");
}
