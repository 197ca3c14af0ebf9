//! Several executors on one PostgreSQL and one RabbitMQ, and what the network does to them.

use std::{
    sync::{Arc, mpsc},
    thread,
    time::Duration,
};

use patchbay_action_executor::role;
use patchbay_broker::Message;
use patchbay_egress::{Egress, Options};
use patchbay_proto::{
    Route, Topic,
    executor::v1::{ListRunsRequest, Run, run_service_client::RunServiceClient},
};
use patchbay_service::Ground;
use patchbay_store::Engine;
use patchbay_testing::{BrokerKind, StoreKind, broker_kind, proxy::Proxy, store_kind, wait_for};
use patchbay_types::SourceId;
use prost::Message as _;
use serde_json::json;
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

use crate::{
    deaf::Deaf,
    house::{PATIENCE, Setup, event_at, import, launch, names, of_workspace, retention},
    partner::{Answer, Partner},
    peers::Peers,
};

/// What executors share.
#[derive(Debug)]
struct Mesh {
    peers: Peers,
    setup: Setup,
    /// Where the test publishes.
    ground: Ground,
    /// By which each executor finds the same database and queues.
    folder: TempDir,
}

/// One executor on a thread of its own.
#[derive(Debug)]
struct Executor {
    runtime: Option<Runtime>,
    ground: Ground,
    runs: RunServiceClient<Route>,
    /// Ends its connections to the broker.
    proxy: Option<Proxy>,
}

impl Mesh {
    /// Nothing where a database or broker belongs to one process.
    async fn new(lease: Duration) -> Option<Self> {
        if store_kind() == StoreKind::Sqlite || broker_kind() == BrokerKind::Embedded {
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let mut setup = Setup::default();
        setup.config.lease = lease;
        let ground = patchbay_testing::ground(folder.path()).await;
        Some(Self { peers: Peers::default(), setup, ground, folder })
    }

    fn store_url(&self) -> String {
        patchbay_testing::store_url(self.folder.path())
    }

    async fn begin(&self) -> Executor {
        self.begin_at(&self.store_url()).await
    }

    async fn begin_at(&self, url: &str) -> Executor {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let (url, folder) = (url.to_owned(), self.folder.path().to_owned());
        let (peers, config, catalog) = (self.peers.clone(), self.setup.config.clone(), Arc::clone(&self.setup.catalog));
        let building = async move {
            let (mut ground, proxy) = patchbay_testing::mortal_ground(&folder).await;
            ground.engine = Engine::open(&url, &patchbay_store::Options::default()).await.unwrap();
            let allow_private = vec!["127.0.0.1".parse().unwrap()];
            let egress = Egress::new(Options { allow_private, ..Options::default() }).unwrap();
            let (automation, connection) = (peers.automation_route(), peers.connection_route());
            let installed =
                role::install(&ground, config, retention(), catalog, egress, automation, connection).await.unwrap();
            let runs = RunServiceClient::new(Route::local(installed.services.unwrap()));
            (ground, runs, proxy)
        };
        let (ground, runs, proxy) = runtime.spawn(building).await.unwrap();
        Executor { runtime: Some(runtime), ground, runs, proxy }
    }

    /// Publishes so many events with the ids and emails `e<number>`.
    async fn fire(&self, source: SourceId, count: usize, prefix: &str) {
        let event = |name: String| {
            event_at(self.ground.clock.now(), source, &format!("{prefix}{name}"), &json!({"email": name}))
        };
        let message = |name| {
            let event = event(name);
            Message { key: event.event_id.clone().into(), payload: event.encode_to_vec().into(), ..Message::default() }
        };
        let messages = names(count).into_iter().map(message).collect();
        self.ground.broker.publish(Topic::TriggerFired, messages).await.unwrap();
    }
}

impl Executor {
    async fn runs(&self) -> Vec<Run> {
        let request = ListRunsRequest { limit: 1_000, ..of_workspace() };
        self.runs.clone().list_runs(request).await.unwrap().into_inner().runs
    }

    /// All runs, as soon as there are so many and all stand still.
    async fn when_still(&self, count: usize) -> Vec<Run> {
        wait_for(&format!("{count} runs to stand still"), PATIENCE * 2, || async {
            let runs = self.runs().await;
            assert!(runs.len() <= count, "more runs than events");
            let still = |run: &Run| ["succeeded", "failed", "outcome_unknown"].contains(&run.status.as_str());
            (runs.len() == count && runs.iter().all(still)).then_some(runs)
        })
        .await
    }

    fn counted(&self, metric: &str) -> u64 {
        let metrics = self.ground.metrics.render();
        let line = metrics.lines().find_map(|line| line.strip_prefix(metric)).unwrap();
        line.trim().parse().unwrap()
    }

    /// Stands still until what is returned is dropped, as a process does that is stopped and told to continue.
    fn freeze(&self) -> mpsc::Sender<()> {
        let (thaw, thawed) = mpsc::channel();
        self.runtime.as_ref().unwrap().spawn(async move { thawed.recv_timeout(PATIENCE) });
        thaw
    }

    /// Stops where it is.
    fn crash(mut self) {
        self.stop();
    }

    fn stop(&mut self) {
        let Some(runtime) = self.runtime.take() else { return };
        thread::spawn(move || runtime.shutdown_timeout(PATIENCE)).join().unwrap();
        self.proxy = None;
    }
}

impl Drop for Executor {
    fn drop(&mut self) {
        self.stop();
    }
}

fn statuses(runs: &[Run], status: &str) -> usize {
    runs.iter().filter(|run| run.status == status).count()
}

#[tokio::test]
async fn two_executors_share_the_work_and_do_everything_once() {
    let Some(mesh) = Mesh::new(Duration::from_secs(15)).await else { return };
    let partner = Partner::new().await;
    partner.script((0..40).map(|_| Answer::unavailable()));
    let (_, source) = mesh.peers.publish(launch(mesh.peers.connect(&partner)));
    let (one, other) = (mesh.begin().await, mesh.begin().await);
    mesh.fire(source, 400, "").await;
    let runs = one.when_still(400).await;
    assert_eq!(statuses(&runs, "succeeded"), 400);
    assert_eq!((partner.done(), partner.calls().len()), (names(400), 440), "each once");
    assert_eq!(one.counted("patchbay_runs_lost_total") + other.counted("patchbay_runs_lost_total"), 0);
    let shares = [&one, &other].map(|executor| executor.counted("patchbay_runs_opened_total"));
    assert_eq!(shares.iter().sum::<u64>(), 400);
}

#[tokio::test]
async fn the_runs_of_one_that_died_go_on_with_another() {
    let Some(mesh) = Mesh::new(Duration::from_secs(2)).await else { return };
    let (launched, imported) = (Partner::new().await, Partner::new().await);
    launched.otherwise(Answer::Holds);
    imported.otherwise(Answer::Holds);
    let one = mesh.begin().await;
    let (_, launches) = mesh.peers.publish(launch(mesh.peers.connect_in(7, &launched, Some(2))));
    let (_, imports) = mesh.peers.publish(import(mesh.peers.connect_in(7, &imported, Some(2))));
    mesh.fire(launches, 5, "l").await;
    mesh.fire(imports, 5, "i").await;
    launched.asked(2).await;
    imported.asked(2).await;
    one.crash();
    launched.release();
    imported.release();
    let other = mesh.begin().await;
    let runs = other.when_still(10).await;
    assert_eq!((statuses(&runs, "succeeded"), statuses(&runs, "outcome_unknown")), (8, 2));
    assert_eq!(launched.emails(), names(5), "no launch is repeated");
    assert_eq!(imported.emails().len(), 7, "imports are, under their keys");
}

#[tokio::test]
async fn one_that_stood_still_begins_anew_and_repeats_nothing() {
    let Some(mesh) = Mesh::new(Duration::from_secs(2)).await else { return };
    let partner = Partner::new().await;
    let frozen = mesh.begin().await;
    let (_, source) = mesh.peers.publish(launch(mesh.peers.connect_in(7, &partner, Some(4))));
    partner.otherwise(Answer::Late(Duration::from_millis(100)));
    mesh.fire(source, 60, "").await;
    partner.asked(8).await;
    let thaw = frozen.freeze();
    let living = mesh.begin().await;
    wait_for("the other to take over", PATIENCE, || async {
        let runs = living.runs().await;
        (statuses(&runs, "outcome_unknown") > 0).then_some(())
    })
    .await;
    drop(thaw);
    let runs = living.when_still(60).await;
    let unknown = statuses(&runs, "outcome_unknown");
    assert!(unknown <= 4, "only what was under way: {unknown}");
    wait_for("the frozen one to begin anew", PATIENCE, || async {
        (frozen.counted("patchbay_leases_lost_total") == 1).then_some(())
    })
    .await;
    assert_eq!(partner.emails(), names(60), "no launch is repeated");
    drop(living);
    mesh.fire(source, 20, "later").await;
    let runs = frozen.when_still(80).await;
    assert_eq!(statuses(&runs, "succeeded"), 80 - unknown, "it works again");
    assert_eq!(partner.emails().len(), 80);
}

#[tokio::test]
async fn answers_of_the_database_that_are_lost_neither_repeat_nor_lose_anything() {
    let Some(mesh) = Mesh::new(Duration::from_secs(6)).await else { return };
    let url = mesh.store_url();
    let (_, rest) = url.split_once("://").unwrap();
    let (place, name) = rest.split_once('/').unwrap();
    let (user, server) = place.rsplit_once('@').map_or(("", place), |(user, server)| (user, server));
    let way = Deaf::before(server.to_owned()).await;
    let at = if user.is_empty() { String::new() } else { format!("{user}@") };
    let executor = mesh.begin_at(&format!("postgres://{at}{}/{name}", way.address())).await;
    let (first, second) = (Partner::new().await, Partner::new().await);
    let mut steps = launch(mesh.peers.connect_in(7, &first, Some(8)));
    let mut last = launch(mesh.peers.connect_in(7, &second, Some(4)));
    last[0]["key"] = json!("second");
    steps.as_array_mut().unwrap().extend(last.as_array().unwrap().clone());
    let (_, source) = mesh.peers.publish(steps);
    for round in 0..8 {
        mesh.fire(source, 25, &format!("{round}-")).await;
        first.asked(25 * round + 1).await;
        way.lose(3).await;
    }
    let sound = mesh.begin().await;
    let runs = sound.when_still(200).await;
    assert_eq!(statuses(&runs, "succeeded"), 200);
    assert_eq!((first.calls().len(), second.calls().len()), (200, 200), "each once");
    assert_eq!(executor.counted("patchbay_runs_lost_total"), 0);
}
