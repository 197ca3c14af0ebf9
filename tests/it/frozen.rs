//! Processes that stand still, and networks that fall silent: the mesh heals by itself, and does nothing twice without leave.

use std::time::Duration;

use patchbay_testing::proxy::Proxy;
use rustix::process::Signal;

use crate::{
    house::{PATIENCE, launch, sandbox},
    ledger::{Load, accepted, say, settle},
    mesh::{self, Ground, Mesh},
};

const POSTERS: usize = 6;
const PAUSE: Duration = Duration::from_millis(20);
/// The lease of the mesh under test, as `house::settings` has it.
const LEASE: Duration = Duration::from_secs(2);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_executor_that_stood_still_for_longer_than_its_lease_ends_no_run_twice() {
    let sandbox = sandbox();
    let ground = Ground::shared();
    let mut mesh = Mesh::start(&ground, &mesh::settings(&sandbox), &["action-executor"]).await;
    let person = mesh.log_in().await;
    let connection = person.connect(sandbox.address("listen")).await;
    let (_, hook) = person.automate(launch(connection)).await;
    let ingress = [mesh.members["webhook-ingress"].listen().to_owned()];

    let load = Load::begin(&ingress, &hook, POSTERS, PAUSE);
    accepted(&load, 50, PATIENCE).await;
    mesh.member("action-executor").signal(Signal::STOP);
    let before = load.accepted.lock().unwrap().len();
    tokio::time::sleep(LEASE * 2).await;
    accepted(&load, before + 50, PATIENCE).await;
    mesh.member("action-executor").signal(Signal::CONT);
    let before = load.accepted.lock().unwrap().len();
    accepted(&load, before + 50, PATIENCE).await;
    let (accepted, _) = load.end().await;

    let report = settle(&person, sandbox.address("listen"), &accepted, PATIENCE).await;
    say(&format!("frozen executor: {report}"));
    assert_eq!((&report.lost, &report.doubled, &report.wrong), (&vec![], &vec![], &vec![]));
    // The one call that was in flight when it was stopped may be done again, where that is safe; this step is not.
    assert!(report.repeated.len() <= 1, "{report}: {:?}", report.repeated);
}

/// A mesh with one executor, whose way to one of its grounds leads over a proxy.
async fn behind_a_proxy(key: &str, url: &str, ground: &Ground) {
    let (proxy, through) = Proxy::before(url);
    let sandbox = sandbox();
    let mut mesh = Mesh::lay(ground, &mesh::settings(&sandbox), &[]);
    mesh.set("action-executor", key, &through);
    mesh.begin().await;
    let person = mesh.log_in().await;
    let connection = person.connect(sandbox.address("listen")).await;
    let (_, hook) = person.automate(launch(connection)).await;
    let ingress = [mesh.members["webhook-ingress"].listen().to_owned()];

    let load = Load::begin(&ingress, &hook, POSTERS, PAUSE);
    accepted(&load, 50, PATIENCE).await;
    proxy.cut();
    let before = load.accepted.lock().unwrap().len();
    tokio::time::sleep(LEASE * 3).await;
    accepted(&load, before + 50, PATIENCE).await;
    proxy.heal();
    let before = load.accepted.lock().unwrap().len();
    accepted(&load, before + 50, PATIENCE).await;
    let (accepted, _) = load.end().await;

    if !mesh.member("action-executor").is_running() {
        mesh.run("action-executor");
    }
    let report = settle(&person, sandbox.address("listen"), &accepted, PATIENCE * 2).await;
    assert_eq!(
        (&report.lost, &report.doubled, &report.repeated, &report.wrong),
        (&vec![], &vec![], &vec![], &vec![]),
        "{report}"
    );
    mesh.ready("action-executor").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_partition_between_executor_and_broker_heals_by_itself() {
    let ground = Ground::shared();
    behind_a_proxy("PATCHBAY__BROKER__URL", &ground.broker, &ground).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_partition_between_executor_and_database_heals_by_itself() {
    let ground = Ground::shared();
    behind_a_proxy("PATCHBAY__STORE__URL", &ground.store, &ground).await;
}
